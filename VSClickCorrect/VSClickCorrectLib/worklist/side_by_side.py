"""Files and DICOM series beside each other in one folder: which are the same case, and whose is a mask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from VSClickCorrectLib.io.naming import Kind, kind_of, rest_of
from VSClickCorrectLib.worklist.image_roles import FoundImage, of_several, preferred
from VSClickCorrectLib.worklist.trees import stem_of
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

    A case of series beside one of files, the two alone in a folder that is not the whole list's, or of its
    name, is what the files were made of: the files are taken, unless they are unclear, and that is told.
    """
    same = [(one, other) for one in files for other in _same(one, files, series, root)]
    taken = {other: one for one, other in same if other.case.fault or not one.case.fault}
    unclear = {one: other for one, other in same if one.case.fault and other not in taken}
    told = {one: f"the DICOM series of '{o.case.name}' beside its files" for o, one in taken.items()}
    told |= {o: f"unclear files of '{one.case.name}' beside its series" for one, o in unclear.items()}
    listed = (one for one in (*files, *series) if one not in taken and one not in unclear)
    return [one.case.with_remark(f"{told[one]} were not taken" if one in told else "") for one in listed]


def _same(
    one: PlacedCase, files: Sequence[PlacedCase], series: Sequence[PlacedCase], root: Path
) -> Sequence[PlacedCase]:
    if named := [other for other in series if other.case.name == one.case.name]:
        return named
    for folder in _around(one, root):
        if any(other.is_within(folder) for other in files if other is not one):
            return []
        if beside := [other for other in series if other.is_within(folder)]:
            return beside if len(beside) == 1 else []
    return []


def _around(one: PlacedCase, root: Path) -> Iterator[Path]:
    """Return the folders within ``root`` that hold all images of a case, the innermost first."""
    for folder in (first := min(one.folders), *first.parents):
        if folder == root:
            return
        if all(place.is_relative_to(folder) for place in one.folders):
            yield folder


def with_masks(cases: Sequence[PlacedCase], masks: Sequence[Path], root: Path) -> list[PlacedCase]:
    """Give each case of series the mask in a file that lies beside them, and beside no other's.

    Of several cases beside a mask the one is meant of which the mask's name tells. The mask is told of and
    not taken where none is, its name is another's, the case has a DICOM segmentation, or its series lie in a
    folder next to the mask's.
    """
    own: dict[PlacedCase, list[Path]] = {one: [] for one in cases}
    unclear: dict[PlacedCase, list[Path]] = {one: [] for one in cases}
    for mask in masks:
        apart = mask.parent != root and kind_of(mask.parent.name) in (Kind.MASK, Kind.LABEL)
        folder = mask.parents[int(apart)]
        beside = [one for one in cases if one.is_within(folder)]
        if not beside and root not in (folder, folder.parent):
            for one in cases:
                unclear[one] += [mask] if one.is_within(folder.parent) else []
        meant = [one for one in cases if _words(one.case.name) <= _words(stem_of(mask))]
        its = [one for one in beside if (one in meant if meant else not _names_another(mask, one, root))]
        for one in its if len(its) == 1 else beside:
            (own if len(its) == 1 and one.case.mask is None else unclear)[one].append(mask)
    return [replace(one, case=_given(one.case, own[one], unclear[one])) for one in cases]


def told_of_files(
    cases: Sequence[PlacedCase], masks: Sequence[Path], unread: Sequence[Path], root: Path
) -> list[PlacedCase]:
    """Tell cases of files of what is not taken and lies in their folders, or further in, or is called so.

    As ``masks/P1/mask.nii.gz`` and ``masks/P1.nii.gz`` are called after ``images/P1``.

    Parameters
    ----------
    cases : sequence of PlacedCase
        The cases.
    masks, unread : sequence of Path
        Masks that are no case's, of which cases without one are told; images of formats that are not read.
    root : Path
        The folder of all cases, in which anything may lie.
    """
    around = {folder: mask for mask in masks for folder in mask.parents if folder != root}
    beside = {path.parent: path for path in reversed(unread) if path.parent != root}
    names = Counter(folder.name for one in cases for folder in one.folders if folder != root)
    called = {n: mask for mask in masks for n in (mask.parent.name, stem_of(mask)) if names[n] == 1}

    def told(case: WorkCase, folders: frozenset[Path]) -> WorkCase:
        near = [around[folder] for folder in sorted(folders) if folder in around]
        near += [called[folder.name] for folder in sorted(folders) if folder.name in called]
        if near and not case.mask:
            case = case.with_remark(f"{near[0].name} may be its mask and was not taken")
        if near := [beside[folder] for folder in sorted(folders) if folder in beside]:
            case = case.with_remark(f"{near[0].name} is of a format that is not read; save it as NIfTI")
        return case

    return [one if one.case.fault else replace(one, case=told(one.case, one.folders)) for one in cases]


def _names_another(mask: Path, one: PlacedCase, root: Path) -> bool:
    """Whether a mask's name tells of a number, as patients have, and nothing of a case or its folders."""
    told = {word.casefold() for word in rest_of(stem_of(mask))}
    parts = [part for folder in one.folders if folder != root for part in folder.relative_to(root).parts]
    known = set().union(*map(_words, (one.case.name, *parts)))
    return any(any(map(str.isdigit, word)) for word in told) and not told & known


def _words(name: str) -> set[str]:
    """Return the words of a name by which patients differ."""
    return {word.casefold() for word in rest_of(name)} or {name}


def _given(case: WorkCase, own: Sequence[Path], unclear: Sequence[Path]) -> WorkCase:
    images = preferred("mask", [FoundImage(path, path.name) for path in own])
    if case.fault:
        return case
    if len(images) > 1:
        return of_several(case.name, "mask", [image.name for image in images])
    remark = f"{unclear[0].name} may be its mask and was not taken" if unclear else ""
    return replace(case, mask=images[0].path if images else case.mask).with_remark(remark)
