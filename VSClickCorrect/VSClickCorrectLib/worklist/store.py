"""The files in which a worklist keeps its state: one record, lock, journal and working mask a case."""

from __future__ import annotations

import os
import re
from collections.abc import Container
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from shutil import rmtree

import numpy as np

from VSClickCorrectLib.errors import ImageError, StorageError, passed_over
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.io.files import changing, check_inside, is_there, make_folder, reading
from VSClickCorrectLib.io.images import write_mask
from VSClickCorrectLib.io.json_files import write_json
from VSClickCorrectLib.session.chain import JournalPoint
from VSClickCorrectLib.session.journal import Journal
from VSClickCorrectLib.worklist.case_list import write_rows
from VSClickCorrectLib.worklist.clock import drive_time
from VSClickCorrectLib.worklist.labels import SUMMARY, SUMMARY_COLUMNS, LabelSet, summary_row
from VSClickCorrectLib.worklist.records import CaseRecord, CaseState, read_record

# No file of a worklist takes so long to write.
_LEFT_S = 3600.0
# What is being written, by `write_atomically`, and a lock beside its place.
_WRITING, _LOCKS = ".writing-", ".sub-"
FOLDER = Path("sourcedata") / "worklist"


class Store:
    """Where a worklist keeps what it knows.

    Every method that looks for something raises `ImageError` where it cannot tell whether it is there, and
    every one that changes something where that would be outside the worklist's folder.

    Parameters
    ----------
    output : Path
        The worklist's folder; made if it is not there.

    Raises
    ------
    StorageError
        If it cannot be made, or a folder in it leads elsewhere.
    """

    def __init__(self, output: Path) -> None:
        self.output = output
        self.folder = output / FOLDER
        self.claims_folder = self.folder / "labels"
        self.labels = LabelSet(output)
        self._known: dict[Path, tuple[tuple[int, int, int], CaseRecord | None]] = {}
        for folder in (self.folder, self.claims_folder, self.labels.root):
            check_inside(folder, output)
        make_folder(self.folder)
        self._clear()

    def record_path(self, label: str) -> Path:
        """Return the file of a case's record."""
        return self.folder / f"sub-{label}.json"

    def journal_path(self, label: str) -> Path:
        """Return the file of a case's journal, which is written where it leads."""
        return self._inside(self.folder / f"sub-{label}.jsonl")

    def lock_path(self, label: str) -> Path:
        """Return the file of a case's lock."""
        return self.folder / f"sub-{label}.lock"

    def prepared_path(self, label: str) -> Path:
        """Return the file of the initial mask that is made ahead of a case's work."""
        return self._inside(self.folder / f"sub-{label}_initial.npz")

    def all_records(self, without: Container[str] = ()) -> dict[str, CaseRecord]:
        """Return every record there is, by case, but those of some labels, damaged and unreadable ones."""
        found = {}
        for name in self._names(r"sub-.*\.json"):
            if name[len("sub-") : -len(".json")] in without:
                continue
            # Whoever wants to work on its case is told.
            with passed_over(f"{name} was not read", ImageError, StorageError):
                record = self._read(self.folder / name)
                if record is not None:
                    found[record.case] = record
        return found

    def read(self, case: str, label: str) -> CaseRecord:
        """Return a case's record, made anew from label and journal where it is missing or damaged."""
        record = self._read(self.record_path(label))
        if record is not None and record.case == case:
            return record
        record = self.labels.record(label)
        if record is not None:
            return record
        with reading(self.folder):
            begun = is_there(self.journal_path(label))
        begun = begun or self.kept_mask(label) is not None
        return CaseRecord(case, label, CaseState.IN_WORK if begun else CaseState.TODO)

    def _read(self, path: Path) -> CaseRecord | None:
        """Read a record unless it is the same file as when it was read last."""
        with reading(path):
            if not is_there(path):
                return None
            found = path.stat()
        version = (found.st_ino, found.st_mtime_ns, found.st_size)
        known = self._known.get(path)
        if known is None or known[0] != version:
            known = self._known[path] = (version, read_record(path))
        return known[1]

    def write(self, record: CaseRecord) -> None:
        """Write a record; it is on the disk when this returns. Its label's sidecar is to follow it.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        path = self._inside(self.record_path(record.label))
        with changing(self.folder):
            if is_there(path) and self._read(path) is None:
                os.replace(path, path.with_suffix(".damaged"))
        write_json(path, record.to_json())

    def is_whole(self, label: str) -> bool:
        """Whether the sidecar of a case that is done says what its record says; raises `ImageError`."""
        record = self._read(self.record_path(label))
        return record is None or self.labels.follows(record)

    def mend(self, label: str) -> None:
        """Let the sidecar of a case that is done follow its record, which is written first and counts.

        Only whoever holds the case's lock may; raises `ImageError` if it cannot be written.
        """
        record = self._read(self.record_path(label))
        if record is not None:
            self.labels.follow(record)

    def write_summary(self, records: list[CaseRecord]) -> None:
        """Write the table of all cases, unless it is locked, by a spreadsheet that shows it for instance.

        It holds nothing that the records do not, and is written anew each time. Cases that others have begun
        on a longer list than this one follow after ``records``.
        """
        with passed_over("the table of all cases was not written", ImageError, StorageError):
            others = self.all_records(without={record.label for record in records}).values()
            begun = [record for record in others if record.state is not CaseState.TODO]
            write_rows(self.output / SUMMARY, SUMMARY_COLUMNS, map(summary_row, [*records, *begun]))

    def keep_mask(
        self, label: str, values: np.ndarray, grid: Grid, point: JournalPoint, sides_known: bool = True
    ) -> Path:
        """Keep a working mask, whose name says at which point of the journal that is; return its file.

        ``sides_known`` is as of the `Volume` on which it lies.

        Raises
        ------
        StorageError
            If it cannot be written; an older one stays.
        """
        older = self._kept_masks(label)
        path = self._inside(self._kept_path(label, point))
        write_mask(path, values, grid, sides_known=sides_known)
        # The one that holds most of the journal counts, so an older one that stays does no harm.
        with passed_over("an older working mask stays", OSError):
            for other in older.values():
                if other != path:
                    other.unlink(missing_ok=True)
        return path

    def kept_mask(self, label: str, journal: Journal | None = None) -> tuple[Path, JournalPoint] | None:
        """Return a working mask and the point at which it was kept: the one that holds most of the journal.

        Of several of which the journal knows nothing, it is the newest.
        """

        def order(kept: tuple[Path, JournalPoint]) -> tuple[int, int]:
            known = journal.position(kept[1]) if journal is not None else None
            return -1 if known is None else known, kept[0].stat().st_mtime_ns

        masks = ((path, point) for point, path in self._kept_masks(label).items())
        with reading(self.folder):
            return max(masks, key=order, default=None)

    def keeps(self, label: str) -> bool:
        """Whether a label or a working mask holds what was done on a case."""
        return self.labels.has(label) or self.kept_mask(label) is not None

    def drop_mask(self, label: str) -> None:
        """Remove the working mask, once the label holds it."""
        with passed_over("a working mask stays", OSError, ImageError, StorageError):
            for path in self._kept_masks(label).values():
                path.unlink(missing_ok=True)

    def withdraw(self, label: str, point: JournalPoint) -> None:
        """Take a label out of the label set; it is the working mask then, unless there is a newer one."""
        image = self.labels.path(label)
        with changing(self.output):
            if is_there(image) and self.kept_mask(label) is None:
                os.replace(image, self._inside(self._kept_path(label, point)))
            self.labels.remove(label)

    def set_aside(self, label: str) -> None:
        """Set journal, working mask and label aside, under names that are used for nothing else."""
        masks = self._kept_masks(label).values()
        with changing(self.output):
            self._set_aside(self.journal_path(label), self.labels.path(label), *masks)
            self.labels.remove(label)

    def set_journal_aside(self, label: str) -> None:
        """Set the journal alone aside, likewise."""
        with changing(self.output):
            self._set_aside(self.journal_path(label))

    def knows(self, label: str) -> bool:
        """Whether anything is there of a case: record, journal, mask or label."""
        files = (self.record_path(label), self.journal_path(label), self.labels.path(label))
        with reading(self.output):
            there = any(map(is_there, files))
        return there or self.kept_mask(label) is not None

    def _clear(self) -> None:
        """Remove what a crash left half-written; what is young may be written by somebody this moment."""
        oldest = drive_time(self.folder) - _LEFT_S
        for root in (self.folder, self.labels.root):
            for folder, folders, files in os.walk(root):
                for name in (*folders, *files):
                    if name.startswith((_WRITING, _LOCKS)):
                        _remove_older(Path(folder, name), oldest)

    def _set_aside(self, *files: Path) -> None:
        stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S%f")
        for path in filter(is_there, files):
            os.replace(path, self._inside(self.folder / f"old-{stamp}_{path.name}"))

    def _inside(self, path: Path) -> Path:
        check_inside(path, self.output)
        return path

    def _names(self, pattern: str) -> list[str]:
        """Return the names in the worklist's own folder that a pattern fits."""
        with reading(self.folder):
            return sorted(name for name in os.listdir(self.folder) if re.fullmatch(pattern, name))

    def _kept_path(self, label: str, point: JournalPoint) -> Path:
        chain = f"_chain-{point.checksum}" if point.checksum else ""
        return self.folder / f"sub-{label}_events-{point.events}{chain}_mask.nii.gz"

    def _kept_masks(self, label: str) -> dict[JournalPoint, Path]:
        pattern = rf"sub-{re.escape(label)}_events-(\d+)(?:_chain-([0-9a-f]+))?_mask\.nii\.gz"
        matches = [re.fullmatch(pattern, name) for name in self._names(pattern)]
        return {JournalPoint(int(m[1]), m[2] or ""): self.folder / m[0] for m in matches if m is not None}


def _remove_older(left: Path, oldest: float) -> None:
    # Whoever writes it this moment may be done before we look.
    with suppress(OSError):
        if left.lstat().st_mtime < oldest:
            if not left.is_dir():
                left.unlink()
            elif left.name.startswith(_WRITING):
                rmtree(left, ignore_errors=True)
