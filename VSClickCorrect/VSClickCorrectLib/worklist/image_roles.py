"""Which of the images that were found for a case is its T1ce, its T2 and its mask."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from VSClickCorrectLib.io.naming import Kind, words_of
from VSClickCorrectLib.io.series_choice import scattered
from VSClickCorrectLib.worklist.work_case import ROLES, WorkCase

# What makes a case.
SCANS = (Kind.T1CE, Kind.T1, Kind.NATIVE, Kind.T2, Kind.UNKNOWN)


@dataclass(frozen=True)
class FoundImage:
    """A file, or a DICOM series in its folder, and what a person calls it."""

    path: Path
    name: str
    uid: str = ""


def by_kind(images: Iterable[tuple[Kind, FoundImage]]) -> dict[Kind, list[FoundImage]]:
    """Return images by what they are."""
    found: dict[Kind, list[FoundImage]] = {}
    for kind, image in images:
        found.setdefault(kind, []).append(image)
    return found


def is_scan(files: dict[Kind, list[FoundImage]]) -> bool:
    """Whether there is an image among them that makes a case, clear or not."""
    return any(kind in files for kind in SCANS)


def case_of_images(name: str, files: dict[Kind, list[FoundImage]]) -> WorkCase:
    """Return a case of images by what they are; with a fault where it is not clear which to take."""
    t1ce = files.get(Kind.T1CE) or files.get(Kind.T1, [])
    found = {"t1ce": t1ce, "t2": files.get(Kind.T2, []), "mask": files.get(Kind.MASK, [])}
    for role in ROLES:
        images = found[role] = preferred(role, found[role])
        if len(images) > 1 and images[0].uid and len({image.uid for image in images}) == 1:
            return WorkCase(name, fault=scattered(f"its {role}", [image.path for image in images]))
        if len(images) > 1:
            return of_several(name, role, [image.name for image in images])
    if not found["t1ce"] and not found["t2"]:
        return WorkCase(name, fault=_why_unclear(files))
    unclear = [] if found["t1ce"] and found["t2"] else files.get(Kind.UNKNOWN, [])
    remarks = [
        *(f"{image.name} does not say that it is with contrast" for image in t1ce if Kind.T1CE not in files),
        *(f"{image.name} does not say whether it is a T1 or a T2 and was not taken" for image in unclear[:1]),
    ]
    chosen = {role: found[role][0] for role in ROLES if found[role]}
    uids = {role: image.uid for role, image in chosen.items() if image.uid}
    paths = {role: image.path for role, image in chosen.items()}
    return replace(WorkCase.of(name, paths), series=uids, remark="; ".join(remarks))


def of_several(name: str, role: str, images: Sequence[str]) -> WorkCase:
    """Return a case of which several images, by their names, may be what is its ``role``."""
    which = " and ".join(images[:2])
    fault = f"it holds several files for its {role} ({which}); say in a CSV list which one to take."
    return WorkCase(name, fault=fault)


def _why_unclear(files: dict[Kind, list[FoundImage]]) -> str:
    if native := files.get(Kind.NATIVE):
        return f"{native[0].name} is a T1 without contrast; add a T1ce or a T2, or name them in a CSV list."
    image = files[Kind.UNKNOWN][0]
    return f"{image.name} does not say whether it is a T1 or a T2; say so in its name or a CSV list."


def preferred(role: str, images: list[FoundImage]) -> list[FoundImage]:
    """Return those of several files that are on the T1ce's grid, or of masks those drawn on it."""
    images = [image for image in images if "refT1" in image.name] or images
    if role == "mask":
        return [image for image in images if "t2" not in words_of(image.name)] or images
    return images
