"""The cases of a worklist: which files make up each, from a list or by how files are named."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from VSClickCorrectLib.errors import ImageError, StorageError, WorklistError, passed_over
from VSClickCorrectLib.io.files import is_text
from VSClickCorrectLib.io.folders import walk
from VSClickCorrectLib.io.naming import Kind
from VSClickCorrectLib.worklist.case_list import CASES, COLUMNS, listed_file, read_rows
from VSClickCorrectLib.worklist.claims import LabelClaims
from VSClickCorrectLib.worklist.dicom_cases import dicom_cases
from VSClickCorrectLib.worklist.image_roles import SCANS, FoundImage, by_kind, case_of_images, is_scan
from VSClickCorrectLib.worklist.labels import PIPELINE
from VSClickCorrectLib.worklist.names import case_name, natural
from VSClickCorrectLib.worklist.records import CaseRecord
from VSClickCorrectLib.worklist.side_by_side import PlacedCase, together, told_of_files
from VSClickCorrectLib.worklist.store import FOLDER
from VSClickCorrectLib.worklist.trees import ClassifiedPath, classify_path
from VSClickCorrectLib.worklist.work_case import ROLES, WorkCase, is_gone

_GONE = "its files are not there any more; put them back or take the case off the list."
_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".seg.nrrd")
# Of images that are not read, of those in two files the one that says what the other holds.
_UNREAD = (".hdr", ".nhdr", ".mha", ".mhd", ".mgz", ".mgh", ".mnc")
# Folders of results, not of scans.
_RESULTS = {"derivatives", "sourcedata"}
# Names of files begin with a case's label, and no system takes more than 255 bytes.
_MAX_LENGTH = 64
_Told = tuple[Path, ClassifiedPath]


def find_cases(source: Path, output: Path) -> list[WorkCase]:
    """Find the cases of a worklist.

    Parameters
    ----------
    source : Path
        A CSV file with the columns ``case``, ``t1ce``, ``t2``, ``mask`` (``label`` is not looked at), files
        relative to it; or a folder: one that ``vsclick import`` wrote, one named as crossMoDA or BIDS name
        files, one with a folder a case (VS-SEG's ``vs_gk_<n>`` for instance), DICOM series, or both.
    output : Path
        The folder of the results, which is not searched.

    Returns
    -------
    list of WorkCase
        In the order of the list, or by name as a person sorts names. A case whose files are missing or
        ambiguous is in the list, with a fault.

    Raises
    ------
    ImageError
        If a list cannot be read.
    WorklistError
        If there is no case.
    """
    if os.path.isdir(source):
        listed = source / CASES
        cases = _listed(listed, output) if listed.is_file() else _named(source, output.resolve())
    elif not is_gone(source):
        cases = _listed(source, output)
    else:
        raise WorklistError(f"{source} does not exist; give a folder of cases or a CSV list.")
    if not cases:
        raise WorklistError(
            f"{source} holds no case; give a folder with NIfTI, NRRD or DICOM scans, one folder a case, or a "
            "CSV list."
        )
    return cases


def with_begun(
    cases: Sequence[WorkCase], begun: Sequence[CaseRecord], known: Iterable[str]
) -> list[WorkCase]:
    """Give cases the spelling that their files know, and add those that were begun and are gone.

    Of one whose files bear another name now, as where a spreadsheet made 1 of 001, both names tell of it.

    Parameters
    ----------
    cases : sequence of WorkCase
        What was found.
    begun : sequence of CaseRecord
        The cases that were begun.
    known : iterable of str
        Names that records know.
    """
    spelled = {case_name(name): name for name in known}
    found = [replace(case, name=spelled.get(case.name, case.name)) for case in cases]
    there = {case.name for case in found}
    gone = {record.case: _image_of(record.files) for record in begun if record.case not in there}
    fresh = there - {record.case for record in begun}
    # A folder of several series is no one's alone.
    names = {_image_of(case.files): case.name for case in found if case.name in fresh and not case.series}
    renamed = {names[image]: name for name, image in gone.items() if image is not None and image in names}
    now = {earlier: name for name, earlier in renamed.items()}
    return [
        *(_known_as(case, renamed[case.name]) if case.name in renamed else case for case in found),
        *(WorkCase(name, fault=_why_gone(name, now.get(name, ""))) for name in gone),
    ]


def _image_of(files: Mapping[str, Path] | Mapping[str, str]) -> str | None:
    """Return the image on whose grid a case's label lies."""
    path = files.get("t1ce") or files.get("t2")
    return os.path.abspath(path) if path is not None else None


def _known_as(case: WorkCase, name: str) -> WorkCase:
    remark = f"its images are those of case '{name}', on which there is work; call it so to go on with that"
    return case.with_remark(remark)


def _why_gone(name: str, now: str) -> str:
    return f"its files are called case '{now}' now; call them '{name}' again in the list." if now else _GONE


def with_labels(cases: Sequence[WorkCase], known: dict[str, str], claims: LabelClaims) -> list[WorkCase]:
    """Give every case the name that the label set uses.

    Parameters
    ----------
    cases : sequence of WorkCase
        The cases.
    known : dict of str
        Names given earlier, by case: they stay.
    claims : LabelClaims
        Which names others have.

    Raises
    ------
    ImageError
        If a name cannot be claimed.
    """
    taken = {label.casefold() for label in known.values()}
    for name, label in known.items():
        # Those of before there were claims; on a drive that is read-only they are looked at nevertheless.
        with passed_over(f"the label of case {name} was not claimed", ImageError, StorageError):
            claims.claim(label, name)

    def free(case: WorkCase) -> str:
        labels = (label for label in _labels(case.name) if label.casefold() not in taken)
        return next(label for label in labels if claims.claim(label, case.name))

    return [replace(case, label=known.get(case.name) or free(case)) for case in cases]


def _labels(name: str) -> Iterator[str]:
    """Return what the label set may call a case, the best first; any two names have some that differ."""
    label, digest = _label(name), hashlib.sha256(name.encode()).hexdigest()
    if len(label) <= _MAX_LENGTH:
        yield label
    for digits in range(6, len(digest) + 1):
        yield label[:_MAX_LENGTH] + digest[:digits]


def _label(name: str) -> str:
    """Return a name of letters and digits alone, as BIDS wants it."""
    bids = re.fullmatch(r"sub-([A-Za-z0-9]+)(_ses-[A-Za-z0-9]+)?", name)
    if bids and len(name) <= _MAX_LENGTH:
        return bids[1] + (bids[2] or "")
    return re.sub(r"[^A-Za-z0-9]", "", name) or "case"


def _listed(path: Path, output: Path) -> list[WorkCase]:
    cases: dict[str, WorkCase] = {}
    for line, row in read_rows(path, COLUMNS, required=("case",)):
        name = case_name(row["case"])
        if name in cases:
            raise ImageError(
                f"{path}, line {line}, column case: '{name}' stands there twice; give each case its own name."
            )
        files = {role: listed_file(path.parent, row[role]) for role in ROLES if row[role]}
        cases[name] = _checked(_apart(WorkCase.of(name, files), output))
    return _sharing_told(list(cases.values()))


def _sharing_told(cases: Sequence[WorkCase]) -> list[WorkCase]:
    """Tell of cases that share an image or the mask and not all images, as where a line of a list was copied.

    Those that share all images are one examination that is to be looked at twice.
    """
    files = {case.name: {role: os.path.realpath(p) for role, p in case.files.items()} for case in cases}
    images = {name: {p for role, p in its.items() if role != "mask"} for name, its in files.items()}
    of: dict[str, list[str]] = {}
    for name, its in files.items():
        for place in its.values():
            of.setdefault(place, []).append(name)

    def told(case: WorkCase) -> WorkCase:
        its, own = files[case.name].values(), images[case.name]
        other = next((name for place in its for name in of[place] if images[name] != own), None)
        remark = f"it shares a file with case '{other}' and not all images; check the list"
        return case if other is None else case.with_remark(remark)

    return [told(case) for case in cases]


def _apart(case: WorkCase, output: Path) -> WorkCase:
    """Give a case a fault if one of its files lies where the worklist would replace or move it."""
    for path in case.files.values():
        place = Path(os.path.realpath(path))
        for folder in (FOLDER, Path("derivatives", PIPELINE)):
            if place.is_relative_to(os.path.realpath(output / folder)):
                return WorkCase(case.name, fault=f"{path} is a result of this worklist; copy it elsewhere.")
    return case


def _checked(case: WorkCase) -> WorkCase:
    for path in case.files.values():
        if not is_text(path):
            return WorkCase(case.name, fault=f"the name {path} is not UTF-8 text; rename the file.")
    if case.fault or case.t1ce is not None or case.t2 is not None:
        return case
    return replace(case, fault="it has neither a T1ce nor a T2; add one or skip the case.")


def _named(root: Path, output: Path) -> list[WorkCase]:
    images = list(_images(root, output))
    told = [(path, classify_path(path, root)) for path in images if not path.name.lower().endswith(_UNREAD)]
    unread = [path for path in images if path.name.lower().endswith(_UNREAD)]
    datasets = {file.dataset for _, file in told if file.dataset is not None and file.kind in SCANS}
    cases, masks = [], []
    for name, found in _grouped([(path, file) for path, file in told if file.kind is not Kind.OTHER]).items():
        files, others = _of_one_dataset(found, datasets)
        kinds = by_kind((file.kind, FoundImage(path, path.name)) for path, file in files)
        if is_scan(kinds):
            homes = {file.home for _, file in files if file.home is not None}
            case = _checked(_of_one_home(case_of_images(name, kinds), homes)).with_remark(others)
            cases.append(PlacedCase(case, frozenset(path.parent for path, _ in files)))
        else:
            masks += [image.path for image in kinds.get(Kind.MASK, ())]
    series = dicom_cases(root, output, masks, _RESULTS if cases else ())
    series = [replace(one, case=_checked(one.case)) for one in series]
    listed = together(told_of_files(cases, masks, unread, root), series, root)
    return sorted(listed, key=lambda case: natural(case.name))


def _of_one_dataset(files: Sequence[_Told], datasets: Collection[Path]) -> tuple[list[_Told], str]:
    """Leave out masks that lie in another dataset with scans than a case's own; return what is to be told."""
    own = {file.dataset for _, file in files if file.kind in SCANS}
    others = []
    for path, file in files:
        if own and file.kind is Kind.MASK and file.dataset is not None:
            # Masks may lie in a folder of their own within their dataset, or beside all.
            around = (f for f in (file.dataset, *file.dataset.parents) if f in datasets)
            others += [path] if next(around, None) not in (None, *own) else []
    remark = f"{others[0].name} in another dataset with such a subject was not taken" if others else ""
    return [(path, file) for path, file in files if path not in others], remark


def _grouped(told: Sequence[_Told]) -> dict[str, list[_Told]]:
    """Return the files of each case; what a folder holds of several visits are several cases."""
    cases: dict[str, list[_Told]] = {}
    for path, file in told:
        cases.setdefault(file.case, []).append((path, file))
    grouped = {}
    for name, files in cases.items():
        if len({file.visit for _, file in files if file.visit and file.kind in SCANS}) < 2:
            grouped[name] = files
            continue
        for path, file in files:
            grouped.setdefault(f"{name}_{file.visit}" if file.visit else name, []).append((path, file))
    return grouped


def _of_one_home(case: WorkCase, homes: set[Path]) -> WorkCase:
    """Give a case a fault if its files are of two folders whose names become one name."""
    if len(homes) < 2:
        return case
    which = " and ".join(str(home) for home in sorted(homes)[:2])
    return WorkCase(case.name, fault=f"{which} would both be called '{case.name}'; rename one of them.")


def _images(root: Path, output: Path) -> Iterator[Path]:
    for here, folders, names in walk(root):
        folders[:] = [f for f in folders if f not in _RESULTS and (here / f).resolve() != output]
        for file in names:
            if file.lower().endswith(_SUFFIXES + _UNREAD) and not file.startswith("."):
                yield here / file
