"""Seconds of work in a child process: one job at a time, with progress and cancel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from trame_server import Server
from trame_server.utils.asynchronous import create_task
from trame_server.utils.typed_state import TypedState

from VSClickCorrectLib.app.models import LazyNetworks
from VSClickCorrectLib.app.status import Status
from VSClickCorrectLib.app.workspace import Workspace
from VSClickCorrectLib.inference.networks import Networks
from VSClickCorrectLib.jobs.job import Job, Result

_POLL_S = 0.2


@dataclass
class RunningState:
    """What the page knows of the job that runs."""

    running: bool = False
    percent: int = 0
    message: str = ""


class RunningLogic:
    """Watches a job on the open case; clicks wait meanwhile, and closing the case cancels it.

    Parameters
    ----------
    server : Server
        Its state holds `RunningState`.
    workspace : Workspace
        The case.
    networks : LazyNetworks
        Those that go on correcting once the job is done.
    status : Status
        Told what went wrong.
    """

    def __init__(self, server: Server, workspace: Workspace, networks: LazyNetworks, status: Status) -> None:
        self._state = server.state
        self._workspace = workspace
        self._networks = networks
        self._status = status
        self._busy = False
        self._job: Job | None = None
        self.typed_state = TypedState(server.state, RunningState)
        workspace.closing.connect(self.cancel)
        workspace.changed.connect(self._hold_clicks)

    def start(self, begin: Callable[[], Job[Result]], then: Callable[[Result, Networks], None]) -> None:
        """Run a job in a task of its own, unless one runs or no case is open.

        Parameters
        ----------
        begin : callable
            Starts and returns the job.
        then : callable
            Takes its result, and the networks, if the case is still open.
        """
        if not self._busy and self._workspace.nodes is not None:
            self._hold(True)
            create_task(self._run(begin, then))

    def cancel(self) -> None:
        """Stop the job; the case stays as it is."""
        if self._job is not None:
            self._job.cancel()

    async def _run(self, begin: Callable[[], Job[Result]], then: Callable[[Result, Networks], None]) -> None:
        nodes = self._workspace.nodes
        with self._status.reporting():
            try:
                self._job = job = begin()
                result = await self._watched(job)
                networks = await self._networks.get()
                if self._workspace.nodes is nodes:
                    then(result, networks)
            finally:
                self._job = None
                self._hold(False)
        self._state.flush()

    async def _watched(self, job: Job[Result]) -> Result:
        while not (state := job.poll()).done:
            self.typed_state.data.percent = round(100 * state.fraction)
            self.typed_state.data.message = state.message
            self._state.flush()
            await asyncio.sleep(_POLL_S)
        return job.result()

    def _hold(self, busy: bool) -> None:
        self._busy = self.typed_state.data.running = busy
        self.typed_state.data.percent = 0
        self.typed_state.data.message = ""
        self._hold_clicks()

    def _hold_clicks(self) -> None:
        """Let clicks wait also in a correction that began while the job ran."""
        if self._workspace.correction is not None:
            self._workspace.correction.busy = self._busy
