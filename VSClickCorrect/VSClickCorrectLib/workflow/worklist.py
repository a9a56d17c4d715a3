"""Many cases, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from VSClickCorrectLib.errors import (
    CaseLost,
    CaseTaken,
    ImageError,
    Unreadable,
    VSClickError,
    WorklistError,
    enough_memory,
)
from VSClickCorrectLib.imaging.grid import Grid
from VSClickCorrectLib.mrml.i18n import tr as _
from VSClickCorrectLib.workflow.correction import JournalFile, Workbench
from VSClickCorrectLib.workflow.host import Host
from VSClickCorrectLib.workflow.measuring import Measurer
from VSClickCorrectLib.workflow.observable import Signal
from VSClickCorrectLib.workflow.opened_case import OpenedCase
from VSClickCorrectLib.workflow.origin import Origin
from VSClickCorrectLib.worklist.overview import Progress, Row
from VSClickCorrectLib.worklist.records import CaseState
from VSClickCorrectLib.worklist.work_case import WorkCase
from VSClickCorrectLib.worklist.worklist import Worklist

BEAT_S = 10.0
Step = Callable[[], WorkCase | None]


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

    Attributes
    ----------
    worklist : Worklist or None
        The worklist that is open.
    busy : bool
        Whether a case is being opened.
    comment : str
        The reader's comment on the open case; kept by `keep_comment` and whatever leaves the case.
    """

    def __init__(self, host: Host, workbench: Workbench, measurer: Measurer) -> None:
        self._host, self._workbench, self._measurer = host, workbench, measurer
        self.worklist: Worklist | None = None
        self.busy = False
        self.comment = ""
        # Looking them up asks for every case's file, too often for a click.
        self._rows: list[Row] = []
        # Clicks, round and volume as the worklist was told last.
        self._known: tuple[int, int, float | None] = (0, 1, None)
        self.changed = Signal()
        workbench.begun.connect(self._on_begun)
        workbench.restarting.connect(self._start_over)
        workbench.changed.connect(self._reopen)
        workbench.settled.connect(self._record)

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
        return Progress.of(self._rows)

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
                case = await self._taken(worklist, name)
                if case is not None:
                    await self._open(worklist, case)

    async def skip(self) -> None:
        """Leave the case out, for the reason in the comment, and go on."""
        await self._finish(self._skip)

    async def done(self) -> None:
        """Write the label and go on."""
        await self._finish(self._write_label)

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
                worklist.close()
                self.changed.emit()

    def keep_comment(self) -> None:
        """Write the comment down."""
        if self.worklist is not None and self.worklist.current is not None:
            self.worklist.update(comment=self.comment)

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
        if worklist.current is None:
            raise WorklistError(_("no case is open; choose one of the list."))
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
        self._note(worklist)
        worklist.done(*self._mask())

    async def _finish(self, finish: Callable[[Worklist], None]) -> None:
        worklist = self._opened()
        if self.busy:
            return
        with self._occupied():
            try:
                finish(worklist)
            except CaseLost as lost:
                if not await self._gives_up(lost):
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
        self.comment = worklist.record(case.name).comment
        self._workbench.close()
        self.changed.emit()
        self._host.say(_("Reading case {case} …").format(case=case.name))
        try:
            return await self._host.background(lambda: _read(worklist, case))
        except VSClickError as error:
            worklist.give_up(error)
            if isinstance(error, ImageError) and not isinstance(error, Unreadable):
                return error
            raise

    async def _show(self, worklist: Worklist, case: WorkCase, opened: OpenedCase, way: _Way) -> None:
        # It may have been left while it was read.
        if worklist.current is not case:
            return
        self._workbench.open(opened, JournalFile(worklist.journal_path, worklist.journal_guard))
        if self._workbench.segment[0] is not None and self._host.has_packages():
            await self._workbench.begin()
        sentence = (
            _("Case {case} is ready; correct the segment.")
            if opened.mask is not None
            else _("Case {case} is ready; find the tumour.")
        )
        self._host.say(way.told(opened.with_remarks(sentence.format(case=case.name))))

    async def _taken(self, worklist: Worklist, name: str) -> WorkCase | None:
        try:
            return worklist.go_to(name)
        except CaseTaken as taken:
            question = _(
                "Case {case} is open with {holder}. Take it over? What they did until now is kept; what they "
                "go on to do is not."
            )
            if not await self._host.confirm(question.format(case=taken.case, holder=taken.holder)):
                return None
            return worklist.go_to(name, take_over=True)

    async def _let_go(self) -> bool:
        """Keep comment and mask before another case is opened; return whether to go on."""
        try:
            self._keep()
        except CaseLost as lost:
            return await self._gives_up(lost)
        return True

    async def _gives_up(self, lost: CaseLost) -> bool:
        """Ask whether to leave a case that somebody else has taken over."""
        question = _(
            "{error} Leave it? What was done since then is in this window alone; to keep it, cancel and save "
            "the segment to a file first."
        )
        return await self._host.confirm(question.format(error=lost.sentence))

    def _keep(self) -> None:
        """Keep comment and mask of the open case, painting by hand included."""
        worklist = self.worklist
        if worklist is not None and worklist.current is not None:
            self._note(worklist)
            if self._workbench.correction is not None:
                worklist.keep(*self._mask())

    def _note(self, worklist: Worklist) -> None:
        """Write down now what else would follow soon: clicks, volume and comment."""
        self._workbench.settle()
        if worklist.current is not None and self.comment != worklist.record(worklist.current.name).comment:
            self.keep_comment()

    def _mask(self) -> tuple[np.ndarray, Grid, str]:
        """Return the open case's mask, which its journal gives back too, its grid and whose it is."""
        workbench = self._workbench
        workbench.check_own()
        workbench.under_way.note_painting()
        return workbench.values(), workbench.grid, workbench.nodes.name if workbench.nodes else ""

    def _on_begun(self) -> None:
        session = self._workbench.session
        self._known = len(session.clicks), session.round, None

    def _record(self) -> None:
        """Tell the worklist how the case stands, if that changed; to look at a case is no work on it."""
        correction, measured = self._workbench.correction, self._measurer.measured
        if self.worklist is None or self.worklist.current is None or correction is None:
            return
        session, before = correction.session, self._known
        volume = measured.now.volume_mm3 if measured is not None else None
        self._known = len(session.clicks), session.round, volume
        if self._known[:2] != before[:2] or before[2] not in (None, volume):
            self._tell(
                clicks=len(session.clicks),
                rounds=session.round,
                volume_mm3=volume,
                models=[session.corrector.identity],
            )

    def _reopen(self) -> None:
        """Call a finished case one in work with its first new click, before the views have drawn it."""
        worklist, correction = self.worklist, self._workbench.correction
        if worklist is None or worklist.current is None or correction is None:
            return
        record, clicks = worklist.record(worklist.current.name), len(correction.session.clicks)
        if record.state is CaseState.DONE and clicks != record.clicks:
            self._tell(clicks=clicks)

    def _tell(self, **stands: Any) -> None:
        """Update the record; whatever leaves the case meets what is wrong with it again."""
        try:
            self._listed().update(**stands)
        except VSClickError as error:
            self._host.fail(error)

    def _start_over(self) -> None:
        """Forget the journal of the open case: another mask takes the place of the one it tells of."""
        if self.worklist is not None and self.worklist.current is not None:
            self.worklist.start_over()

    def _look(self) -> None:
        if self.worklist is not None:
            self._rows = self.worklist.rows()
        self.changed.emit()

    def _beat(self, worklist: Worklist) -> None:
        if self.worklist is worklist:
            self._host.later(BEAT_S, lambda: self._beat(worklist))
            worklist.beat()

    @contextmanager
    def _occupied(self) -> Iterator[None]:
        self.busy = True
        self.changed.emit()
        try:
            yield
        finally:
            self.busy = False
            self._look()


def _read(worklist: Worklist, case: WorkCase) -> OpenedCase:
    """Read a case as work on it was left."""
    with enough_memory():
        images = worklist.load()
        mask = worklist.saved_mask(images.grid, images)
        origin = Origin(case.t1ce or case.t2)
        return OpenedCase(case.name, images.t1ce, case.read("t2"), mask, origin).checked()
