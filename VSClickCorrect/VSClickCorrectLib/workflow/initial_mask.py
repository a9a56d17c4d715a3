"""Finding the tumour."""

from __future__ import annotations

from typing import Any

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.inference.initial_mask import InitialMask
from VSClickCorrectLib.jobs.job import Job
from VSClickCorrectLib.mrml.i18n import tr as _
from VSClickCorrectLib.mrml.initial import add_found_mask
from VSClickCorrectLib.mrml.volumes import case_of, grid_of
from VSClickCorrectLib.workflow.correction import Volumes, Workbench
from VSClickCorrectLib.workflow.host import Host
from VSClickCorrectLib.workflow.jobs import JobRunner


class InitialMaskFinder:
    """Segments the tumour beside the program, then begins to correct what was found.

    Parameters
    ----------
    host : Host
        The window.
    workbench : Workbench
        The volumes; it corrects what is found.
    jobs : JobRunner
        Runs the search.
    scene : vtkMRMLScene
        Where a segmentation goes.
    """

    def __init__(self, host: Host, workbench: Workbench, jobs: JobRunner, scene: Any) -> None:
        self._host, self._workbench, self._jobs, self._scene = host, workbench, jobs, scene

    async def find(self) -> None:
        """Look for the tumour; raises as `use`, or if the volumes cannot be used."""
        self._workbench.check_volumes()
        if not self._host.has_packages():
            return
        volumes, choice = self._workbench.volumes, self._workbench.networks.choice
        self._host.say(_("Looking for the tumour; you can go on looking at the images."))
        initial = await self._jobs.run(
            lambda: Job.start_segmentation(case_of(*volumes), choice.path, choice.device)
        )
        if initial is not None:
            await self.use(initial, volumes)

    async def use(self, initial: InitialMask, volumes: Volumes) -> None:
        """Correct what was found on these volumes; in an open case it takes the place of the mask.

        Raises
        ------
        ImageError, WorklistError
            If other volumes are chosen now.
        """
        workbench = self._workbench
        if workbench.volumes != volumes:
            raise ImageError(
                _("other volumes were chosen meanwhile, so the mask was not used; find it again.")
            )
        workbench.check_volumes()
        if workbench.nodes is not None:
            workbench.restart(initial.on(grid_of(workbench.reference)))
        else:
            name = _("Vestibular schwannoma")
            workbench.choose_segment(*add_found_mask(self._scene, volumes, initial, name))
        await workbench.begin()
        self._host.say(
            _("Found; click where its border is wrong.")
            if initial.found
            else _("No tumour was found; place an include click on it.")
        )
