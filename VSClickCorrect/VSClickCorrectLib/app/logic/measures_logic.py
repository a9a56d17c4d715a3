"""Measurements of the segment, and its change since the start."""

from __future__ import annotations

from dataclasses import dataclass

from trame_server import Server
from trame_server.utils.typed_state import TypedState

from VSClickCorrectLib.app.workspace import Workspace
from VSClickCorrectLib.mrml.measuring import Measured, SegmentMeasuring


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
        self._measuring: SegmentMeasuring | None = None
        self.typed_state = TypedState(server.state, MeasuresState)
        workspace.opened.connect(self._on_opened)
        workspace.settled.connect(self._update)

    @property
    def volume_mm3(self) -> float:
        """The segment's volume."""
        return self._measured().now.volume_mm3

    def _on_opened(self) -> None:
        self._measuring = None

    def _measured(self) -> Measured:
        nodes = self._workspace.case
        if self._measuring is None:
            self._measuring = SegmentMeasuring(*nodes.segment, nodes.reference)
        return self._measuring.measure()

    def _update(self) -> None:
        measured = self._measured()
        now = measured.now
        self.typed_state.data.text = measured.as_text()
        self.typed_state.data.volume = f"{now.volume_cm3:.2f} cm³" if now.voxels else "empty"
