"""Masks in files of their own, NIfTI for instance, that lie beside DICOM series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from VSClickCorrectLib.io.naming import Kind, kind_of, rest_of
from VSClickCorrectLib.worklist.image_roles import FoundImage, of_several, preferred
from VSClickCorrectLib.worklist.placed_cases import PlacedCase
from VSClickCorrectLib.worklist.trees import stem_of


def with_masks(cases: Sequence[PlacedCase], masks: Sequence[Path], root: Path) -> list[PlacedCase]:
    """Give each case the mask that lies beside its series, and beside no other's, as that to begin with.

    Of several cases beside a mask the one is meant of which the mask's name tells; where none is, or the case
    has a DICOM segmentation, the mask is told of and not taken.
    """
    own: dict[str, list[Path]] = {}
    unclear: dict[str, list[Path]] = {}
    for mask in masks:
        beside = _beside(mask, cases, root)
        meant = _named_by(mask, cases)
        its = [one for one in beside if one in meant] if meant else beside
        for one in its if len(its) == 1 else beside:
            (own if len(its) == 1 else unclear).setdefault(one.case.name, []).append(mask)
    return [_given(one, own.get(one.case.name, []), unclear.get(one.case.name, [])) for one in cases]


def _beside(mask: Path, cases: Sequence[PlacedCase], root: Path) -> list[PlacedCase]:
    folder = mask.parent
    if folder != root and kind_of(folder.name) in (Kind.MASK, Kind.LABEL):
        folder = folder.parent
    return [one for one in cases if one.is_within(folder)]


def _named_by(mask: Path, cases: Sequence[PlacedCase]) -> list[PlacedCase]:
    """Return the cases all of whose name's words stand in a mask's name."""
    words = {word.casefold() for word in rest_of(stem_of(mask))}
    names = {one.case.name: {word.casefold() for word in rest_of(one.case.name)} for one in cases}
    return [one for one in cases if names[one.case.name] and names[one.case.name] <= words]


def _given(one: PlacedCase, own: Sequence[Path], unclear: Sequence[Path]) -> PlacedCase:
    case = one.case
    if case.fault:
        return one
    images = preferred("mask", [FoundImage(path, path.name) for path in own])
    if case.mask is not None:
        unclear = [*unclear, *(image.path for image in images)]
    elif len(images) > 1:
        return replace(one, case=of_several(case.name, "mask", [image.name for image in images]))
    elif images:
        case = replace(case, mask=images[0].path)
    remark = f"{unclear[0].name} may be its mask and was not taken" if unclear else ""
    return replace(one, case=case.with_remark(remark))
