"""Everything that a window does, made once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from VSClickCorrectLib.inference.manifest import Choice
from VSClickCorrectLib.mrml.belongings import Orphans
from VSClickCorrectLib.mrml.case_nodes import CaseNodes
from VSClickCorrectLib.workflow.click_tools import ClickTools
from VSClickCorrectLib.workflow.correction import Workbench
from VSClickCorrectLib.workflow.follow_up import FollowUpComparison
from VSClickCorrectLib.workflow.host import Host
from VSClickCorrectLib.workflow.initial_mask import InitialMaskFinder
from VSClickCorrectLib.workflow.jobs import JobRunner
from VSClickCorrectLib.workflow.learning import Learning
from VSClickCorrectLib.workflow.loaded_networks import LoadedNetworks
from VSClickCorrectLib.workflow.masks_ahead import MasksAhead
from VSClickCorrectLib.workflow.measuring import Measurer
from VSClickCorrectLib.workflow.next_place import NextPlace
from VSClickCorrectLib.workflow.opened_case import OpenedCase
from VSClickCorrectLib.workflow.t2_registration import T2Registration
from VSClickCorrectLib.workflow.tumour_parts import TumourParts
from VSClickCorrectLib.workflow.unsaved import UnsavedWork
from VSClickCorrectLib.workflow.warm_search import WarmSearch
from VSClickCorrectLib.workflow.worklist_tools import WorklistFlow


class Workflow:
    """The parts of the workflow, over one scene.

    Parameters
    ----------
    host : Host
        The window.
    scene : vtkMRMLScene
        What is worked on.
    show : callable
        Adds a case's nodes to the scene, as the window shows them.
    choice : Choice, optional
        Which networks.
    """

    def __init__(
        self, host: Host, scene: Any, show: Callable[[OpenedCase], CaseNodes], choice: Choice | None = None
    ) -> None:
        self.host = host
        self.networks = LoadedNetworks(host, choice)
        self.workbench = Workbench(host, self.networks, show)
        orphans = Orphans(scene, lambda action: host.later(0.0, action), self.workbench.check_there)
        self.workbench.begun.connect(lambda: orphans.watch(*self.workbench.segment))
        self.clicks = ClickTools(host, self.workbench, scene)
        self.jobs = JobRunner(host, self.workbench)
        self.unsaved = UnsavedWork(host, self.workbench)
        self.warm = WarmSearch(host, self.workbench, self.jobs)
        self.initial = InitialMaskFinder(host, self.workbench, self.jobs, self.unsaved, scene, self.warm)
        self.next_place = NextPlace(host, self.workbench, self.jobs, scene)
        self.parts = TumourParts(host, self.workbench)
        self.registration = T2Registration(host, self.workbench, self.jobs)
        self.follow_up = FollowUpComparison(host, self.workbench, self.jobs)
        # Before the worklist, which records what was measured.
        self.measurer = Measurer(host, self.workbench)
        self.worklist = WorklistFlow(host, self.workbench, self.measurer, self.initial)
        self.ahead = MasksAhead(host, self.workbench, self.jobs, self.worklist)
        self.learning = Learning(host, self.workbench, self.worklist)
