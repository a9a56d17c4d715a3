"""The initial mask, found in a child process."""

from __future__ import annotations

from VSClickCorrectLib.app.logic.running_logic import RunningLogic
from VSClickCorrectLib.app.models import LazyNetworks
from VSClickCorrectLib.app.status import Status
from VSClickCorrectLib.app.workspace import Workspace
from VSClickCorrectLib.inference.initial import InitialMask
from VSClickCorrectLib.inference.networks import Networks
from VSClickCorrectLib.jobs.job import Job
from VSClickCorrectLib.mrml.volumes import case_of


class InitialLogic:
    """Finds the tumour beside the page.

    Parameters
    ----------
    workspace : Workspace
        The case.
    running : RunningLogic
        Runs the search.
    networks : LazyNetworks
        Where the models are.
    status : Status
        Told how it ended.
    """

    def __init__(
        self, workspace: Workspace, running: RunningLogic, networks: LazyNetworks, status: Status
    ) -> None:
        self._workspace = workspace
        self._running = running
        self._networks = networks
        self._status = status

    def find(self) -> None:
        """Replace the open case's mask by the one that the networks find."""
        self._running.start(self._begun, self._found)

    def _begun(self) -> Job[InitialMask]:
        self._status.say("Looking for the tumour …")
        case, folder = case_of(*self._workspace.case.volumes), self._networks.folder.folder
        return Job.start_segmentation(case, folder, self._networks.device)

    def _found(self, initial: InitialMask, networks: Networks) -> None:
        self._workspace.restart(initial.on(self._workspace.case.mask.grid))
        self._workspace.correct(networks)
        found = "Found; click where its border is wrong." if initial.found else None
        self._status.say(found or "No tumour was found; place an include click on it.")
