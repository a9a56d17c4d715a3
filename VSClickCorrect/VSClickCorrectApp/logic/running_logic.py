"""What runs beside the page: the search for the tumour, or a registration."""

from __future__ import annotations

from dataclasses import dataclass

from trame_server import Server
from trame_server.utils.typed_state import TypedState
from VSClickCorrectLib.workflow.workflow import Workflow

from VSClickCorrectApp.page_host import PageHost


@dataclass
class RunningState:
    """Whether a case is open, what runs on it and how far, and how many candidates the last search found."""

    case: bool = False
    running: bool = False
    candidates: int = 0
    percent: int = 0
    message: str = ""


class RunningLogic:
    """Begins a job, shows how far it is, and cancels it.

    Parameters
    ----------
    server : Server
        Its state holds `RunningState`.
    host : PageHost
        Binds what the page calls.
    flow : Workflow
        What is done.
    """

    def __init__(self, server: Server, host: PageHost, flow: Workflow) -> None:
        self._jobs, self._workbench = flow.jobs, flow.workbench
        self._initial, self.cancel = flow.initial, host.bound(flow.jobs.cancel_by_user)
        self.find = host.bound_to_shown(flow.initial.find)
        # Who goes through candidates presses again before the next one is shown.
        self.next_candidate = host.bound(flow.initial.next_candidate)
        self.typed_state = TypedState(server.state, RunningState)
        flow.initial.changed.connect(self._update)
        flow.jobs.changed.connect(self._update)
        flow.workbench.opened.connect(self._update)
        flow.workbench.closed.connect(self._update)

    def _update(self) -> None:
        data = self.typed_state.data
        data.case = self._workbench.nodes is not None
        data.running, data.message = self._jobs.busy, self._jobs.message
        data.candidates = len(self._initial.found.candidates)
        data.percent = round(100 * self._jobs.fraction)
