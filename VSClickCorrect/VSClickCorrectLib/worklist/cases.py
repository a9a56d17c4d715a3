"""The cases of a worklist: which files make up each, from a list or by how files are named."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from VSClickCorrectLib.datasets.case_list import COLUMNS, read_rows
from VSClickCorrectLib.datasets.dicom import find_series, unnamed_folders
from VSClickCorrectLib.datasets.folders import walk
from VSClickCorrectLib.datasets.importing import CASES, natural
from VSClickCorrectLib.datasets.names import case_name
from VSClickCorrectLib.errors import ImageError, WorklistError
from VSClickCorrectLib.files import is_text
from VSClickCorrectLib.imaging.grid import Grid
from VSClickCorrectLib.imaging.io import read_case, read_mask
from VSClickCorrectLib.imaging.volume import Case
from VSClickCorrectLib.worklist.claims import LabelClaims
from VSClickCorrectLib.worklist.labels import PIPELINE
from VSClickCorrectLib.worklist.store import FOLDER

_GONE = "its files are not there any more; put them back or take the case off the list."
ROLES = ("t1ce", "t2", "mask")
_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".seg.nrrd")
# Folders of results, not of scans.
_LEFT_OUT = {"derivatives", "sourcedata"}
_CROSSMODA = re.compile(r"(?P<case>crossmoda\d*_[a-z]+_\d+)_(?P<role>ceT1|hrT2|T2|Label)$")
_BIDS = re.compile(r"(?P<case>sub-[A-Za-z0-9+]+(_ses-[A-Za-z0-9+]+)?)_(.+_)?(?P<role>T1w|T2w)$")
# How a sequence or a mask is told in the words of a file's name, the first that fits.
_WORDS = (
    ("label", r"label|labels|dseg|truth|gt"),
    ("mask", r"mask|seg|segmentation|segm|initial"),
    ("t2", r"t2|t2w|hrt2|ciss|fiesta|drive"),
    ("t1ce", r"t1ce|t1c|t1gd|cet1|gdt1|ce|gd|gad"),
    ("t1", r"t1|t1w|t1wi"),
)
# Names of files begin with a case's label, and no system takes more than 255 bytes.
_LONGEST = 64
_CROSSMODA_ROLES = {"ceT1": "t1ce", "hrT2": "t2", "T2": "t2", "Label": "label"}
_BIDS_ROLES = {"T1w": "t1ce", "T2w": "t2"}


@dataclass(frozen=True)
class WorkCase:
    """A case of a worklist.

    Parameters
    ----------
    name : str
        What the list calls it.
    label : str
        What the label set calls it: letters and digits, with ``_ses-`` and the session where BIDS has one.
    t1ce, t2, mask : Path or None
        The sequences, and a mask to begin with.
    fault : str
        Why it cannot be worked on as it was found, a sentence; empty if it can.
    """

    name: str
    label: str = ""
    t1ce: Path | None = None
    t2: Path | None = None
    mask: Path | None = None
    fault: str = field(default="", compare=False)

    @property
    def files(self) -> dict[str, Path]:
        """The files that there are by role."""
        return {role: path for role in ROLES if (path := getattr(self, role)) is not None}

    @property
    def problem(self) -> str:
        """What is wrong with the case now, a sentence; empty if all its files are there."""
        if self.fault:
            return self.fault
        gone = [f"{path} does not exist any more" for path in self.files.values() if _is_gone(path)]
        return f"{gone[0]}; put it back or skip the case." if gone else ""

    def load(self) -> Case:
        """Read the sequences; the T2 is resampled to the grid of the T1ce.

        Raises
        ------
        ImageError
            If a file cannot be used; the message names the case.
        """
        if self.problem:
            raise ImageError(f"case {self.name}: {self.problem}")
        try:
            return read_case(self.t1ce, self.t2)
        except ImageError as error:
            raise type(error)(f"case {self.name}: {error}") from None

    def load_mask(self, grid: Grid) -> np.ndarray | None:
        """Read the mask to begin with, ``(K, J, I)`` bool on ``grid``; None if the case has none.

        Raises
        ------
        ImageError
            If it cannot be used; the message names the case.
        """
        if self.mask is None:
            return None
        try:
            return read_mask(self.mask, grid)
        except ImageError as error:
            raise type(error)(f"case {self.name}: {error}") from None


def _is_gone(path: Path) -> bool:
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return True
    except OSError:
        return False  # whoever reads it is told why it cannot be
    return False


def find_cases(source: Path, output: Path) -> list[WorkCase]:
    """Find the cases of a worklist.

    Parameters
    ----------
    source : Path
        A CSV file with the columns ``case``, ``t1ce``, ``t2``, ``mask`` (``label`` is not looked at), files
        relative to it; or a folder: one that ``vsclick import`` wrote, one named as crossMoDA or BIDS name
        files, one with a folder a case (VS-SEG's ``vs_gk_<n>`` for instance), or DICOM series.
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
    elif not _is_gone(source):
        cases = _listed(source, output)
    else:
        raise WorklistError(f"{source} does not exist; give a folder of cases or a CSV list.")
    if not cases:
        raise WorklistError(
            f"{source} holds no case; give a folder with NIfTI, NRRD or DICOM scans, one folder a case, or a "
            "CSV list."
        )
    return cases


def with_begun(cases: Sequence[WorkCase], begun: Sequence[str], known: Iterable[str]) -> list[WorkCase]:
    """Give cases the spelling that their files know, and add those that were begun and are gone.

    Parameters
    ----------
    cases : sequence of WorkCase
        What was found.
    begun : sequence of str
        Names of cases that were begun.
    known : iterable of str
        Names that records know.
    """
    spelled = {case_name(name): name for name in known}
    found = [replace(case, name=spelled.get(case.name, case.name)) for case in cases]
    there = {case.name for case in found}
    return found + [WorkCase(name, fault=_GONE) for name in begun if name not in there]


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
        with suppress(ImageError):
            claims.claim(label, name)

    def free(case: WorkCase) -> str:
        labels = (label for label in _labels(case.name) if label.casefold() not in taken)
        return next(label for label in labels if claims.claim(label, case.name))

    return [replace(case, label=known.get(case.name) or free(case)) for case in cases]


def _labels(name: str) -> Iterator[str]:
    """Return what the label set may call a case, the best first; any two names have some that differ."""
    label, digest = _label(name), hashlib.sha256(name.encode()).hexdigest()
    if len(label) <= _LONGEST:
        yield label
    for digits in range(6, len(digest) + 1):
        yield label[:_LONGEST] + digest[:digits]


def _label(name: str) -> str:
    """Return a name of letters and digits alone, as BIDS wants it."""
    bids = re.fullmatch(r"sub-([A-Za-z0-9]+)(_ses-[A-Za-z0-9]+)?", name)
    if bids and len(name) <= _LONGEST:
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
        files = {role: path.parent / row[role] for role in ROLES if row[role]}
        cases[name] = _checked(_apart(WorkCase(name, **files), output))
    return list(cases.values())


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
    found: dict[str, dict[str, list[Path]]] = {}
    homes: dict[str, set[Path]] = {}
    for path in _images(root, output):
        name, role, home = _told(path, root)
        found.setdefault(name, {}).setdefault(role, []).append(path)
        if home is not None:
            homes.setdefault(name, set()).add(home)
    named = [_case(name, found[name]) for name in found if _is_scan(found[name])]
    cases = named if found else list(_dicom(root))
    cases = [_checked(_of_one_home(case, homes.get(case.name, set()))) for case in cases]
    return sorted(cases, key=lambda case: natural(case.name))


def _of_one_home(case: WorkCase, homes: set[Path]) -> WorkCase:
    """Give a case a fault if its files are of two folders whose names become one name."""
    if len(homes) < 2:
        return case
    which = " and ".join(str(home) for home in sorted(homes)[:2])
    return WorkCase(case.name, fault=f"{which} would both be called '{case.name}'; rename one of them.")


def _is_scan(files: dict[str, list[Path]]) -> bool:
    return any(files.get(role) for role in ("t1ce", "t1", "t2", "unknown"))


def _case(name: str, files: dict[str, list[Path]]) -> WorkCase:
    files = {**files, "t1ce": files.get("t1ce") or files.get("t1", [])}
    for role in ROLES:
        paths = files[role] = _preferred(role, files.get(role, []))
        if len(paths) > 1:
            which = " and ".join(p.name for p in paths[:2])
            fault = f"it holds several files for its {role} ({which}); say in a CSV list which one to take."
            return WorkCase(name, fault=fault)
    unknown = files.get("unknown", [])
    if unknown and not files["t1ce"] and not files["t2"]:
        fault = (
            f"{unknown[0].name} does not say whether it is a T1 or a T2; say so in its name or a CSV list."
        )
        return WorkCase(name, fault=fault)
    return WorkCase(name, **{role: files[role][0] for role in ROLES if files[role]})


def _preferred(role: str, paths: list[Path]) -> list[Path]:
    """Return those of several files that are on the T1ce's grid or, of T1s, with contrast by BIDS's names."""
    for pattern in ("_ce-", "refT1") if role == "t1ce" else ("refT1",):
        paths = [p for p in paths if pattern in p.name] or paths
    return paths


def _images(root: Path, output: Path) -> Iterator[Path]:
    for here, folders, names in walk(root):
        folders[:] = [f for f in folders if f not in _LEFT_OUT and (here / f).resolve() != output]
        for file in names:
            if file.lower().endswith(_SUFFIXES) and not file.startswith("."):
                yield here / file


def _told(path: Path, root: Path) -> tuple[str, str, Path | None]:
    """Return which case a file belongs to, what it is, and the folder by which the case is called, if any."""
    stem = re.sub(r"(\.nii(\.gz)?|\.seg\.nrrd|\.nrrd)$", "", path.name, flags=re.IGNORECASE)
    if match := _CROSSMODA.match(stem):
        return match["case"], _CROSSMODA_ROLES[match["role"]], None
    if match := _BIDS.match(stem):
        return match["case"], _BIDS_ROLES[match["role"]], None
    words = re.split(r"[^A-Za-z0-9]+", stem)
    place = path.parent.relative_to(root).as_posix().replace("/", "_")
    role = next((r for r, p in _WORDS if any(re.fullmatch(p, w, re.IGNORECASE) for w in words)), "unknown")
    if place != ".":
        return case_name(place), role, path.parent
    patterns = "|".join(pattern for _, pattern in _WORDS)
    rest = [w for w in words if not re.fullmatch(patterns, w, re.IGNORECASE)]
    return case_name("_".join(rest) or root.resolve().name), role, None


def _dicom(root: Path) -> Iterator[WorkCase]:
    """Return a case for each patient with MR series, or for a folder of series without a patient."""
    found: dict[str, dict[str, list[Path]]] = {}
    weightings = {"t1": "t1ce", "t2": "t2", None: "unknown"}
    for series in find_series(root)[0]:
        name = case_name(series.patient or series.folder.name)
        found.setdefault(name, {}).setdefault(weightings[series.weighting], []).append(series.folder)
    for name, files in found.items():
        if _is_scan(files):
            yield _case(name, files)
    for folder in unnamed_folders(root):
        name = case_name("_".join(folder.relative_to(root).parts) or folder.name)
        yield WorkCase(name, fault=f"the name {folder} is not UTF-8 text; rename it, and what is in it.")
