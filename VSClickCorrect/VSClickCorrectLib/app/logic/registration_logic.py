"""The T2 where the T1ce is: how well they match, and registering them in a child process."""

from __future__ import annotations

from dataclasses import dataclass

from trame_server import Server
from trame_server.utils.typed_state import TypedState

from VSClickCorrectLib.app.logic.running_logic import RunningLogic
from VSClickCorrectLib.app.opened_case import ShownCase
from VSClickCorrectLib.app.status import Status
from VSClickCorrectLib.app.workspace import Workspace
from VSClickCorrectLib.datasets.registration import Registration
from VSClickCorrectLib.inference.networks import Networks
from VSClickCorrectLib.jobs.job import Job
from VSClickCorrectLib.mrml.registration import agreement, register_t2, take_back_registration
from VSClickCorrectLib.mrml.volumes import grid_of, volume_of


@dataclass
class RegistrationState:
    """What the page knows of it.

    Registering is offered where T1ce and T2 lie on grids of their own. Once it helped, ``done`` is set, and
    ``moved`` says whether the T2 is shown as registered or as it came.
    """

    offered: bool = False
    done: bool = False
    moved: bool = False
    sentence: str = ""


class RegistrationLogic:
    """Registers the open case's T2, and shows it as registered or as it came.

    Parameters
    ----------
    server : Server
        Its state holds `RegistrationState`.
    workspace : Workspace
        The case.
    running : RunningLogic
        Runs the registration.
    status : Status
        Told how it ended.
    """

    def __init__(self, server: Server, workspace: Workspace, running: RunningLogic, status: Status) -> None:
        self._workspace = workspace
        self._running = running
        self._status = status
        self._nodes: ShownCase | None = None
        self._found: Registration | None = None
        self._networks: Networks | None = None
        self._moved = False
        self.typed_state = TypedState(server.state, RegistrationState)
        self.typed_state.bind_changes({self.typed_state.name.moved: self._on_moved})
        workspace.settled.connect(self._look)

    def register(self) -> None:
        """Register the T2 to the T1ce; no voxel of it is resampled."""
        self._running.start(self._begun, self._registered)

    def _begun(self) -> Job[Registration]:
        self._status.say("Registering the T2 to the T1ce …")
        nodes = self._workspace.case
        return Job.start_registration(volume_of(nodes.t1ce), volume_of(nodes.t2))

    def _look(self) -> None:
        """Say how well the sequences of a case that was opened match."""
        nodes = self._workspace.nodes
        if nodes is None or nodes is self._nodes:
            return
        self._nodes, self._found, self._moved, data = nodes, None, False, self.typed_state.data
        data.done = data.moved = False
        both = nodes.t1ce is not None and nodes.t2 is not None
        data.offered = both and not grid_of(nodes.t1ce).matches(grid_of(nodes.t2))
        data.sentence = agreement(nodes.t1ce, nodes.t2).sentence if data.offered else ""

    def _registered(self, found: Registration, networks: Networks) -> None:
        data = self.typed_state.data
        if not found.improved:
            data.sentence = "The T2 lay as well before; it was left where it is."
            self._status.say(data.sentence)
            return
        self._found, self._networks = found, networks
        data.sentence = (
            f"Moved by {found.translation_mm:.1f} mm and turned by {found.rotation_degrees:.1f}°; "
            f"mutual information {found.nmi_before:.3f} before, {found.nmi_after:.3f} after."
        )
        data.done = data.moved = True
        self._show(True)
        self._status.say("The T2 lies on the T1ce now; compare both, and switch it off if it is worse.")

    def _on_moved(self, moved: bool) -> None:
        with self._status.reporting():
            self._show(moved)

    def _show(self, moved: bool) -> None:
        """Lay the T2 as it was registered or as it came, and correct on it there; clicks stay."""
        if self._found is None or self._networks is None or moved == self._moved:
            return
        t2, self._moved = self._workspace.case.t2, moved
        take_back_registration(t2)
        if moved:
            register_t2(t2, self._found)
        self._workspace.correct(self._networks)
