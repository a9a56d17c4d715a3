"""The case that is open: its lock, its time, and every change of it written at once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from VSClickCorrectLib.errors import CorrectionError, ImageError, LockLostError, VSClickError, WorklistError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.io.images import read_mask
from VSClickCorrectLib.session.chain import Event, JournalPoint
from VSClickCorrectLib.session.journal import Journal, clicks_of, holds_work
from VSClickCorrectLib.session.start_mask import continued, fingerprint_of_values, restored, start_of
from VSClickCorrectLib.worklist.clock import WorkClock
from VSClickCorrectLib.worklist.label_dicom import LabelDicom
from VSClickCorrectLib.worklist.locks import CaseLock
from VSClickCorrectLib.worklist.records import CaseRecord, CaseState, now
from VSClickCorrectLib.worklist.store import Store
from VSClickCorrectLib.worklist.work_case import WorkCase

# How often a case's time is written, and others are told that it is open, by `OpenCase.heartbeat`.
BEAT_S = 30.0
_DECIDED = (CaseState.DONE, CaseState.NO_TUMOUR, CaseState.SKIPPED)
# No mask is an empty one.
_NO_MASK = fingerprint_of_values(np.zeros((0, 0, 0), bool))


class OpenCase:
    """A case on which somebody works, locked against others.

    Every method but `work` raises `LockLostError` if somebody has taken the case over, or if the folder
    cannot be reached `WorklistError`, or written `StorageError`; nothing is changed then.

    Parameters
    ----------
    case : WorkCase
        The case.
    store : Store
        Where its state is kept.
    lock : CaseLock
        Its lock, taken.
    annotator : str
        Initials of who works.
    clock : callable
        Seconds that never go back.
    """

    def __init__(
        self,
        case: WorkCase,
        store: Store,
        lock: CaseLock,
        annotator: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.case = case
        self.record = store.read(case.name, case.label)
        self._store, self._lock, self._annotator = store, lock, annotator
        self._clock, self._now, self._written = WorkClock(clock), clock, 0.0
        self._heard = clock()  # when the lock was renewed; it was taken just now
        self._seen = _NO_MASK
        self._grid: Grid | None = None
        self._series, self._sides_known = "", True
        self._dicom = LabelDicom(case, store.output, lambda: self.held)
        self._closed = False
        # Whether nobody has worked on it before, be it skipped with the mask that it came with.
        left_out = self.record.state is CaseState.SKIPPED and not self.record.models
        self._new = left_out or self.record.state in (CaseState.TODO, CaseState.FAILED)
        self.took_mask = False  # whether `saved_mask` began with the mask that the case came with, if any
        self.remark = ""  # what could not be written beside the label, a sentence
        self._begin()
        # How the case is as long as its mask is the one upon which it was decided.
        self._decided = self.record if self.decided else None

    @property
    def held(self) -> bool:
        """Whether the case is still ours."""
        return self._lock.held

    @property
    def decided(self) -> bool:
        """Whether somebody has decided upon the case, which it is no sign against to look at it."""
        return self.record.state in _DECIDED

    @property
    def journal_path(self) -> Path:
        """The file of the case's journal."""
        return self._store.journal_path(self.case.label)

    def journal(self) -> Journal:
        """Return the case's journal; raises `CorrectionError` if it cannot be read."""
        return Journal(self.journal_path, guard=self.check_held)

    def check_held(self) -> None:
        """Do nothing if the case is ours to change."""
        if self._closed:
            raise WorklistError(f"case {self.case.name} was closed; open it anew.")
        if self._lock.surely_held(self.case.name):
            return
        holder, folder = self._lock.holder, self._lock.path.parent
        if not os.path.isdir(folder):
            raise WorklistError(f"the folder {folder} cannot be reached; check the disk or the network.")
        if holder is None and (self._is_as_written() or not self._store.knows(self.case.label)):
            # Only the lock is gone, tidied away perhaps, or everything: then what is in hand is all there is.
            self._lock.take(self.case.name)
            return
        who = f"was taken over by {holder}" if holder else "was worked on by somebody else"
        raise LockLostError(
            f"case {self.case.name} {who}; what you did until then is kept, open the case anew."
        )

    def work(self) -> None:
        """Note a sign of work."""
        self.record = replace(self.record, seconds=self.record.seconds + self._clock.work())

    def heartbeat(self) -> None:
        """Write the time and tell others that the case is open, if that was not done for a while."""
        if self._now() - self._written >= BEAT_S:
            self._change()

    def update(self, mask: str | None = None, **fields: Any) -> None:
        """Tell how the case stands: clicks, rounds, comment, volume_mm3, models, which are added.

        A case that was done or skipped is in work while its mask, told by its fingerprint
        (`session.start_mask.fingerprint_of`), is another one than `saved_mask` returned, and no longer.
        """
        self.work()
        fields = {name: value for name, value in fields.items() if value is not None}
        worked = fields.get("clicks", self.record.clicks) != self.record.clicks
        if "models" in fields:
            fields["models"] = self._with(fields["models"])
        self._change(**fields, **self._state_with(mask, worked))

    def _with(self, models: Sequence[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.record.models, *models)))

    def load(self, different_patients: bool = False) -> Case:
        """Read the sequences, as `WorkCase.load`; a label that a death left without its DICOM is given it.

        A case that had failed is in work from then on, and what was said of its images goes.
        """
        loaded = self.case.load(different_patients)
        self._grid, self._series = loaded.grid, loaded.reference.series
        self._sides_known = loaded.reference.sides_known
        if self.record.state is CaseState.FAILED and self.held:
            self._change(comment="", **self._reopened())
        if self.record.state is CaseState.DONE and self.held:
            label = self._store.labels.path(self.case.label)
            self.remark = self._dicom.complete(label, loaded, self.journal)
        return loaded

    def keep(self, values: np.ndarray, grid: Grid, source: str | None = None) -> None:
        """Keep the mask as it is now, painting by hand included, to go on with later.

        A case that was only looked at, its mask being as `saved_mask` returned it, stays as it was. A mask on
        another grid than the case's images, or of another source, is refused with `WorklistError`.

        Parameters
        ----------
        values : ndarray of bool
            ``(K, J, I)``.
        grid : Grid
            The grid on which it lies.
        source : str, optional
            The name of the case on whose images it was made, by what shows them.
        """
        self._check_own(values, grid, source)
        begun = self.record.state is CaseState.IN_WORK and (self.record.clicks or self.record.finished)
        if not begun and self._seen == fingerprint_of_values(values):
            return
        journal = self._own_journal()
        self._decided = None
        self._store.keep_mask(self.case.label, values, grid, journal.point, self._sides_known)
        self._change(volume_mm3=grid.volume_of(values), **self._counted(journal.events), **self._reopened())

    def offer(self, values: np.ndarray) -> None:
        """Begin with a mask that nobody has worked on: a case that is left with it is as it was."""
        self._seen = fingerprint_of_values(values)

    def done(
        self, values: np.ndarray, grid: Grid, source: str | None = None, models: Sequence[str] = ()
    ) -> Path:
        """Write the label; the case stays open until `close`."""
        self._check_own(values, grid, source)
        self.work()
        journal = self._own_journal()
        point = journal.point
        self._undecide()
        record = replace(
            self.record,
            state=CaseState.DONE if values.any() else CaseState.NO_TUMOUR,
            volume_mm3=grid.volume_of(values),
            events=point.events,
            checksum=point.checksum,
            finished=now(),
            changed=now(),
            models=self._with(models),
            **self._counted(journal.events),
            **self._who(),
        )
        # The kept mask stands until label, sidecar and record agree, whatever happens in between.
        kept = self._store.keep_mask(record.label, values, grid, point, self._sides_known)
        self._dicom.remove()
        path = self._store.labels.write(record.label, kept)
        self.check_held()
        self._write(record)
        self._store.drop_mask(record.label)
        # Last, so that label and record agree whatever becomes of it.
        self.remark = self._dicom.write(values, grid, self._series)
        return path

    def decide(self, state: CaseState, comment: str) -> None:
        """Skip the case or call it failed; a label that it has is withdrawn and kept as a working mask."""
        self.check_held()
        self.work()
        self._undecide()
        self._dicom.remove()
        self._store.withdraw(self.case.label, self.record.point)
        fields = {"comment": comment} if comment else {}
        self._change(state=state, finished="", **fields, **self._who())

    def give_up(self, error: VSClickError) -> None:
        """Call the case failed if its images are of no use, unless there is work on it."""
        of_no_use = isinstance(error, ImageError) and error.lasting
        if of_no_use and self._is_unworked() and not self._store.labels.has(self.case.label):
            self.decide(CaseState.FAILED, str(error))

    def start_over(self, models: Sequence[str] = ()) -> None:
        """Set journal, kept mask and label aside and begin anew, with a mask in which models had a part."""
        self.check_held()
        self._undecide()
        self._dicom.remove()
        label = self.case.label
        if self._store.keeps(label):
            # It will stand nowhere any more, though the same may be found again.
            self._seen = ""
        self._store.set_aside(label)
        anew = {"clicks": 0, "rounds": 0, "models": tuple(models), "volume_mm3": None, "finished": ""}
        self._change(events=0, checksum="", **anew, **self._reopened())

    def close(self) -> None:
        """Write the time and give the case back; one in which nothing was done is to do again."""
        if self._lock.surely_held(self.case.name):
            self._give_back()
        self._closed = True

    def _give_back(self) -> None:
        record = replace(self.record, seconds=self.record.seconds + self._clock.stop())
        if self._is_unworked():
            record = replace(record, state=CaseState.TODO)
        elif record.state is CaseState.IN_WORK:
            record = replace(record, **self._from_journal())
        self.record = record
        self._write(record)
        self._lock.release()

    def saved_mask(self, grid: Grid, images: Case | None = None) -> np.ndarray | None:
        """Return the mask, ``(K, J, I)`` on the case's grid, as work on it was left, even by a crash.

        It is the mask that was kept last, else the label, else the mask that the case came with, if any; then
        everything that the journal recorded after it is done again. Where the journal does not contain the
        point at which that mask was kept, since it was lost or is another one, the mask counts, and the
        journal begins a new session with it.

        Raises
        ------
        ImageError, CorrectionError
            If a mask or the journal cannot be read, or the journal belongs to other images than the case's.
        """
        journal = self.journal()
        path, point = self._store.kept_mask(self.case.label, journal) or (None, JournalPoint())
        if path is None and self._store.labels.has(self.case.label):
            path, point = self._store.labels.path(self.case.label), self.record.point
        if path is None:
            return self._from_start(journal, grid, images)
        values = read_mask(path, grid)
        self._seen = fingerprint_of_values(values)
        return continued(journal, point, values, grid, images)

    def _from_start(self, journal: Journal, grid: Grid, images: Case | None) -> np.ndarray | None:
        events = journal.events
        new, self._new = self._new and not holds_work(events), False
        if new or (start := start_of(events, grid)) is None:
            start, self.took_mask = self.case.load_mask(grid), True
        self._seen = _NO_MASK if start is None else fingerprint_of_values(start)
        given = np.zeros(grid.shape, bool) if new and start is None else start
        try:
            return restored(events, grid, given, images) if events else start
        except CorrectionError:
            if not new:
                raise
            # Who looked at the case saw other files than it has now.
            self._store.set_aside(self.case.label)
            return start

    def _check_own(self, values: np.ndarray, grid: Grid, source: str | None) -> None:
        """Refuse a mask that was made on other images than the case's, or if the case is not ours."""
        self.check_held()
        own = self._grid or self.load(different_patients=True).grid
        self.case.check_mask(values, grid, own, source)

    def _begin(self) -> None:
        """Bring record and sidecar up to date with what a crash left, and call the case begun."""
        self._store.mend(self.case.label)
        changes: dict[str, Any] = {}
        if self.record.state in (CaseState.TODO, CaseState.IN_WORK):
            changes = self._from_journal()
        if self.record.state.labelled and not self._store.labels.has(self.case.label):
            changes = {"state": CaseState.IN_WORK}
        if self.record.state is CaseState.TODO:
            started = self.record.started or now()
            # It may have been left with what networks found.
            changes.update(state=CaseState.IN_WORK, started=started, models=(), **self._who())
        if changes:
            self._change(**changes)

    def _from_journal(self) -> dict[str, Any]:
        """Return clicks and rounds where the journal knows of others than the record."""
        try:
            return self._counted(self.journal().events)
        except CorrectionError:
            return {}  # whoever asks for the journal or the mask is told

    def _counted(self, events: list[Event]) -> dict[str, Any]:
        if not events:
            return {}
        clicks, rounds = clicks_of(events)
        counted = {"clicks": clicks, "rounds": rounds}
        return {name: count for name, count in counted.items() if count != getattr(self.record, name)}

    def _own_journal(self) -> Journal:
        """Return the journal, all of it ours: nobody else had the case before it was read."""
        journal = self.journal()
        self.check_held()
        return journal

    def _is_unworked(self) -> bool:
        """Whether the case was begun and nothing was done that would be worth keeping."""
        record = self.record
        begun = record.state is CaseState.IN_WORK and record.untouched
        try:
            return (
                begun
                and self._store.kept_mask(record.label) is None
                and not holds_work(self.journal().events)
            )
        except CorrectionError:
            return False

    def _state_with(self, mask: str | None, worked: bool) -> dict[str, Any]:
        """Return the state that goes with a mask: as it was decided while it is that one, else in work."""
        if mask is not None and mask != self._seen:
            return self._reopened()
        if mask is not None and self._decided is not None:
            return {"state": self._decided.state, "annotator": self._decided.annotator}
        return self._who() if worked and self.record.state is CaseState.IN_WORK else {}

    def _undecide(self) -> None:
        """Let no record call the case decided whose label is about to change, should that stop half-way."""
        if self.decided:
            self._change(**self._reopened())
        self._decided = None

    def _reopened(self) -> dict[str, Any]:
        """Return what changes when the mask is worked on."""
        return {"state": CaseState.IN_WORK, **self._who()}

    def _who(self) -> dict[str, Any]:
        """Return who works, and on which files."""
        files = {role: str(path) for role, path in self.case.files.items()}
        return {"annotator": self._annotator or self.record.annotator, "files": files or self.record.files}

    def _change(self, **changes: Any) -> None:
        """Change the record, on the disk first."""
        self.check_held()
        self._write(replace(self.record, changed=now(), **changes))
        self._written = self._now()
        # To renew the lock the drive is asked for its time, on a slow one too long for every click.
        if self._written - self._heard >= BEAT_S:
            self._lock.heartbeat()
            self._heard = self._written

    def _write(self, record: CaseRecord) -> None:
        """Write the record, then the sidecar that follows it; a death between them is mended on opening."""
        self._store.write(record)
        self.record = record
        self._store.labels.follow(record)

    def _is_as_written(self) -> bool:
        """Whether the record on the disk is the one that was written last."""
        found = self._store.read(self.case.name, self.case.label)
        return replace(found, seconds=0.0) == replace(self.record, seconds=0.0)
