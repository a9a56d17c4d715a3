"""The open case against an earlier examination that a browser sends."""

from __future__ import annotations

from dataclasses import dataclass

from trame_server import Server
from trame_server.utils.typed_state import TypedState
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.workflow.observable import Signal
from VSClickCorrectLib.workflow.workflow import Workflow

from VSClickCorrectApp.page_host import PageHost
from VSClickCorrectApp.uploads import EARLIER_SLOTS, Uploads


@dataclass
class FollowUpState:
    """What the page knows of it: the comparison, and whether the earlier files are being read."""

    text: str = ""
    dialog: bool = False
    busy: bool = False


class FollowUpLogic:
    """Reads what was sent and shows what changed.

    Parameters
    ----------
    server : Server
        Its state holds `FollowUpState`.
    host : PageHost
        Runs what takes long.
    flow : Workflow
        What is done, and the case that is open.
    uploads : Uploads
        Where the earlier mask and its scan go.

    Attributes
    ----------
    changed : Signal
        The earlier files have gone: they were read, or with their case.
    """

    def __init__(self, server: Server, host: PageHost, flow: Workflow, uploads: Uploads) -> None:
        self._host, self._follow_up, self._uploads = host, flow.follow_up, uploads
        self._workbench = flow.workbench
        self.changed = Signal()
        self.typed_state = TypedState(server.state, FollowUpState)
        flow.follow_up.changed.connect(self._update)
        flow.workbench.closed.connect(self._on_closed)

    def compare(self) -> None:
        """Compare with what was sent, in a task of its own."""
        if not self.typed_state.data.busy:
            self._host.start(self._compare())

    async def _compare(self) -> None:
        data, case = self.typed_state.data, self._workbench.nodes
        try:
            with self._uploads.reading(EARLIER_SLOTS):
                data.busy = True
                self._host.say("Reading the earlier examination …")
                before = await self._host.background(self._uploads.earlier)
                data.dialog = False
        finally:
            data.busy = False
            self.changed.emit()
        if self._workbench.nodes is not case:
            raise ImageError(
                "another case was opened meanwhile, so nothing was compared; choose the earlier files again."
            )
        await self._follow_up.compare(before)

    def _on_closed(self) -> None:
        # Files that are being read go once they are.
        if not self.typed_state.data.busy:
            for slot in EARLIER_SLOTS:
                self._uploads.discard(slot)
            self.changed.emit()

    def _update(self) -> None:
        self.typed_state.data.text = self._follow_up.text
