"""The open case against an earlier examination that a browser sends."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from trame_server import Server
from trame_server.utils.asynchronous import create_task
from trame_server.utils.typed_state import TypedState

from VSClickCorrectLib.app.logic.running_logic import RunningLogic
from VSClickCorrectLib.app.opened_case import ShownCase
from VSClickCorrectLib.app.status import Status
from VSClickCorrectLib.app.uploads import EARLIER_SLOTS, Uploads
from VSClickCorrectLib.app.workspace import Workspace
from VSClickCorrectLib.datasets.examinations import NAMES, Examination, compare_examinations, to_register
from VSClickCorrectLib.datasets.registration import Registration
from VSClickCorrectLib.jobs.job import Job
from VSClickCorrectLib.mrml.volumes import volume_of


@dataclass
class FollowUpState:
    """What the page knows of it: the comparison, and whether the earlier files are being read."""

    text: str = ""
    dialog: bool = False
    busy: bool = False


class FollowUpLogic:
    """Compares the segment as it is with an earlier mask; scans are registered in a child process.

    Parameters
    ----------
    server : Server
        Its state holds `FollowUpState`.
    workspace : Workspace
        The case.
    running : RunningLogic
        Runs the registration.
    status : Status
        Told how it ended.
    uploads : Uploads
        Where the earlier mask and its scan go.
    """

    def __init__(
        self,
        server: Server,
        workspace: Workspace,
        running: RunningLogic,
        status: Status,
        uploads: Uploads,
    ) -> None:
        self._state = server.state
        self._workspace = workspace
        self._running = running
        self._status = status
        self._uploads = uploads
        self.typed_state = TypedState(server.state, FollowUpState)
        workspace.closing.connect(self._forget)

    def compare(self) -> None:
        """Compare with what was sent, in a task of its own."""
        if not self.typed_state.data.busy:
            create_task(self._compare())

    async def _compare(self) -> None:
        data = self.typed_state.data
        data.busy = True
        self._status.say("Reading the earlier examination …")
        self._state.flush()
        with self._status.reporting():
            try:
                nodes = self._workspace.case
                before = await asyncio.to_thread(self._uploads.earlier)
                data.dialog = False
                if self._workspace.nodes is nodes:
                    self._begin(before, nodes)
            finally:
                for slot in EARLIER_SLOTS:
                    self._uploads.discard(slot)
                data.busy = False
        self._state.flush()

    def _begin(self, before: Examination, nodes: ShownCase) -> None:
        grid = nodes.mask.grid
        after = Examination(nodes.mask.read(grid.box), grid, volume_of(nodes.reference))
        scans = to_register(before, after)
        if scans is None:
            self._show(before, after, None)
            return
        self._running.start(
            lambda: Job.start_registration(*scans, names=NAMES),
            lambda found, networks: self._show(before, after, found),
        )

    def _show(self, before: Examination, after: Examination, found: Registration | None) -> None:
        self.typed_state.data.text = compare_examinations(before, after, found).as_text()
        self._status.say("Compared with the earlier examination; see Measures.")

    def _forget(self) -> None:
        self.typed_state.data.text = ""
