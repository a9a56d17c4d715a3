"""Whose a file in a tree of scans is, and what it is: crossMoDA, BIDS, a folder a case, or loose files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from VSClickCorrectLib.io.naming import Kind, kind_of, rest_of
from VSClickCorrectLib.worklist.names import case_name

# The first edition named no centre.
_CROSSMODA = re.compile(r"(?P<case>crossmoda\d*_(?:[a-z]+_)?\d+)_(?P<role>ceT1|hrT2|T2|Label)")
_CROSSMODA_KINDS = {"ceT1": Kind.T1CE, "hrT2": Kind.T2, "T2": Kind.T2, "Label": Kind.LABEL}
_SUFFIX = re.compile(r"(\.nii(\.gz)?|\.seg\.nrrd|\.nrrd)$", re.IGNORECASE)
_BIDS = re.compile(
    r"(?P<case>sub-[A-Za-z0-9+]+(?:_ses-[A-Za-z0-9+]+)?)(?P<rest>(?:_.+)?)_(?P<suffix>[A-Za-z0-9]+)"
)
# Folders of a BIDS tree; scans of the head lie in the first.
_DATATYPES = (
    "anat",
    "func",
    "dwi",
    "fmap",
    "perf",
    "eeg",
    "meg",
    "ieeg",
    "beh",
    "pet",
    "micr",
    "nirs",
    "mrs",
)
# Kinds that one folder may hold.
_FAMILIES = ({Kind.T1CE, Kind.T1, Kind.NATIVE}, {Kind.T2}, {Kind.MASK, Kind.LABEL})
# What people call the contrast agent in BIDS where there was none.
_NO_AGENT = re.compile(r"(?:no|pre|nativ|un|without|wo).*|plain|0", re.IGNORECASE)
# What a mask may be called in BIDS and be the tumour's.
_TUMOUR = re.compile(
    r"[a-z]*tumou?r|lesion|schwannoma|vestibular[a-z]*|vs|an|tv|gtv|manual|expert|t[12]w?", re.IGNORECASE
)
# One visit of several that a folder holds.
_VISIT = re.compile(
    r"(?:19|20)\d\d([-_.]?)[01]\d\1[0-3]\d(?!\d)|(?<![a-z])(?:ses|session|visit|tp|timepoint)[-_]?\d+",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class ClassifiedPath:
    """What the name and the place of a file say of it.

    Parameters
    ----------
    case : str
        Whose it is.
    kind : Kind
        What it is.
    home : Path or None
        The folder by which the case is called, if any.
    visit : str
        At which of several visits it was made, empty if it does not say.
    dataset : Path or None
        The folder in which its subject has a folder, in a tree of one a subject.
    """

    case: str
    kind: Kind
    home: Path | None = None
    visit: str = ""
    dataset: Path | None = None


def classify_path(path: Path, root: Path) -> ClassifiedPath:
    """Return whose an image is and what, by its name and its place in a tree.

    Parameters
    ----------
    path : Path
        The file, NIfTI or NRRD.
    root : Path
        The tree.
    """
    if (told := of_crossmoda(path)) is not None:
        return told
    stem = stem_of(path)
    places = path.parent.relative_to(root).parts
    if match := _BIDS.fullmatch(stem):
        kind = _of_bids(match["rest"], match["suffix"], places)
        return _of_subject(match["case"], kind, root, places)
    # What Slicer saved as a segmentation is one, whatever image it is called after.
    kind = kind_of(f"{stem} seg" if path.name.lower().endswith(".seg.nrrd") else stem)
    subject = [place for place in places if re.fullmatch(r"(?:sub|ses)-[A-Za-z0-9+]+", place)]
    if subject and places[-1] in _DATATYPES:
        kind = _of_datatype(kind, places)
        return _of_subject("_".join(subject), kind, root, places)
    home = path.parent
    if places and _holds_one_kind(places[-1], kind):
        # One folder a sequence, which may say more of it than the file.
        kind = kind_of(places[-1]) if kind in (Kind.UNKNOWN, Kind.T1) else kind
        places, home = places[:-1], home.parent
    if places:
        visit = _VISIT.search(stem)
        return ClassifiedPath(case_name("_".join(places)), kind, home, visit[0] if visit else "")
    return ClassifiedPath(case_name("_".join(rest_of(stem)) or root.resolve().name), kind)


def _holds_one_kind(folder: str, kind: Kind) -> bool:
    """Whether a folder is called for what its files are, and a file of some kind may be one of them.

    Where a file says itself what it is, a folder that is called for more than that is somebody's.
    """
    its = kind_of(folder)
    called = not rest_of(folder) and any({its, kind} <= family for family in _FAMILIES)
    return its is not Kind.UNKNOWN if kind is Kind.UNKNOWN else called


def stem_of(path: Path) -> str:
    """Return an image's name without what says which format it has."""
    return _SUFFIX.sub("", path.name)


def _of_subject(case: str, kind: Kind, root: Path, places: tuple[str, ...]) -> ClassifiedPath:
    """Return a subject's image with its dataset: two may have a subject of that name.

    Masks may lie in a tree of their own, and so may each sequence, in folders that say which.
    """
    count = next((n for n, place in enumerate(places) if place.startswith("sub-")), None)
    if count is None:
        return ClassifiedPath(case, kind)
    dataset = root.joinpath(*(place for place in places[:count] if kind_of(place) is Kind.UNKNOWN))
    aside = kind in (Kind.MASK, Kind.LABEL, Kind.OTHER)
    return ClassifiedPath(case, kind, None if aside else dataset / places[count], dataset=dataset)


def of_crossmoda(path: Path) -> ClassifiedPath | None:
    """Return what a file's name tells as crossMoDA's editions name theirs; None if it is no such name."""
    match = _CROSSMODA.fullmatch(stem_of(path))
    return ClassifiedPath(match["case"], _CROSSMODA_KINDS[match["role"]]) if match else None


def _of_bids(rest: str, suffix: str, places: tuple[str, ...]) -> Kind:
    """Return what BIDS's suffix says, and the entities before it: many images are of no use here."""
    entities = [part.partition("-")[::2] for part in rest.split("_") if part]
    kind = kind_of(suffix)
    if kind in (Kind.MASK, Kind.LABEL):
        told = [value or key for key, value in entities if key in ("desc", "label", "roi") or not value]
        of_tumour = all(_TUMOUR.fullmatch(word) for word in told)
        return kind if of_tumour or kind is Kind.LABEL else Kind.OTHER
    values = " ".join(value or key for key, value in entities)
    if kind_of(values) is Kind.OTHER or ("part", "phase") in entities:
        return Kind.OTHER
    enhanced = kind is Kind.T1 and any(
        key == "ce" and not _NO_AGENT.fullmatch(value) for key, value in entities
    )
    return _of_datatype(Kind.T1CE if enhanced else kind, places)


def _of_datatype(kind: Kind, places: tuple[str, ...]) -> Kind:
    elsewhere = places and places[-1] in _DATATYPES[1:]
    return Kind.OTHER if elsewhere or kind is Kind.UNKNOWN else kind
