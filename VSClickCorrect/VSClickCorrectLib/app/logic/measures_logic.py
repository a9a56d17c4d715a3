"""Measurements of the segment, and its change since the start."""

from __future__ import annotations

from dataclasses import dataclass

from trame_server import Server
from trame_server.utils.typed_state import TypedState

from VSClickCorrectLib.app.workspace import Workspace
from VSClickCorrectLib.imaging.measurements import Measurements, Middle, head_middle, measure
from VSClickCorrectLib.mrml.start import start_of
from VSClickCorrectLib.mrml.volumes import volume_of


@dataclass
class MeasuresState:
    """The lines that are shown, and that the clipboard gets."""

    text: str = ""
    volume: str = ""


class MeasuresLogic:
    """Measures after every change.

    Parameters
    ----------
    server : Server
        Its state holds `MeasuresState`.
    workspace : Workspace
        The case.
    """

    def __init__(self, server: Server, workspace: Workspace) -> None:
        self._workspace = workspace
        self._middle: Middle | None = None
        self._start: Measurements | None = None
        self.typed_state = TypedState(server.state, MeasuresState)
        workspace.opened.connect(self._on_opened)
        workspace.settled.connect(self._update)

    @property
    def volume_mm3(self) -> float:
        """The segment's volume."""
        return self._measured().volume_mm3

    def _on_opened(self) -> None:
        self._middle = head_middle(volume_of(self._workspace.case.reference))
        self._start = None

    def _measured(self) -> Measurements:
        mask = self._workspace.case.mask
        box = mask.extent()
        return measure(mask.grid, box, mask.read(box) if box is not None else None, self._middle)

    def _update(self) -> None:
        if self._workspace.nodes is None:
            return
        nodes, measured = self._workspace.nodes, self._measured()
        if self._start is None:
            kept = start_of(*nodes.segment, nodes.reference)
            if kept is not None:
                box, values = (None, None) if kept[0].empty else kept
                self._start = measure(nodes.mask.grid, box, values, self._middle)
        lines = [measured.as_text()]
        if self._start is not None:
            lines.append(measured.change_against(self._start).as_text())
        self.typed_state.data.text = "\n".join(lines)
        self.typed_state.data.volume = f"{measured.volume_cm3:.2f} cm³" if measured.voxels else "empty"
