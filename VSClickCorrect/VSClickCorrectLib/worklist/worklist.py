"""A worklist: cases one after the other, with a state each, for people who do many a day."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from VSClickCorrectLib.errors import WorklistError
from VSClickCorrectLib.imaging.grid import Grid
from VSClickCorrectLib.imaging.io import read_mask
from VSClickCorrectLib.session.journal import Journal, replay
from VSClickCorrectLib.session.mask import ArrayMask
from VSClickCorrectLib.worklist.cases import WorkCase, find_cases, with_labels
from VSClickCorrectLib.worklist.clock import WorkClock
from VSClickCorrectLib.worklist.locks import CaseLock, holder_of
from VSClickCorrectLib.worklist.records import CaseRecord, CaseState, now
from VSClickCorrectLib.worklist.store import Store

# How often a case's time is written, and others are told that it is open, by `Worklist.beat`.
BEAT_S = 30.0
_OPEN_STATES = (CaseState.TODO, CaseState.IN_WORK)


@dataclass(frozen=True)
class Row:
    """A case as a table shows it.

    Parameters
    ----------
    case : WorkCase
        Its files.
    record : CaseRecord
        The work on it.
    holder : str
        Who else has it open, empty if nobody.
    """

    case: WorkCase
    record: CaseRecord
    holder: str


@dataclass(frozen=True)
class Progress:
    """How far a worklist is, in cases."""

    total: int
    todo: int
    in_work: int
    done: int
    skipped: int
    failed: int

    def __str__(self) -> str:
        parts = [f"{self.done} of {self.total} done"]
        for count, what in ((self.in_work, "in work"), (self.skipped, "skipped"), (self.failed, "failed")):
            if count:
                parts.append(f"{count} {what}")
        return ", ".join(parts)


class Worklist:
    """Cases to be worked on, in order, and the label set that comes of it. Begin with `Worklist.open`.

    One case at a time is open (`current`), locked against others who share the folder. Whatever is told is
    on the disk when the call returns. No images are read but by `WorkCase.load` and `saved_mask`.

    Parameters
    ----------
    cases : sequence of WorkCase
        With labels.
    store : Store
        Where the state is kept.
    annotator : str
        Initials of who works.
    clock : callable
        Seconds that never go back, by which work is timed.
    """

    def __init__(
        self,
        cases: Sequence[WorkCase],
        store: Store,
        annotator: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.cases = list(cases)
        self.annotator = annotator
        self.current: WorkCase | None = None
        self._store = store
        self._lock: CaseLock | None = None
        self._record: CaseRecord | None = None
        self._clock = WorkClock(clock)
        self._now = clock
        self._written = 0.0

    @classmethod
    def open(
        cls,
        source: Path,
        output: Path,
        annotator: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> Worklist:
        """Open a worklist; one that was begun in ``output`` goes on.

        Parameters
        ----------
        source : Path
            A folder of cases or a CSV list, see `find_cases`.
        output : Path
            Where states, journals and the label set go; made if it is not there.
        annotator : str
            Initials, kept with every case worked on.
        clock : callable
            Seconds that never go back.

        Raises
        ------
        ImageError, WorklistError
            If there is no case, a list cannot be read or the output cannot be written.
        """
        cases = find_cases(source, output)
        store = Store(output)
        records = store.all_records()
        found = {case.name for case in cases}
        cases += [
            WorkCase(
                r.case,
                fault="its files are not there any more; put them back or take the case off the list.",
            )
            for r in records.values()
            if r.case not in found
        ]
        labelled = with_labels(cases, {name: r.label for name, r in records.items()})
        worklist = cls(labelled, store, annotator, clock)
        worklist._summarise()
        return worklist

    @property
    def output(self) -> Path:
        """The folder of the results."""
        return self._store.output

    def case(self, name: str) -> WorkCase:
        """Return a case by name; raises `WorklistError` if there is none."""
        for case in self.cases:
            if case.name == name:
                return case
        raise WorklistError(f"the worklist has no case '{name}'; choose one of its {len(self.cases)} cases.")

    def record(self, name: str) -> CaseRecord:
        """Return the work on a case as it stands on the disk, or in hand if the case is open here."""
        case = self.case(name)
        if self._record is not None and self.current is case:
            return self._record
        return self._store.read(case.name, case.label)

    def rows(self) -> list[Row]:
        """Return all cases for a table, in order."""
        return [Row(case, self.record(case.name), self._other_holder(case)) for case in self.cases]

    def progress(self) -> Progress:
        """Return how far the worklist is."""
        states = [self.record(case.name).state for case in self.cases]
        return Progress(len(states), *(states.count(state) for state in CaseState))

    def go_to(self, name: str, take_over: bool = False) -> WorkCase:
        """Open a case, closing the one that is open.

        A case that was to do is in work then. One that is done, skipped or failed keeps its state until it is
        changed (`update`) or decided upon anew, so it may be looked at.

        Parameters
        ----------
        name : str
            The case.
        take_over : bool
            Whether to take it from somebody who has it open.

        Raises
        ------
        CaseTaken
            If somebody else has it open. The case that was open stays open.
        WorklistError
            If there is no such case or the folder cannot be written.
        """
        case = self.case(name)
        if self.current is case and self._lock is not None and self._lock.held:
            return case
        lock = CaseLock(self._store.lock_path(case.label), self.annotator)
        lock.take(case.name, take_over)
        self.close()
        self.current, self._lock = case, lock
        self._record = self._store.read(case.name, case.label)
        self._clock.start()
        if self._record.state is CaseState.TODO:
            self._change(
                state=CaseState.IN_WORK, annotator=self.annotator, started=self._record.started or now()
            )
        return case

    def resume(self) -> WorkCase | None:
        """Open the case where one stopped: the one in work that this annotator changed last, else `next`."""
        mine = [
            record
            for record in (self.record(case.name) for case in self.cases)
            if record.state is CaseState.IN_WORK and record.annotator == self.annotator
        ]
        for record in sorted(mine, key=lambda r: r.changed, reverse=True):
            if opened := self._try(self.case(record.case)):
                return opened
        return self.next()

    def next(self) -> WorkCase | None:
        """Open the next case that is to do or in work, from the open one on and round again.

        Cases that others have open or whose files are missing are passed over.

        Returns
        -------
        WorkCase or None
            None if no other case is left; the open one stays open then.
        """
        start = self._position() + 1
        for case in (*self.cases[start:], *self.cases[:start]):
            if case is not self.current and self._is_open(case) and (opened := self._try(case)):
                return opened
        return None

    def previous(self) -> WorkCase | None:
        """Open the case before the open one, whatever its state; None if there is none that can be opened."""
        for case in reversed(self.cases[: max(self._position(), 0)]):
            if opened := self._try(case):
                return opened
        return None

    def work(self) -> None:
        """Note that somebody is at work: a click, a scroll, a key. Costs nothing; call it often."""
        if self._record is not None:
            self._record = replace(self._record, seconds=self._record.seconds + self._clock.work())

    def beat(self) -> None:
        """Keep the open case: call it by a timer, every half minute or more often.

        Raises
        ------
        WorklistError
            If somebody has taken the case over.
        """
        if self._lock is None or self._now() - self._written < BEAT_S:
            return
        self._check_held()
        self._lock.beat()
        self._change()

    def update(
        self,
        clicks: int | None = None,
        rounds: int | None = None,
        comment: str | None = None,
        volume_mm3: float | None = None,
        models: Sequence[str] | None = None,
    ) -> None:
        """Tell how the open case stands; what is left out stays as it is.

        With another number of clicks a case that was done, skipped or failed is in work again.

        Raises
        ------
        WorklistError
            If no case is open, or somebody has taken it over.
        """
        record = self._opened()
        told = {"clicks": clicks, "rounds": rounds, "comment": comment, "volume_mm3": volume_mm3}
        changes: dict = {name: value for name, value in told.items() if value is not None}
        if models is not None:
            changes["models"] = tuple(dict.fromkeys((*record.models, *models)))
        if clicks is not None and clicks != record.clicks and record.state not in _OPEN_STATES:
            changes.update(state=CaseState.IN_WORK)
        self.work()
        self._change(**changes)

    def keep(self, values: np.ndarray, grid: Grid) -> None:
        """Keep the mask of the open case as it is now, painting by hand included, to go on with later.

        Parameters
        ----------
        values : ndarray of bool
            ``(K, J, I)``.
        grid : Grid
            The case's grid.

        Raises
        ------
        ImageError
            If it cannot be written.
        WorklistError
            If no case is open, or somebody has taken it over.
        """
        record = self._opened()
        self._store.keep_mask(record.label, values, grid, len(self.journal().events))
        self._change(volume_mm3=float(np.count_nonzero(values)) * grid.voxel_volume)

    def done(self, values: np.ndarray, grid: Grid) -> Path:
        """Write the open case's label and close the case as done.

        Parameters
        ----------
        values : ndarray of bool
            The tumour, ``(K, J, I)``; it may be empty.
        grid : Grid
            The case's grid.

        Returns
        -------
        Path
            The segmentation in the label set.

        Raises
        ------
        ImageError
            If it cannot be written; the case stays open.
        WorklistError
            If no case is open, or somebody has taken it over.
        """
        record = self._opened()
        self.work()
        record = replace(
            self._record or record,
            state=CaseState.DONE,
            annotator=self.annotator or record.annotator,
            volume_mm3=float(np.count_nonzero(values)) * grid.voxel_volume,
            events=len(self.journal().events),
            finished=now(),
            changed=now(),
            files=self._files(),
        )
        path = self._store.labels.write(record, values, grid)
        self._store.write(record)
        self._record = record
        self._store.drop_mask(record.label)
        self.close()
        return path

    def skip(self, comment: str = "") -> None:
        """Close the open case as skipped, saying why; raises as `update`."""
        self._decide(CaseState.SKIPPED, comment)

    def fail(self, comment: str) -> None:
        """Close the open case as failed, saying why, an error's sentence for instance; raises as `update`."""
        self._decide(CaseState.FAILED, comment)

    def close(self) -> None:
        """Close the open case, if there is one; it can be gone on with later.

        A case to do in which nothing was done is to do again.
        """
        lock, record = self._lock, self._record
        if lock is not None and record is not None and lock.held:
            seconds = record.seconds + self._clock.stop()
            untouched = record.state is CaseState.IN_WORK and record.untouched and not self._has_work(record)
            state = CaseState.TODO if untouched else record.state
            self._record = replace(record, seconds=seconds, state=state)
            self._store.write(self._record)
            lock.release()
        self._clock.stop()
        self.current = self._lock = self._record = None
        self._summarise()

    @property
    def journal_path(self) -> Path:
        """The file of the open case's journal; raises `WorklistError` if no case is open."""
        return self._store.journal_path(self._opened().label)

    def journal(self) -> Journal:
        """Return the open case's journal, to go on with; raises `CorrectionError` if it is damaged."""
        return Journal(self.journal_path)

    def label_path(self, name: str) -> Path:
        """Return where a case's segmentation lies in the label set, whether it is there or not."""
        return self._store.labels.path(self.case(name).label)

    def saved_mask(self, grid: Grid) -> np.ndarray | None:
        """Return the open case's mask as work on it was left, even by a crash.

        It is the mask that was kept last, or the label, whichever is newer, or the mask that the case came
        with; then everything that the journal recorded after it is done again.

        Parameters
        ----------
        grid : Grid
            The case's grid.

        Returns
        -------
        ndarray of bool or None
            ``(K, J, I)``; None if there is nothing to go on with and the case came without a mask.

        Raises
        ------
        ImageError, CorrectionError
            If a mask or the journal cannot be read.
        """
        record = self._opened()
        events = self.journal().events
        path, known = self._store.kept_mask(record.label) or (None, 0)
        label = self._store.labels.path(record.label)
        if path is None and record.finished and label.exists():
            path, known = label, record.events
        assert self.current is not None
        start = read_mask(path, grid) if path is not None else self.current.load_mask(grid)
        if start is None and not events:
            return None
        mask = ArrayMask(grid, start)
        replay(events[known:], mask)
        return mask.values

    def _decide(self, state: CaseState, comment: str) -> None:
        self._opened()
        self.work()
        changes: dict = {"state": state, "annotator": self.annotator, "files": self._files()}
        if comment:
            changes["comment"] = comment
        self._change(**changes)
        self.close()

    def _opened(self) -> CaseRecord:
        if self._record is None:
            raise WorklistError("no case is open; choose one first.")
        self._check_held()
        return self._record

    def _check_held(self) -> None:
        if self._lock is None or self._lock.held or self.current is None:
            return
        holder = holder_of(self._lock.path)
        who = f"was taken over by {holder}" if holder else "was given free by somebody else"
        raise WorklistError(
            f"case {self.current.name} {who}; your clicks up to then are kept, open the case anew."
        )

    def _change(self, **changes) -> None:
        """Change the open case's record and write it."""
        if self._record is None:
            return
        self._record = replace(self._record, changed=now(), **changes)
        self._store.write(self._record)
        self._written = self._now()
        if "state" in changes:
            self._summarise()

    def _files(self) -> dict[str, str]:
        return {role: str(path) for role, path in self.current.files.items()} if self.current else {}

    def _has_work(self, record: CaseRecord) -> bool:
        return self._store.kept_mask(record.label) is not None

    def _position(self) -> int:
        return self.cases.index(self.current) if self.current is not None else -1

    def _is_open(self, case: WorkCase) -> bool:
        return self.record(case.name).state in _OPEN_STATES and not case.problem

    def _try(self, case: WorkCase) -> WorkCase | None:
        """Open a case unless somebody else has it."""
        if self._other_holder(case):
            return None
        return self.go_to(case.name)

    def _other_holder(self, case: WorkCase) -> str:
        if self.current is case:
            return ""
        holder = holder_of(self._store.lock_path(case.label))
        return str(holder) if holder is not None and not holder.gone else ""

    def _summarise(self) -> None:
        self._store.write_summary([self.record(case.name) for case in self.cases])
