"""A worklist: cases one after the other, with a state each, for people who do many a day."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from VSClickCorrectLib.errors import CaseLockedError, ImageError, VSClickError, WorklistError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.worklist.cases import WorkCase, find_cases, with_begun, with_labels
from VSClickCorrectLib.worklist.claims import LabelClaims
from VSClickCorrectLib.worklist.clock import drive_time
from VSClickCorrectLib.worklist.label_dicom import LabelDicom
from VSClickCorrectLib.worklist.labels import check_summary
from VSClickCorrectLib.worklist.locks import CaseLock, holder_of
from VSClickCorrectLib.worklist.namesakes import check_namesakes
from VSClickCorrectLib.worklist.open_case import OpenCase
from VSClickCorrectLib.worklist.overview import Progress, Row
from VSClickCorrectLib.worklist.records import CaseRecord, CaseState
from VSClickCorrectLib.worklist.store import Store


class Worklist:
    """Cases to be worked on, in order, and the label set that comes of it. Begin with `Worklist.open`.

    One case at a time is open (`current`), locked against others who share the folder. Whatever is told is
    on the disk when the call returns. No images are read but by `WorkCase` and `OpenCase`.

    What works on the open case raises `WorklistError` if no case is open, its subclass `LockLostError` if
    somebody has taken it over, and `StorageError` if the folder cannot be written; the state stays as it was.

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
        self.store = store
        self._now = clock
        self._open: OpenCase | None = None
        self._last: WorkCase | None = None
        self.remark = ""  # what the last `done` could not write beside the label, a sentence
        self.different_patients = False  # whether T1ce and T2 of different PatientIDs are one patient's

    @classmethod
    def open(
        cls, source: Path, output: Path, annotator: str = "", clock: Callable[[], float] = time.monotonic
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
            If there is no case, a list cannot be read or the output cannot be written, or it holds the work
            on other cases of the same names.
        """
        # Records tell of a case's files; by a relative path nobody who stands elsewhere would find them.
        source = source.absolute()
        check_summary(source, output)
        cases = find_cases(source, output)
        store = Store(output)
        records = store.all_records()
        labels = {name: record.label for name, record in records.items()}
        cases = with_begun(cases, [r for r in records.values() if r.state is not CaseState.TODO], labels)
        check_namesakes(cases, records, output)
        claims = LabelClaims(store.claims_folder, store.labels.case_of)
        worklist = cls(with_labels(cases, labels, claims), store, annotator, clock)
        worklist._mend()
        worklist._summarise()
        return worklist

    @property
    def current(self) -> WorkCase | None:
        """The open case."""
        return self._open.case if self._open is not None else None

    @property
    def opened(self) -> OpenCase:
        """The work on the open case; raises `WorklistError` if no case is open."""
        if self._open is None:
            raise WorklistError("no case is open; choose one first.")
        return self._open

    def case(self, name: str) -> WorkCase:
        """Return a case by name; raises `WorklistError` if there is none."""
        for case in self.cases:
            if case.name == name:
                return case
        raise WorklistError(f"the worklist has no case '{name}'; choose one of its {len(self.cases)} cases.")

    def record(self, name: str) -> CaseRecord:
        """Return the work on a case: as it stands on the disk, or in hand if the case is open here."""
        case = self.case(name)
        if self._open is not None and self._open.case is case:
            return self._open.record
        return self.store.read(case.name, case.label)

    def rows(self) -> list[Row]:
        """Return all cases for a table, in order."""
        now = drive_time(self.store.folder)
        return [self._row(case, self._other_holder(case, now)) for case in self.cases]

    def progress(self) -> Progress:
        """Return how far the worklist is."""
        return Progress(self.rows())

    def label_path(self, name: str) -> Path:
        """Return where a case's segmentation lies in the label set, whether it is there or not."""
        return self.store.labels.path(self.case(name).label)

    def go_to(self, name: str, take_over: bool = False) -> WorkCase:
        """Open a case, closing the one that is open.

        A case that was to do is in work then, and one that had failed once it is read. One that is done or
        skipped keeps its state until its mask is changed or it is decided upon anew, so it may be looked at.

        Parameters
        ----------
        name : str
            The case.
        take_over : bool
            Whether to take it from somebody who has it open.

        Raises
        ------
        CaseLockedError
            If somebody else has it open; the message says who. The case that was open stays open.
        WorklistError
            If there is no such case.
        StorageError
            If the folder cannot be written.
        """
        case = self.case(name)
        if self._open is not None and self._open.case is case and self._open.held:
            return case
        lock = self._lock_of(case)
        lock.take(case.name, take_over)
        try:
            self.close()
            self._open = OpenCase(case, self.store, lock, self.annotator, self._now)
        except VSClickError:
            lock.release()
            raise
        self._last = case
        self._summarise()
        return case

    def resume(self) -> WorkCase | None:
        """Open the case where one stopped: the one in work that this annotator changed last, else `next`."""
        records = map(self._seen, self.cases)
        begun = [r for r in records if r.state is CaseState.IN_WORK and r.annotator == self.annotator]
        for record in sorted(begun, key=lambda r: r.changed, reverse=True):
            case = self.case(record.case)
            if not case.problem and self._try(case):
                return case
        return self.next()

    def next(self) -> WorkCase | None:
        """Open the next case that is to do or in work, after the last one that was open and round again.

        Cases are passed over that others have open or have begun, or whose files are missing.

        Returns
        -------
        WorkCase or None
            None if no other case is left; the open one stays open then.
        """
        start = self._position() + 1
        for case in (*self.cases[start:], *self.cases[:start]):
            if case is not self.current and self._waits(case) and self._try(case):
                return case
        for case in self.cases:
            # Whether one waits that cannot be read, nobody knows.
            self.record(case.name)
        return None

    def previous(self) -> WorkCase | None:
        """Open the case before the last one that was open, whatever its state; None if none can be."""
        for case in reversed(self.cases[: max(self._position(), 0)]):
            if self._try(case):
                return case
        return None

    def work(self) -> None:
        """Note that somebody is at work: a click, a scroll, a key. Costs nothing; call it often."""
        if self._open is not None:
            self._open.work()

    def heartbeat(self) -> None:
        """Keep the open case, if there is one: call it by a timer, every half minute or more often."""
        if self._open is not None:
            self._open.heartbeat()

    def update(self, **stands: Any) -> None:
        """Tell how the open case stands, as `OpenCase.update`; what is left out or None stays as it is."""
        before = self.opened.record.state
        self.opened.update(**stands)
        if self.opened.record.state is not before:
            self._summarise()

    def done(
        self, values: np.ndarray, grid: Grid, source: str | None = None, models: Sequence[str] = ()
    ) -> Path:
        """Write the open case's label and close the case as done, or as one that has no tumour.

        If the label cannot be written the case stays open.

        Parameters
        ----------
        values : ndarray of bool
            The tumour, ``(K, J, I)``; empty if there is none.
        grid, source
            As for `OpenCase.keep`, which refuses the same masks.
        models : sequence of str
            Name and hash of models that had a part in it, added to those that the record has.

        Returns
        -------
        Path
            The segmentation in the label set.
        """
        opened = self.opened
        path = opened.done(values, grid, source, models)
        self.remark = opened.remark
        self.close()
        return path

    def skip(self, comment: str = "") -> None:
        """Close the open case as skipped, saying why.

        A label that it has is taken out of the label set and kept as a working mask.
        """
        self.opened.decide(CaseState.SKIPPED, comment)
        self.close()

    def give_up(self, error: VSClickError) -> None:
        """Close the open case because of an error in reading it.

        It has failed if its images are of no use and nothing was done on it. Else, and where they cannot be
        read at the moment, it is as it was.
        """
        self.opened.give_up(error)
        self.close()

    def close(self) -> None:
        """Close the open case, if there is one; it can be gone on with later.

        A case to do in which nothing was done is to do again.
        """
        if self._open is not None:
            self._open.close()
            self._open = None
            self._summarise()

    def _mend(self) -> None:
        """Mend what a death between two writes left of cases that are done and nobody has open."""
        for case in self.cases:
            # What cannot be mended hinders nobody here; whoever opens the case is told.
            with suppress(VSClickError):
                if not self.store.is_whole(case.label):
                    lock = self._lock_of(case)
                    lock.take(case.name)
                    try:
                        self.store.mend(case.label)
                    finally:
                        lock.release()

    def _lock_of(self, case: WorkCase) -> CaseLock:
        return CaseLock(self.store.lock_path(case.label), self.annotator)

    def _position(self) -> int:
        return self.cases.index(self._last) if self._last is not None else -1

    def _waits(self, case: WorkCase) -> bool:
        """Whether a case waits for this annotator."""
        record = self._seen(case)
        mine = record.state is CaseState.IN_WORK and record.annotator in ("", self.annotator)
        return (mine or record.state is CaseState.TODO) and not case.problem

    def _try(self, case: WorkCase) -> bool:
        """Open a case unless somebody else has it."""
        try:
            self.go_to(case.name)
        except CaseLockedError:
            return False
        return True

    def _other_holder(self, case: WorkCase, now: float) -> str:
        if case is self.current:
            return ""
        holder = holder_of(self.store.lock_path(case.label))
        return str(holder) if holder is not None and not holder.is_gone(now) else ""

    def _row(self, case: WorkCase, holder: str) -> Row:
        record = self._seen(case)
        # Whoever has it open may be about to write them.
        if record.state.labelled and not holder:
            with suppress(ImageError):
                if not self.store.labels.has(case.label):
                    return Row(case, record, holder, "its label is missing; open it to write it again")
                if record.state is CaseState.DONE and not LabelDicom(case, self.store.output).is_whole:
                    return Row(case, record, holder, "its DICOM objects are missing; open it to write them")
        return Row(case, record, holder)

    def _seen(self, case: WorkCase) -> CaseRecord:
        """Return a case's record for an overview, which one that cannot be read must not prevent."""
        try:
            return self.record(case.name)
        except VSClickError as error:
            return CaseRecord(case.name, case.label, CaseState.UNREADABLE, comment=str(error))

    def _summarise(self) -> None:
        records = [self._seen(case) for case in self.cases]
        # An older table says more than one in which cases are missing.
        if all(record.state is not CaseState.UNREADABLE for record in records):
            self.store.write_summary(records)
