"""What is being corrected: the volumes and the segment that are chosen, and the correction of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.errors import CorrectionError, ImageError, VSClickError
from VSClickCorrectLib.mrml.begin_correction import correct_segment
from VSClickCorrectLib.mrml.case_nodes import CaseNodes, Segment
from VSClickCorrectLib.mrml.click_mode import ClickMode
from VSClickCorrectLib.mrml.i18n import tr as _
from VSClickCorrectLib.mrml.persistence import stored_journal
from VSClickCorrectLib.mrml.scene_session import SceneSession
from VSClickCorrectLib.mrml.segment_correction import SceneCorrection
from VSClickCorrectLib.session.correction import CorrectionSession, Proposer
from VSClickCorrectLib.session.edit import Edit
from VSClickCorrectLib.workflow.correction_settings import CorrectionSettings
from VSClickCorrectLib.workflow.host import Host, telling
from VSClickCorrectLib.workflow.loaded_networks import LoadedNetworks
from VSClickCorrectLib.workflow.observable import Signal
from VSClickCorrectLib.workflow.opened_case import JournalPlace, OpenedCase
from VSClickCorrectLib.workflow.origin import Origin

# What may follow a click once the views have drawn it.
SETTLE_S = 0.3
READY = _("Ready; click where the tumour's true border runs, or choose another kind of click.")
WAITING = _("Clicks that wait: {count}; apply them together, or take them back.")
EMPTY = _("Ready; the mask is empty: find the tumour, or place an include click inside it.")

Volumes = tuple[Any, Any]


class Workbench:
    """Has one segment at a time corrected, of volumes that are chosen or of a case that is opened.

    Parameters
    ----------
    host : Host
        The window.
    networks : LoadedNetworks
        What corrects.
    show : callable
        Adds a case's nodes to the scene, as the window shows them.

    Attributes
    ----------
    volumes : tuple of vtkMRMLScalarVolumeNode or None
        The T1ce and the T2.
    segment : tuple of vtkMRMLSegmentationNode or None, and str
        The segmentation and the segment's ID in it.
    mode : ClickMode
        How the clicks to come are taken.
    settings : CorrectionSettings
        How the networks' proposals are used.
    nodes : CaseNodes or None
        The case that is open, if the volumes are not somebody else's.
    origin : Origin
        Where its images are from.
    journal : JournalPlace
        Where its journal is kept beside the scene, if anywhere.
    correction : SceneCorrection or None
        The correction under way.
    last_edit : Edit or None
        What the last click changed, until it is taken back.
    """

    def __init__(self, host: Host, networks: LoadedNetworks, show: Callable[[OpenedCase], CaseNodes]) -> None:
        self._host, self._show, self.networks = host, show, networks
        self.volumes: Volumes = (None, None)
        self.segment: Segment = (None, "")
        self.settings = CorrectionSettings()
        self.nodes: CaseNodes | None = None
        self.origin = Origin()
        self.correction: SceneCorrection | None = None
        self.last_edit: Edit | None = None
        self.mode = ClickMode(self._change)
        self._away = self._goes_on = self._settling = self._presents = False
        self.journal = JournalPlace()
        self._resting: SceneCorrection | None = None
        self._target: tuple | None = None
        self._turn = 0
        # Other volumes or another segment are chosen; a case was opened, or begins anew with another mask.
        self.chosen, self.opened = Signal(), Signal()
        # The open case is about to begin anew, about to go, or gone; a correction began, or is about to end.
        self.restarting, self.closing, self.closed = Signal(), Signal(), Signal()
        self.begun, self.stopping = Signal(), Signal()
        # A mask that is new lies there to be corrected: views should go to it and take clicks.
        self.presented = Signal()
        # A click changed the mask; anything may have changed; that, once the views have drawn it.
        self.edited, self.changed, self.settled = Signal(), Signal(), Signal()

    @property
    def under_way(self) -> SceneCorrection:
        """The correction under way; raises `CorrectionError` if there is none."""
        if self.correction is None:
            raise CorrectionError(
                _("no segment is being corrected; find the tumour or choose a segment to correct.")
            )
        return self.correction

    @property
    def session(self) -> CorrectionSession:
        """The session of the correction under way; raises as `under_way`."""
        return self.under_way.session

    @property
    def case(self) -> CaseNodes:
        """The nodes of the open case; raises `ImageError` if no case is open."""
        if self.nodes is None:
            raise ImageError(_("no case is open; open one first."))
        return self.nodes

    @property
    def reference(self) -> Any:
        """The volume whose grid counts, None if none is chosen."""
        return self.volumes[0] or self.volumes[1]

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing to correct yet: no segment, or an empty one as it was opened."""
        if self.segment[0] is None or self.correction is None:
            return self.segment[0] is None
        try:
            return not self.session.history.done and self.session.mask.extent() is None
        except VSClickError:
            # Its image was moved, for instance, of which whoever uses it is told.
            return False

    def open(self, case: OpenedCase, journal: JournalPlace | None = None) -> None:
        """Take a case in place of the one that is open, and choose its volumes and its segment.

        Parameters
        ----------
        case : OpenedCase
            The case to open.
        journal : JournalPlace, optional
            The file of its journal, which may hold earlier work; else the journal is kept in the scene alone.

        Raises
        ------
        ImageError
            If its sequences cannot be used together; the case before then stays open.
        """
        case.checked()
        self.close()
        self.nodes, self.origin = self._show(case), case.origin
        self.journal = journal or JournalPlace()
        self._choose_own(self.nodes)

    def restart(self, values: np.ndarray) -> None:
        """Begin anew with another mask of the open case, ``(K, J, I)`` bool on its grid."""
        nodes = self.case
        # What was painted last belongs to the journal that is set aside.
        self.stop()
        self.restarting.emit()
        nodes.put_mask(values)
        self._choose_own(nodes)

    async def choose(self, volumes: Volumes, segment: Segment, settings: CorrectionSettings) -> None:
        """Choose anew; the correction under way goes on with it, or stops where it cannot be corrected."""
        others = (volumes, segment) != (self.volumes, self.segment)
        self.volumes, self.segment, self.settings = volumes, segment, settings
        if others:
            self.chosen.emit()
        self._change()
        await self.follow()

    def choose_segment(self, segmentation: Any, segment_id: str) -> None:
        """Make a segment the one to correct."""
        self.stop()
        self.segment = segmentation, segment_id
        self.chosen.emit()
        self._change()

    async def begin(self) -> None:
        """Correct the chosen segment from now on; earlier clicks on it can be undone.

        Raises
        ------
        VSClickError
            If volumes, segment, journal or models cannot be used; nothing is corrected then.
        """
        self.stop()
        self.check_own()
        if self._away:
            self._goes_on = True
            return
        turn = self._turn
        await self.journal.ask(self.segment, self.reference, self._host)
        corrector = await self.networks.load()
        with self._host.waiting():
            # Something else may have been begun meanwhile.
            if turn != self._turn:
                return
            self._begin(corrector)
        self.begun.emit()
        self._change()

    async def correct(self) -> None:
        """Begin, lead to the mask, and say what to do."""
        await self.begin()
        self._presents = True
        self._arrive()

    def present(self) -> None:
        """Lead to the mask, which is new, as soon as it is being corrected."""
        self._presents = True
        self._present()

    async def take_up(self) -> None:
        """Go on with the chosen segment if clicks on it are kept with it in the scene, as after loading."""
        idle = self.correction is None and not self._away
        if idle and self.reference is not None and stored_journal(*self.segment):
            await self.correct()

    async def follow(self) -> None:
        """Let the correction under way go on with the networks, volumes and segment that are chosen now."""
        if self.correction is None or self._target == self._described():
            return
        with telling(self._host):
            await self.begin()

    def follow_images(self) -> None:
        """Let the correction under way go on with the images where they lie now, and say if it cannot."""
        if self.correction is not None:
            with telling(self._host):
                cast(SceneSession, self.session).follow_images()
        self._change()

    def rest(self) -> None:
        """Take no clicks until `resume`; what is painted in the segment is still written down."""
        resting = self.correction
        if resting is not None:
            self.stopping.emit()
            resting.rest()
            self.correction = None
        self.stop()
        self._resting, self._away, self._goes_on = resting, True, resting is not None

    async def resume(self) -> None:
        """Go on where `rest` stopped."""
        goes_on, self._goes_on, self._away = self._goes_on, False, False
        if goes_on and self.segment[0] is not None:
            await self.begin()
            self._arrive()
        else:
            self.stop()

    def check_there(self) -> None:
        """Stop if the segment that is corrected, or the volume that gives its grid, was deleted; say so."""
        correction = self.correction or self._resting
        try:
            if correction is not None:
                correction.session.mask.extent()
        except VSClickError as error:
            self.stop()
            self._host.fail(error)

    def stop(self) -> None:
        """Leave the segment alone; what was done stays, and can be undone after the next `begin`."""
        self._turn += 1
        if self.correction is not None:
            self.stopping.emit()
        for correction in filter(None, (self.correction, self._resting)):
            correction.close()
            # They would lie over whatever is looked at next.
            correction.markers_visible = False
        self.correction = self._resting = self._target = self.last_edit = None
        self._change()

    def close(self) -> None:
        """Take the open case, and the segment that is corrected on it, out of the scene."""
        self.stop()
        if self.nodes is None:
            return
        self.closing.emit()
        nodes, chosen = self.nodes, self.segment[0]
        self._forget_case()
        nodes.remove(chosen if nodes.has_segmentation(chosen) else None)
        # The next case begins as this one did.
        self.mode.kind = ClickKind.BOUNDARY
        self.chosen.emit()
        self.closed.emit()

    def forget(self) -> None:
        """Let go of a scene that is being closed."""
        self.closing.emit()
        self.stop()
        self._forget_case()
        self._goes_on = False

    def check_own(self) -> None:
        """Raise `WorklistError` if a case is open and volumes or segment that are chosen are not its own."""
        if self.nodes is not None:
            self.nodes.check_volumes(self.volumes)
            self.nodes.check_segmentation(self.segment[0])
            self.journal.check(self.segment, self.nodes.name)

    @property
    def what_to_do(self) -> str:
        """What to do with the segment that is corrected; raises as `under_way`."""
        return READY if self.session.mask.extent() is not None else EMPTY

    def values(self) -> np.ndarray:
        """Return the whole segment; raises as `under_way` and `CorrectionSession.values`."""
        return self.session.values()

    def tell(self, sentence: str) -> None:
        """Say what was made of the mask, and that clicks which wait are not in it; raises as `under_way`."""
        waiting = len(self.under_way.pending)
        note = _("Clicks that wait are not in it: {count}; apply them first.").format(count=waiting)
        self._host.say(f"{sentence} {note}" if waiting else sentence)

    def settle(self) -> None:
        """Let what waits for the views follow now: measurements and worklist."""
        if self._settling:
            self._settling = False
            self.settled.emit()

    def _forget_case(self) -> None:
        self.nodes, self.origin, self.journal = None, Origin(), JournalPlace()
        self.volumes, self.segment = (None, None), (None, "")

    def _choose_own(self, nodes: CaseNodes) -> None:
        self.volumes, self.segment = nodes.volumes, nodes.segment or (None, "")
        self.journal.segment = nodes.segment
        self.chosen.emit()
        self.opened.emit()
        self._change()

    def _begin(self, corrector: Proposer) -> None:
        correction = correct_segment(
            self.volumes,
            self.segment,
            self.settings.adjust(corrector),
            self.networks.initial_proposer,
            self.journal.path_for(self.segment, self.volumes),
            self.settings.merge,
            self.journal.guard,
            on_edit=self._on_edit,
            on_error=self._on_error,
            on_change=self._change,
            later=lambda action: self._host.later(0.0, action),
            mode=self.mode,
        )
        self.correction, self._target = correction, self._described()
        # The network sees this image once, which prepares what every click needs of it.
        session = correction.session
        session.corrector.propose(session.case, session.mask, [Click(tuple(session.case.grid.center_ras))])

    def _described(self) -> tuple:
        return self.volumes, self.segment, self.settings, self.networks.choice

    def _present(self) -> None:
        if self._presents and self.correction is not None:
            self._presents = False
            self.presented.emit()

    def _arrive(self) -> None:
        """Lead to a mask that is new, and say what to do."""
        self._present()
        if self.correction is not None:
            waiting = len(self.correction.pending)
            self._host.say(WAITING.format(count=waiting) if waiting else self.what_to_do)

    def _change(self) -> None:
        self.changed.emit()
        if not self._settling:
            self._settling = True
            self._host.later(SETTLE_S, self.settle)

    def _on_edit(self, edit: Edit) -> None:
        self.last_edit = edit
        done = _("{edit}, in {time:.0f} ms.").format(edit=edit.description, time=edit.milliseconds)
        self._host.say(f"{done} {edit.remark}".strip())
        self.edited.emit(edit)

    def _on_error(self, error: VSClickError) -> None:
        if any(one is not None and one.ended for one in (self.correction, self._resting)):
            self.stop()
        self._host.fail(error)
        self._change()
