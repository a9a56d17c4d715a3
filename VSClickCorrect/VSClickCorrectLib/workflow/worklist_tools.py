"""Many cases, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from VSClickCorrectLib.errors import ImageError, LockLostError, VSClickError, WorklistError, as_sentence
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.inference.initial_mask import InitialMask
from VSClickCorrectLib.mrml.i18n import tr as _
from VSClickCorrectLib.mrml.volumes import grid_of
from VSClickCorrectLib.workflow.correction import Workbench
from VSClickCorrectLib.workflow.doubts import question_about, question_without
from VSClickCorrectLib.workflow.host import Host
from VSClickCorrectLib.workflow.initial_mask import InitialMaskFinder
from VSClickCorrectLib.workflow.just_shown import JustShown
from VSClickCorrectLib.workflow.leaving import gives_up, may_remove_beside, taken
from VSClickCorrectLib.workflow.measuring import Measurer
from VSClickCorrectLib.workflow.observable import Signal
from VSClickCorrectLib.workflow.opened_case import JournalPlace, OpenedCase
from VSClickCorrectLib.workflow.reading_work import read_work
from VSClickCorrectLib.workflow.recording import CaseRecorder
from VSClickCorrectLib.worklist.overview import Progress, Row

if TYPE_CHECKING:
    from VSClickCorrectLib.worklist.work_case import WorkCase
    from VSClickCorrectLib.worklist.worklist import Worklist


BEAT_S = 10.0
Step = Callable[[], "WorkCase | None"]
Question = Callable[[str, np.ndarray, Grid], str]


@dataclass
class _Way:
    """What happened on the way to another case: which cases were tried, and what is to be said of it."""

    tried: list[WorkCase] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def told(self, sentence: str) -> str:
        """Return a sentence, after what is to be said before."""
        return " ".join((*self.reasons, sentence))


class WorklistFlow:
    """Opens cases, keeps what is done on them and goes on to the next.

    A verb that is called while another one is opening a case does nothing.

    Parameters
    ----------
    host : Host
        The window.
    workbench : Workbench
        Corrects the open case.
    measurer : Measurer
        For the volume.
    initial : InitialMaskFinder
        Takes masks that were made ahead.

    Attributes
    ----------
    worklist : Worklist or None
        The worklist that is open.
    busy : bool
        Whether a case is being opened.
    comment : str
        The reader's comment on the open case; kept by `keep_comment` and whatever leaves the case.
    """

    def __init__(
        self, host: Host, workbench: Workbench, measurer: Measurer, initial: InitialMaskFinder
    ) -> None:
        self._host, self._workbench, self._initial = host, workbench, initial
        self.worklist: Worklist | None = None
        self.busy = False
        self.comment = ""
        self._just_shown = JustShown()
        # Looking them up asks for every case's file, too often for a click.
        self._rows: list[Row] = []
        self._recorder = CaseRecorder(host, workbench, measurer, initial, self._look)
        self.changed = Signal()
        workbench.restarting.connect(self._start_over)
        initial.kept = lambda: self.current is not None and self._listed().store.keeps(self.current.label)

    @property
    def current(self) -> WorkCase | None:
        """The case that is open."""
        return self.worklist.current if self.worklist is not None else None

    @property
    def rows(self) -> list[Row]:
        """All cases with their states, as they were when a case was opened or closed last."""
        return self._rows

    @property
    def progress(self) -> Progress:
        """How far the worklist is, likewise."""
        return Progress(self._rows)

    async def begin(self, worklist: Worklist) -> None:
        """Open the case where the annotator stopped, in place of what is open."""
        if not await self.leave():
            return
        self.worklist = worklist
        self._host.later(BEAT_S, lambda: self._beat(worklist))
        with self._occupied():
            await self._go(worklist.resume)

    async def next(self) -> None:
        """Keep the mask and go to the next case that waits."""
        await self._move(lambda worklist: worklist.next)

    async def previous(self) -> None:
        """Keep the mask and go to the case before."""
        await self._move(lambda worklist: worklist.previous)

    async def go_to(self, name: str) -> None:
        """Keep the mask and go to a case, whatever its state; that of somebody else only after a question."""
        worklist = self._listed()
        if self.busy:
            return
        with self._occupied():
            if await self._let_go():
                case = await taken(self._host, worklist, name)
                if case is not None:
                    await self._open(worklist, case)

    async def skip(self) -> None:
        """Leave the case out, for the reason in the comment, and go on."""
        await self._finish(self._skip)

    async def done(self) -> None:
        """Write the label and go on; a mask that is hardly a tumour's only after a question."""
        await self._finish(self._write_label, question_about)

    async def no_tumour(self) -> None:
        """Label the case as one without a tumour and go on; a mask that it has is asked about."""
        await self._finish(self._write_nothing, question_without)

    async def take(self, name: str, initial: InitialMask) -> None:
        """Begin with the initial mask of a case, if it is open and still has none."""
        if self.worklist is None or self.current is None or self.current.name != name or self.busy:
            return
        if self._workbench.is_blank and not self.worklist.opened.decided:
            await self._offer(self.worklist, initial)

    async def leave(self) -> bool:
        """Keep the mask and close the worklist's case; return whether that was done."""
        if not await self._let_go():
            return False
        if self.worklist is not None:
            self.worklist.close()
            self._workbench.close()
            self._look()
        return True

    def close(self) -> None:
        """Keep the mask and close the worklist; what is shown stays as it is."""
        worklist = self.worklist
        if worklist is not None:
            try:
                self._keep()
            finally:
                self.worklist, self._rows = None, []
                self._recorder.follow(None)
                worklist.close()
                self.changed.emit()

    def keep_comment(self) -> None:
        """Write the comment down, if it is another one."""
        worklist, case = self.worklist, self.current
        if worklist is not None and case is not None and self.comment != worklist.record(case.name).comment:
            worklist.update(comment=self.comment)

    def work(self) -> None:
        """Note a sign of work; costs nothing."""
        if self.worklist is not None:
            self.worklist.work()

    def _listed(self) -> Worklist:
        if self.worklist is None:
            raise WorklistError(_("no worklist is open; open one first."))
        return self.worklist

    def _opened(self) -> Worklist:
        worklist = self._listed()
        self._just_shown.check(worklist.current)
        return worklist

    async def _move(self, direction: Callable[[Worklist], Step]) -> None:
        worklist = self._listed()
        if self.busy:
            return
        with self._occupied():
            if await self._let_go():
                await self._go(direction(worklist))

    def _skip(self, worklist: Worklist) -> None:
        self._keep()
        worklist.skip(self.comment)

    def _write_label(self, worklist: Worklist) -> None:
        self._note()
        worklist.done(*self._mask(), self._recorder.models)

    def _write_nothing(self, worklist: Worklist) -> None:
        self._note()
        values, grid, source = self._mask()
        worklist.done(np.zeros_like(values), grid, source, self._recorder.models)

    async def _agreed(self, question_of: Question) -> bool:
        values, grid, case = self._mask()
        question = question_of(case, values, grid)
        agreed = not question or await self._host.confirm(question)
        # A search that was begun before may have found another one.
        if question and agreed and not np.array_equal(self._mask()[0], values):
            raise WorklistError(_("the mask was changed while you were asked about it; look at it first."))
        return agreed

    async def _finish(self, finish: Callable[[Worklist], None], question_of: Question | None = None) -> None:
        worklist = self._opened()
        if self.busy:
            return
        with self._occupied():
            if question_of is not None and not await self._agreed(question_of):
                return
            if not await may_remove_beside(self._host, self._workbench):
                return
            try:
                finish(worklist)
            except LockLostError as lost:
                if not await gives_up(self._host, lost):
                    return
                worklist.close()
            self._workbench.close()
            await self._go(worklist.next, _Way(reasons=[worklist.remark] if worklist.remark else []))

    async def _go(self, step: Step, way: _Way | None = None) -> None:
        """Open the case to which a step leads; past those that cannot be read, it is taken again."""
        worklist, way = self._listed(), way or _Way()
        before = worklist.current
        while (case := step()) is not None and case not in way.tried:
            way.tried.append(case)
            opened = await self._load(worklist, case)
            if isinstance(opened, OpenedCase):
                await self._show(worklist, case, opened, way)
                return
            way.reasons.append(
                _("{error} Case {case} was passed over.").format(error=opened.sentence, case=case.name)
            )
        if case is not None:
            worklist.close()
        await self._stay(worklist, before, way)

    async def _stay(self, worklist: Worklist, before: WorkCase | None, way: _Way) -> None:
        """Say that there is no other case, and show the one before again if it had to be closed for that."""
        sentence = _("There is no other case in that direction.")
        if before is None:
            sentence = _("No case waits any more: {progress}.").format(progress=worklist.progress())
        elif worklist.current is not before:
            await self._open(worklist, worklist.go_to(before.name))
        self._host.say(way.told(sentence))

    async def _open(self, worklist: Worklist, case: WorkCase) -> None:
        """Read and show a case that the worklist has opened."""
        opened = await self._load(worklist, case)
        if not isinstance(opened, OpenedCase):
            raise opened
        await self._show(worklist, case, opened, _Way())

    async def _load(self, worklist: Worklist, case: WorkCase) -> OpenedCase | ImageError:
        """Read a case; one that cannot be read is given up, and why its images are of no use is returned."""
        known = self.comment = worklist.record(case.name).comment
        self._workbench.close()
        self._recorder.follow(worklist)
        self.changed.emit()
        self._host.say(_("Reading case {case} …").format(case=case.name))
        try:
            opened = await read_work(self._host, worklist, case, self._workbench.networks.choice)
        except VSClickError as error:
            worklist.give_up(error)
            if isinstance(error, ImageError) and error.lasting:
                return error
            raise
        # What was said of images that could not be read goes once they can be.
        if worklist.current is case and self.comment == known:
            self.comment = worklist.record(case.name).comment
        return opened

    async def _show(self, worklist: Worklist, case: WorkCase, opened: OpenedCase, way: _Way) -> None:
        # It may have been left while it was read.
        if worklist.current is not case:
            return
        way.reasons += [as_sentence(f"{r.rstrip('.')}.") for r in (worklist.opened.remark, case.remark) if r]
        self._workbench.open(opened, JournalPlace(worklist.opened.journal_path, worklist.opened.check_held))
        if opened.prepared is not None and self._host.has_packages():
            await self._offer(worklist, opened.prepared)
            if worklist.current is not case:
                return
            ready = _("Case {case} is ready. {found}").format(case=case.name, found=self._initial.sentence)
            self._host.say(way.told(opened.with_remarks(ready)))
            return
        if self._workbench.segment[0] is not None and self._host.has_packages():
            await self._workbench.begin()
        # It may have been left while networks were loaded, too.
        if worklist.current is not case:
            return
        self._workbench.present()
        sentence = _("Case {case} is ready; click where its border is wrong.")
        if opened.mask is None:
            sentence = _("Case {case} is ready; find the tumour.")
        elif not opened.mask.any():
            sentence = _(
                "Case {case} is ready; its mask is empty: find the tumour, or place an include click in it."
            )
        self._host.say(way.told(opened.with_remarks(sentence.format(case=case.name))))

    async def _offer(self, worklist: Worklist, initial: InitialMask) -> None:
        self._workbench.case.check_volumes(self._workbench.volumes)
        # First: while networks are loaded another case may be opened.
        worklist.opened.offer(initial.on(grid_of(self._workbench.reference)))
        await self._initial.use(initial, self._workbench.volumes)

    async def _let_go(self) -> bool:
        """Keep comment and mask before another case is opened; return whether to go on."""
        if not await may_remove_beside(self._host, self._workbench):
            return False
        try:
            self._keep()
        except LockLostError as lost:
            return await gives_up(self._host, lost)
        return True

    def _keep(self) -> None:
        """Keep comment and mask of the open case, painting by hand included."""
        worklist = self.worklist
        if worklist is not None and worklist.current is not None:
            self._note()
            nodes = self._workbench.nodes
            if self._workbench.correction is not None:
                worklist.opened.keep(*self._mask())
            elif nodes is not None and (mask := self._workbench.journal.kept(nodes.reference)) is not None:
                # It may be painted where nobody corrects it, without networks for instance.
                worklist.opened.keep(mask.read(mask.grid.box), mask.grid, nodes.name)

    def _note(self) -> None:
        """Write down now what else would follow soon: clicks, volume and comment."""
        self._workbench.settle()
        self.keep_comment()

    def _mask(self) -> tuple[np.ndarray, Grid, str]:
        """Return the open case's mask, which its journal gives back too, its grid and whose it is.

        A case that has no segment yet has an empty one.
        """
        workbench = self._workbench
        workbench.check_own()
        if workbench.segment[0] is None and workbench.nodes is not None:
            grid = grid_of(workbench.reference)
            return np.zeros(grid.shape, bool), grid, workbench.nodes.name
        workbench.under_way.note_painting()
        grid = workbench.session.case.grid
        return workbench.values(), grid, workbench.nodes.name if workbench.nodes else ""

    def _start_over(self) -> None:
        """Forget the journal of the open case: another mask takes the place of the one it tells of."""
        if self.worklist is not None and self.worklist.current is not None:
            self.worklist.opened.start_over(self._initial.found.models)
            self._recorder.follow(self.worklist)

    def _look(self) -> None:
        if self.worklist is not None:
            self._rows = self.worklist.rows()
        self.changed.emit()

    def _beat(self, worklist: Worklist) -> None:
        if self.worklist is worklist:
            self._host.later(BEAT_S, lambda: self._beat(worklist))
            worklist.heartbeat()

    @contextmanager
    def _occupied(self) -> Iterator[None]:
        self.busy = True
        self.changed.emit()
        try:
            yield
        finally:
            self.busy = False
            self._just_shown.note(self.current)
            self._look()
