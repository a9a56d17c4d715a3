"""Importing cases: each is read, checked and written whole, and what is there already is kept."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from VSClickCorrectLib import __version__
from VSClickCorrectLib.errors import ImageError, VSClickError
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.io.files import write_text
from VSClickCorrectLib.io.images import write_mask, write_volume
from VSClickCorrectLib.io.outputs import check_apart, check_ours, writing_into
from VSClickCorrectLib.jobs.cases import Outcome, Workers
from VSClickCorrectLib.signals import undone_by_signals
from VSClickCorrectLib.worklist.case_list import CASES, has_columns, write_rows
from VSClickCorrectLib.worklist.names import case_name, natural

from VSClickCorrectResearch.datasets.class_cases import CLASS_LIST, CLASS_MAP, RECORD, TUMOUR, record_in
from VSClickCorrectResearch.datasets.fingerprints import sha256_of
from VSClickCorrectResearch.datasets.listed import ListedCase, write_case_list
from VSClickCorrectResearch.datasets.whole_folders import restore_folders, write_folder

REPORT = "report.csv"
# Part of each fingerprint: cases are imported again by a library that makes them differently.
_FORMAT = 3
_FILES = {"t1ce": "T1ce.nii.gz", "t2": "T2.nii.gz", "label": TUMOUR, "mask": "mask.nii.gz"}
_OTHERS = {"t1": "T1.nii.gz", "flair": "FLAIR.nii.gz"}
# What a case's folder may hold and still be replaced: our own, and what desktops leave wherever they look.
_REPLACED = {RECORD, *_FILES.values(), *_OTHERS.values(), CLASS_MAP, ".DS_Store", "Thumbs.db", "desktop.ini"}
_QUALITY = ("nmi_before", "nmi_after", "translation_mm", "rotation_degrees", "overlap")
_REPORT_COLUMNS = ("case", "status", "label_mm3", "t2", *_QUALITY, "message")


class NoTumour(ImageError):
    """A case holds no tumour by its own account: it is left out, which is no failure."""


@dataclass(frozen=True, eq=False)
class Imported:
    """A case as it is written.

    Parameters
    ----------
    case : Case
        The sequences on one grid.
    label : ndarray of bool
        The tumour, ``(K, J, I)``, on that grid.
    mask : ndarray of bool, optional
        A segmentation to be corrected, on that grid.
    classes : ndarray of uint8, optional
        Numbers of classes from 1, on that grid; `record` names them as ``classes``.
    others : dict of Volume
        Sequences beside T1ce and T2 on that grid: ``t1`` and ``flair``.
    record : dict
        What `RECORD` says besides: how the T2 was placed, which structures were used, remarks.
    """

    case: Case
    label: np.ndarray
    mask: np.ndarray | None = None
    classes: np.ndarray | None = None
    others: dict[str, Volume] = field(default_factory=dict)
    record: dict = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class CaseSource:
    """A case that can be imported.

    Parameters
    ----------
    name : str
        What the case and its folder are called.
    files : dict of tuple of Path
        All files that it is made from, by their role.
    read : callable
        Returns the `Imported`, in whatever process; raises `VSClickError` if it cannot be read, `NoTumour`
        to leave it out.
    settings : dict
        What else decides what comes out.
    """

    name: str
    files: dict[str, tuple[Path, ...]]
    read: Callable[[], Imported]
    settings: dict = field(default_factory=dict)


@dataclass(frozen=True)
class ImportOutcome:
    """What became of a case: ``imported``, ``unchanged``, ``duplicate``, ``left out`` or ``failed``."""

    name: str
    status: str
    message: str
    record: dict = field(default_factory=dict)


def import_cases(
    sources: Sequence[CaseSource],
    root: Path,
    output: Path,
    progress: Callable[[ImportOutcome], None],
    workers: Workers,
) -> list[ImportOutcome]:
    """Import cases into a folder.

    Each case gets a folder, written beside and renamed; a case whose files and settings have not changed is
    kept, so that an import that was interrupted goes on where it stopped. `CASES` lists all complete cases
    of the folder, `CLASS_LIST` those whose classes are known, `REPORT` what became of those of this import.

    Parameters
    ----------
    sources : sequence of CaseSource
        The cases; one that fails does not stop the others.
    root : Path
        The folder that was imported; the record names files relative to it.
    output : Path
        Where to; made if it is not there.
    progress : callable
        Told of each case.
    workers : Workers
        Who reads and writes the cases.

    Returns
    -------
    list of ImportOutcome
        One a case, in their order.

    Raises
    ------
    StorageError
        If the folder cannot be written, is or lies among what is imported, holds lists of somebody else's, or
        another import is writing into it.
    """
    check_apart(output, _inputs(sources))
    check_ours(output, (CASES, CLASS_LIST, REPORT), has_columns(output / REPORT, _REPORT_COLUMNS))
    with writing_into(output):
        restore_folders(output)
        found: dict[int, ImportOutcome] = {}
        try:
            with undone_by_signals(lambda: _write_lists(output, _in_order(found))):
                for number, outcome in _outcomes(sources, root, output, workers):
                    found[number] = outcome
                    progress(outcome)
        finally:
            _write_lists(output, _in_order(found))
    return _in_order(found)


def _inputs(sources: Sequence[CaseSource]) -> Iterator[Path]:
    """Return all files that are read, and the folders of those that are read as a series."""
    for source in sources:
        for files in source.files.values():
            yield from files
            if len(files) > 1:
                yield from {path.parent for path in files}


def _in_order(found: dict[int, ImportOutcome]) -> list[ImportOutcome]:
    return [found[number] for number in sorted(found)]


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A case whose files are known; ``sources`` describes them."""

    number: int
    source: CaseSource
    sources: dict[str, dict]
    fingerprint: str


def _outcomes(
    sources: Sequence[CaseSource], root: Path, output: Path, workers: Workers
) -> Iterator[tuple[int, ImportOutcome]]:
    """Yield what becomes of each case, by its number: the same as if one were imported after the other."""
    left: dict[int, _Candidate] = {}
    for looked in workers.each(partial(_candidate, root), list(enumerate(sources))):
        if looked.error:
            yield looked.task[0], _not_imported(looked.task[1], looked.error, output)
        else:
            left[looked.task[0]] = looked.result()
    known = {record["fingerprint"]: record for record in _records(output).values()}
    while left:
        free = list(_independent(left, known))
        there = {one.number: outcome for one in free if (outcome := _there_already(one, known))}
        yield from there.items()
        for done in workers.each(partial(_import, output), [one for one in free if one.number not in there]):
            yield done.task.number, _noted(done, known, output)
        for one in free:
            del left[one.number]


def _independent(left: dict[int, _Candidate], known: dict[str, dict]) -> Iterator[_Candidate]:
    """Yield the cases of which it does not matter what becomes of those before them."""
    fingerprints: set[str] = set()
    names: set[str] = set()
    for number in sorted(left):
        one = left[number]
        concerned = {one.source.name, known.get(one.fingerprint, {}).get("case")}
        if one.fingerprint not in fingerprints and not concerned & names:
            yield one
        fingerprints.add(one.fingerprint)
        names.add(one.source.name)


def _candidate(root: Path, numbered: tuple[int, CaseSource]) -> _Candidate:
    number, source = numbered
    if not re.fullmatch(r"\w[\w.-]*", source.name):
        raise ImageError(
            f"'{source.name}' cannot be a folder's name; use letters, digits, full stops, '-' and '_'."
        )
    sources = {role: _source_record(files, root) for role, files in source.files.items()}
    return _Candidate(number, source, sources, _fingerprint(sources, source.settings))


def _there_already(one: _Candidate, known: dict[str, dict]) -> ImportOutcome | None:
    name, twin = one.source.name, known.get(one.fingerprint)
    if twin is None:
        return None
    if case_name(twin["case"]) == case_name(name):
        return ImportOutcome(name, "unchanged", "is there already", twin)
    return ImportOutcome(name, "duplicate", f"holds the same files as {twin['case']}, which is there")


def _noted(done: Outcome[_Candidate, ImportOutcome], known: dict[str, dict], output: Path) -> ImportOutcome:
    """Return what became of a case that was to be imported; ``known`` is told of it."""
    one = done.task
    if done.error:
        return _not_imported(one.source, done.error, output)
    for old in [key for key, other in known.items() if other["case"] == one.source.name]:
        del known[old]
    known[one.fingerprint] = done.result().record
    return done.result()


def _not_imported(source: CaseSource, error: VSClickError, output: Path) -> ImportOutcome:
    there = (output / source.name / RECORD).exists()
    kept = " An earlier import of the case is still there." if there else ""
    status = "left out" if isinstance(error, NoTumour) else "failed"
    return ImportOutcome(source.name, status, f"{error}{kept}")


def _import(output: Path, one: _Candidate) -> ImportOutcome:
    """Read and write a case; doing it again does no harm."""
    name = one.source.name
    _check_replaceable(output / name, name)
    again = (output / name / RECORD).exists()
    imported = one.source.read()
    record = {
        "case": name,
        "fingerprint": one.fingerprint,
        "library": __version__,
        "sources": one.sources,
        "settings": one.source.settings,
        "shape": list(imported.case.grid.shape),
        "label_mm3": round(imported.case.grid.volume_of(imported.label), 1),
        **imported.record,
    }
    _write(output / name, imported, record)
    return ImportOutcome(name, "imported", _summary(record, again), record)


def _summary(record: dict, again: bool) -> str:
    volume = f"{record['label_mm3']:.0f} mm³" if record["label_mm3"] else "no tumour, the label is empty"
    changed = ["files or settings changed"] if again else []
    return "; ".join([*changed, volume, *record.get("remarks", ())])


def _source_record(files: Sequence[Path], root: Path) -> dict:
    """Describe files by where they lie, relative to ``root``, and by the SHA-256 of them all."""
    place = files[0] if len(files) == 1 else files[0].parent
    relative = Path(os.path.relpath(place.resolve(), root.resolve())).as_posix()
    return {"path": relative, "files": len(files), "sha256": sha256_of(files)}


def _fingerprint(sources: dict[str, dict], settings: dict) -> str:
    hashes = {role: record["sha256"] for role, record in sources.items()}
    text = json.dumps([_FORMAT, hashes, settings], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _check_replaceable(folder: Path, case: str) -> None:
    """Refuse what is in a case's place unless an import of this case wrote it, with all that is in it."""
    if not os.path.lexists(folder):
        return
    away = "move it away or choose another output"
    if folder.is_symlink() or not folder.is_dir():
        raise ImageError(f"{folder} is not a folder that an import wrote; {away}.")
    names = sorted(os.listdir(folder))
    others = [name for name in names if name not in _REPLACED] or ([] if RECORD in names else names)
    if others:
        raise ImageError(f"{folder / others[0]} is there and no import wrote it; {away}.")
    owner = record_in(folder).get("case", case)
    if owner != case:
        raise ImageError(f"the folder {folder} holds the case {owner}; {away}.")


def _write(folder: Path, imported: Imported, record: dict) -> None:
    # All lie on one grid; nobody is to know more of it from one file than from another.
    known = imported.case.reference.sides_known

    def fill(beside: Path) -> None:
        for name, volume in {**imported.case.present, **imported.others}.items():
            write_volume(beside / {**_FILES, **_OTHERS}[name], replace(volume, sides_known=known))
        if imported.classes is not None:
            classes = Volume(imported.classes, imported.case.grid, sides_known=known)
            write_volume(beside / CLASS_MAP, classes)
        for name, values in (("label", imported.label), ("mask", imported.mask)):
            if values is not None:
                write_mask(beside / _FILES[name], values, imported.case.grid, sides_known=known)
        write_text(beside / RECORD, json.dumps(record, indent=1, ensure_ascii=False) + "\n")

    write_folder(folder, fill)


def _records(output: Path) -> dict[str, dict]:
    """Return the records of all complete cases by name, in natural order."""
    paths = [p for p in output.glob(f"*/{RECORD}") if not p.parent.name.startswith(".")]
    records = {}
    for folder in sorted((p.parent for p in paths), key=lambda p: natural(p.name)):
        record = record_in(folder)
        # No record, no complete case: it is imported again. A folder renamed by hand is another case.
        if record.get("case") == folder.name and "fingerprint" in record:
            records[folder.name] = record
    return records


def _write_lists(output: Path, outcomes: Sequence[ImportOutcome]) -> None:
    cases = []
    for name in _records(output):
        files = {role: output / name / file for role, file in _FILES.items()}
        t1ce, t2, mask = (path if (path := files[role]).exists() else None for role in ("t1ce", "t2", "mask"))
        cases.append(ListedCase(name, t1ce, t2, files["label"], mask))
    if cases:
        write_case_list(output / CASES, cases)
        _write_class_list(output, [case.name for case in cases])
    write_rows(output / REPORT, _REPORT_COLUMNS, [_row(outcome) for outcome in outcomes])


def _write_class_list(output: Path, names: Sequence[str]) -> None:
    """List the cases whose classes are known, with all their sequences."""
    there = [name for name in names if (output / name / CLASS_MAP).exists()]
    if not there:
        _remove_class_list(output / CLASS_LIST, names)
        return
    images = {"t1ce": _FILES["t1ce"], "t2": _FILES["t2"], **_OTHERS}
    files = {**images, "label": CLASS_MAP}
    rows = [
        {role: f"{name}/{file}" if (output / name / file).exists() else "" for role, file in files.items()}
        for name in there
    ]
    columns = ["case", *(role for role in files if any(row[role] for row in rows))]
    cases = [{"case": name, **row} for name, row in zip(there, rows, strict=True)]
    kept = [{column: case[column] for column in columns} for case in cases]
    write_rows(output / CLASS_LIST, columns, kept)


def _remove_class_list(path: Path, names: Sequence[str]) -> None:
    """Remove a list of classes that cases had before they were imported again without; another stays."""
    if path.exists():
        cells = set(re.split(r'[,;\t"\r\n]', path.read_text("utf-8", "replace")))
        if any(f"{name}/{CLASS_MAP}" in cells for name in names):
            path.unlink()


def _row(outcome: ImportOutcome) -> dict[str, str]:
    record = outcome.record
    quality = record.get("registration", {})
    values = {"label_mm3": record.get("label_mm3", ""), "t2": record.get("t2_placed_by", ""), **quality}
    row = {name: str(values.get(name, "")) for name in _REPORT_COLUMNS}
    return {**row, "case": outcome.name, "status": outcome.status, "message": outcome.message}
