"""The open case against an earlier examination that a browser sends."""

from __future__ import annotations

from dataclasses import dataclass

from trame_server import Server
from trame_server.utils.typed_state import TypedState
from VSClickCorrectLib.workflow.follow_up import FollowUpComparison

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
    follow_up : FollowUpComparison
        What is done.
    uploads : Uploads
        Where the earlier mask and its scan go.
    """

    def __init__(
        self, server: Server, host: PageHost, follow_up: FollowUpComparison, uploads: Uploads
    ) -> None:
        self._host, self._follow_up, self._uploads = host, follow_up, uploads
        self.typed_state = TypedState(server.state, FollowUpState)
        follow_up.changed.connect(self._update)

    def compare(self) -> None:
        """Compare with what was sent, in a task of its own."""
        if not self.typed_state.data.busy:
            self._host.start(self._compare())

    async def _compare(self) -> None:
        data = self.typed_state.data
        data.busy = True
        self._host.say("Reading the earlier examination …")
        try:
            before = await self._host.background(self._uploads.earlier)
            data.dialog = False
        finally:
            for slot in EARLIER_SLOTS:
                self._uploads.discard(slot)
            data.busy = False
        await self._follow_up.compare(before)

    def _update(self) -> None:
        self.typed_state.data.text = self._follow_up.text
