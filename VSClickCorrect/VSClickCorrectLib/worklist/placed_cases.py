"""Cases of files and cases of DICOM series that were found in one folder, and which of them are the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from VSClickCorrectLib.worklist.work_case import WorkCase


@dataclass(frozen=True, eq=False)
class PlacedCase:
    """A case as it was found.

    Parameters
    ----------
    case : WorkCase
        The case.
    folders : frozenset of Path
        Where its images lie, those too that were not taken.
    """

    case: WorkCase
    folders: frozenset[Path]

    def is_within(self, folder: Path) -> bool:
        """Whether one of its images lies in a folder, or in one within that."""
        return any(place.is_relative_to(folder) for place in self.folders)


def together(files: Sequence[PlacedCase], series: Sequence[PlacedCase], root: Path) -> list[WorkCase]:
    """Return cases of files and of series as one list.

    A case of series beside one of files, alone with it in a folder that is not the whole list's, or of its
    name, is what the files were made of: the files are taken, unless they are unclear, and that is told.
    """
    same = [(one, other) for one in files for other in _same(one, series, root)]
    taken = {other: one for one, other in same if other.case.fault or not one.case.fault}
    unclear = {one: other for one, other in same if one.case.fault and other not in taken}
    remarks: dict[PlacedCase, str] = {}
    for other, one in taken.items():
        remarks[one] = f"the DICOM series of '{other.case.name}' beside its files were not taken"
    for one, other in unclear.items():
        remarks[other] = f"the files of '{one.case.name}' beside its series are unclear and were not taken"
    listed = (one for one in (*files, *series) if one not in taken and one not in unclear)
    return [one.case.with_remark(remarks.get(one, "")) for one in listed]


def _same(one: PlacedCase, series: Sequence[PlacedCase], root: Path) -> Sequence[PlacedCase]:
    if named := [other for other in series if other.case.name == one.case.name]:
        return named
    within = ([other for other in series if other.is_within(folder)] for folder in _around(one, root))
    beside = next(filter(None, within), [])
    return beside if len(beside) == 1 else []


def _around(one: PlacedCase, root: Path) -> Iterator[Path]:
    """Return the folders within ``root`` that hold all images of a case, the innermost first."""
    for folder in (first := min(one.folders), *first.parents):
        if folder == root:
            return
        if all(place.is_relative_to(folder) for place in one.folders):
            yield folder
