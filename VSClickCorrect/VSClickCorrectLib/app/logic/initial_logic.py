"""The initial mask, found in a child process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from trame_server import Server
from trame_server.utils.asynchronous import create_task
from trame_server.utils.typed_state import TypedState

from VSClickCorrectLib.app.models import LazyNetworks
from VSClickCorrectLib.app.status import Status
from VSClickCorrectLib.app.workspace import Workspace
from VSClickCorrectLib.inference.initial import InitialMask
from VSClickCorrectLib.jobs.job import Job
from VSClickCorrectLib.mrml.volumes import case_of

_POLL_S = 0.2


@dataclass
class InitialState:
    """What the page knows of the search for the tumour."""

    running: bool = False
    percent: int = 0
    message: str = ""


class InitialLogic:
    """Finds the tumour with progress and cancel; clicks wait meanwhile.

    Parameters
    ----------
    server : Server
        Its state holds `InitialState`.
    workspace : Workspace
        The case.
    networks : LazyNetworks
        Where the models are, and those that correct the mask afterwards.
    status : Status
        Told how it ended.
    """

    def __init__(self, server: Server, workspace: Workspace, networks: LazyNetworks, status: Status) -> None:
        self._state = server.state
        self._workspace = workspace
        self._networks = networks
        self._status = status
        self._job: Job[InitialMask] | None = None
        self.typed_state = TypedState(server.state, InitialState)
        workspace.closing.connect(self.cancel)

    def find(self) -> None:
        """Replace the open case's mask by the one that the networks find, in a task of its own."""
        if self._job is None and self._workspace.nodes is not None:
            create_task(self._find())

    async def _find(self) -> None:
        with self._status.reporting():
            try:
                await self._watch(self._started())
            finally:
                self._job = None
                self._hold(False)
        self._state.flush()

    def cancel(self) -> None:
        """Stop the search; the mask stays as it is."""
        if self._job is not None:
            self._job.cancel()

    def _started(self) -> Job[InitialMask]:
        case, folder = case_of(*self._workspace.case.volumes), self._networks.folder.folder
        self._job = Job.start_segmentation(case, folder, self._networks.device)
        self._hold(True)
        self._status.say("Looking for the tumour …")
        return self._job

    async def _watch(self, job: Job[InitialMask]) -> None:
        nodes = self._workspace.case
        while not (state := job.poll()).done:
            self.typed_state.data.percent = round(100 * state.fraction)
            self.typed_state.data.message = state.message
            self._state.flush()
            await asyncio.sleep(_POLL_S)
        initial = job.result()
        networks = await self._networks.get()
        if self._workspace.nodes is not nodes:
            return
        self._workspace.restart(initial.on(nodes.mask.grid))
        self._workspace.correct(networks)
        found = "Found; click where its border is wrong." if initial.found else None
        self._status.say(found or "No tumour was found; place an include click on it.")

    def _hold(self, running: bool) -> None:
        self.typed_state.data.running = running
        self.typed_state.data.percent = 0
        if self._workspace.correction is not None:
            self._workspace.correction.busy = running
