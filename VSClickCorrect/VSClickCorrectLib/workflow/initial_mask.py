"""Finding the tumour."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from VSClickCorrectLib.errors import ImageError, VSClickError
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.found_text import found_text
from VSClickCorrectLib.inference.initial_mask import NOTHING, InitialMask
from VSClickCorrectLib.mrml.i18n import tr as _
from VSClickCorrectLib.mrml.initial import add_found_mask, put_away
from VSClickCorrectLib.mrml.volumes import case_of, grid_of, in_scene, lattice_of, volume_of
from VSClickCorrectLib.session.start_mask import fingerprint_of
from VSClickCorrectLib.workflow.correction import Volumes, Workbench
from VSClickCorrectLib.workflow.host import Host
from VSClickCorrectLib.workflow.jobs import JobRunner, job_class
from VSClickCorrectLib.workflow.leaving import segments_text
from VSClickCorrectLib.workflow.observable import Signal
from VSClickCorrectLib.workflow.unsaved import UnsavedWork
from VSClickCorrectLib.workflow.warm_search import WarmSearch


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
    unsaved : UnsavedWork
        Asks before a mask goes with its clicks.
    scene : vtkMRMLScene
        Where a segmentation goes.
    warm : WarmSearch
        Has a process ready.

    Attributes
    ----------
    found : InitialMask
        What was found last on the volumes that are chosen, with its candidates.
    shown : int
        The candidate that is corrected, from 1.
    """

    def __init__(
        self,
        host: Host,
        workbench: Workbench,
        jobs: JobRunner,
        unsaved: UnsavedWork,
        scene: Any,
        warm: WarmSearch,
    ) -> None:
        self._host, self._workbench, self._jobs, self._scene = host, workbench, jobs, scene
        self._unsaved, self._warm = unsaved, warm
        self._volumes: Volumes | None = None
        # The image on which it was found, whose voxels are meant.
        self._lattice: tuple = ()
        # The segmentation made last of each volume that is no case's.
        self._made: dict[Any, Any] = {}
        self.found, self.shown = NOTHING, 1
        self.changed = Signal()
        # Whether work on the open case is kept from another day; a worklist knows.
        self.kept: Callable[[], bool] = bool
        workbench.closing.connect(self._forget)

    @property
    def sentence(self) -> str:
        """What was found, in words."""
        return found_text(self.found, Case(volume_of(self._workbench.reference)), self.shown)

    async def find(self) -> None:
        """Look for the tumour; raises as `use`, or if the volumes cannot be used or are changed."""
        nodes = self._workbench.nodes
        if nodes is not None:
            nodes.check_volumes(self._workbench.volumes)
        # Outside of a case another mask is made beside the one that is corrected.
        if not self._host.has_packages() or (nodes is not None and not await self._may_replace()):
            return
        volumes, choice = self._workbench.volumes, self._workbench.networks.choice
        before, lattice = self._state(), lattice_of(self._workbench.reference)
        self._host.say(_("Looking for the tumour; you can go on looking at the images."))
        initial = await self._jobs.run(
            lambda: job_class().start_segmentation(case_of(*volumes), choice, self._warm.take())
        )
        if initial is not None and await self._may_replace_still(before):
            self._check_chosen(volumes)
            self._check_lattice(lattice)
            await self._take(initial, volumes)

    async def use(self, initial: InitialMask, volumes: Volumes) -> None:
        """Correct what was found on these volumes; in an open case it takes the place of the mask.

        Raises
        ------
        ImageError, WorklistError
            If other volumes are chosen now.
        """
        self._check_chosen(volumes)
        await self._take(initial, volumes)

    async def _take(self, initial: InitialMask, volumes: Volumes) -> None:
        self.found, self.shown, self._volumes = initial, 1, volumes
        self._lattice = lattice_of(self._workbench.reference)
        await self._correct(initial)

    async def next_candidate(self) -> None:
        """Correct the next candidate in place of the one that is shown; after the last comes the first."""
        workbench, count = self._workbench, len(self.found.candidates)
        if workbench.volumes != self._volumes or count < 2:
            self._host.say(_("There is no other candidate; place an include click inside the tumour."))
            return
        self._check_lattice(self._lattice)
        if not await self._may_replace():
            return
        self.shown = self.shown % count + 1
        await self._correct(self.found.candidates[self.shown - 1])

    def _check_chosen(self, volumes: Volumes) -> None:
        if self._workbench.volumes != volumes or not in_scene(*volumes):
            raise ImageError(
                _("other volumes were chosen meanwhile, or one removed, so the mask was not used; find anew.")
            )

    def _check_lattice(self, lattice: tuple) -> None:
        """Raise `ImageError` if the image on which something was found holds other voxels by now."""
        if lattice_of(self._workbench.reference) != lattice:
            raise ImageError(
                _("the image was changed since the search, so the mask was not used; find anew.")
            )

    async def _may_replace(self) -> bool:
        done = self._unsaved.work or (_("what was done on it before") if self.kept() else "")
        work = _(" and ").join(filter(None, [done, segments_text(self._beside())]))
        question = _("Another mask takes the place of this one, and its work goes with it: {work}. Go on?")
        return not work or await self._host.confirm(question.format(work=work))

    async def _may_replace_still(self, before: tuple[str, list[str]]) -> bool:
        """Ask before what was painted in an open case's mask while the tumour was looked for goes with it."""
        if self._state() == before:
            return True
        question = _(
            "The mask was changed while the tumour was looked for. What was found takes its place, and what "
            "was done goes with it. Go on?"
        )
        if await self._host.confirm(question):
            return True
        self._host.say(_("What was found was not used; the mask is as it was."))
        return False

    def _beside(self) -> list[str]:
        """Return the names of the segments that would go with the mask of the open case."""
        nodes = self._workbench.nodes
        return nodes.beside if nodes is not None else []

    def _state(self) -> tuple[str, list[str]]:
        """Tell one state of what goes with the open case's mask from another."""
        nodes = self._workbench.nodes
        try:
            mask = fingerprint_of(nodes.mask) if nodes is not None else ""
        except VSClickError:
            mask = ""
        return mask, self._beside()

    async def _correct(self, candidate: InitialMask) -> None:
        workbench = self._workbench
        if workbench.nodes is not None:
            workbench.nodes.check_volumes(workbench.volumes)
            workbench.restart(candidate.on(grid_of(workbench.reference)))
        else:
            segment = add_found_mask(self._scene, workbench.reference, candidate, _("Vestibular schwannoma"))
            # Those of other volumes, an earlier examination for instance, are none of it.
            before = self._made.get(workbench.reference)
            self._made[workbench.reference] = segment[0]
            workbench.choose_segment(*segment)
            put_away(before)
        segment = workbench.segment
        await workbench.begin()
        # While networks were loaded the case may have been left.
        if workbench.segment != segment:
            return
        workbench.present()
        self.changed.emit()
        self._host.say(self.sentence)

    def _forget(self) -> None:
        self.found, self.shown, self._volumes, self._made = NOTHING, 1, None, {}
        self.changed.emit()
