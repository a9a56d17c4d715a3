"""Measurements of the segment, and its change since the start."""

from __future__ import annotations

from dataclasses import dataclass

from trame_server import Server
from trame_server.utils.typed_state import TypedState

from VSClickCorrectLib.workflow.measuring import Measurer


@dataclass
class MeasuresState:
    """The lines that are shown, and that the clipboard gets."""

    text: str = ""
    volume: str = ""


class MeasuresLogic:
    """Shows what is measured.

    Parameters
    ----------
    server : Server
        Its state holds `MeasuresState`.
    measurer : Measurer
        Measures after every change.
    """

    def __init__(self, server: Server, measurer: Measurer) -> None:
        self._measurer = measurer
        self.typed_state = TypedState(server.state, MeasuresState)
        measurer.changed.connect(self._update)

    def _update(self) -> None:
        measured, data = self._measurer.measured, self.typed_state.data
        if measured is None:
            data.text = data.volume = ""
            return
        data.text = measured.as_text()
        data.volume = f"{measured.now.volume_cm3:.2f} cm³" if measured.now.voxels else "empty"
