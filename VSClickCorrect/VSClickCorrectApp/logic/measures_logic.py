"""Measurements of the segment, and its change since the start."""

from __future__ import annotations

from dataclasses import dataclass

from trame_server import Server
from trame_server.utils.typed_state import TypedState
from VSClickCorrectLib.workflow.measuring import Measurer

from VSClickCorrectApp.status import Status


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
    status : Status
        Told whether the browser has copied them.
    """

    def __init__(self, server: Server, measurer: Measurer, status: Status) -> None:
        self._measurer, self._status = measurer, status
        server.trigger("vs_copied")(self.tell_copied)
        self.typed_state = TypedState(server.state, MeasuresState)
        measurer.changed.connect(self._update)

    def tell_copied(self, copied: bool) -> None:
        """Say whether the browser has put the lines on its clipboard."""
        if copied:
            self._status.say("The measurements were copied.")
        else:
            self._status.fail("the browser copies nothing here; select the lines and press Ctrl+C.")

    def _update(self) -> None:
        measured, data = self._measurer.measured, self.typed_state.data
        if measured is None:
            data.text = data.volume = ""
            return
        data.text = measured.as_text()
        data.volume = f"{measured.now.volume_cm3:.2f} cm³" if measured.now.voxels else "empty"
