"""Headers of NRRD files, checked before the library that reads them could be led to other files."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io.nifti import LARGEST_GZIP_RATIO, NO_IMAGE

SUFFIX = ".nrrd"
_HEADER_BYTES = 1 << 20
_MAX_AXES = 16
# What the header may call the type of a voxel, and the bytes of one.
_TYPE = re.compile(
    r"(?:u|(?:un)?signed )?(char|short|int|long ?long|int(?:8|16|32|64)|float|double)(?: int|_t)?"
)
_BYTES = {"char": 1, "int8": 1, "short": 2, "int16": 2, "int": 4, "int32": 4, "float": 4}
# Without these nothing is known of the voxels.
_NEEDED = ("type", "dimension", "sizes", "encoding")
# Of these spaces alone ITK, and so Slicer, knows the axes; to any other it gives those of LPS.
_ANATOMICAL = {
    "left-posterior-superior",
    "lps",
    "right-anterior-superior",
    "ras",
    "left-anterior-superior",
    "las",
}
# ITK takes every number for one of mm, whatever the header says; a fourth axis may be one of time.
_UNIT = re.compile(r'"\s*([^"]*?)\s*"')
_MM = re.compile(r"mm|millimet(?:er|re)s?|\?*|none|m?s")
# A voxel's size along an axis, or the vector that has it as its length; where none is told stands a word.
_SIZE = re.compile(r"\([^()]*\)|(?<![^\s])[-+.\d][^\s()]*")
# A file beside the header; a pattern with a number in it, or a list, is none.
_BESIDE = re.compile(r"(?!list\b)[^/\\:%]+")
_BZIP2 = {"bzip2", "bz2"}
# At most so many bytes of voxels come from one byte of the file.
_RATIOS = {"raw": 1, "gzip": LARGEST_GZIP_RATIO, "gz": LARGEST_GZIP_RATIO}


@dataclass(frozen=True)
class NrrdHeader:
    """What the header of a NRRD file says.

    Parameters
    ----------
    shape : tuple of int
        Samples along each axis, the first running fastest.
    voxel_bytes : int
        Bytes of all voxels.
    sides : bool
        Whether it says which way the axes run in the patient.
    origin : bool
        Whether it says where the first voxel lies.
    """

    shape: tuple[int, ...]
    voxel_bytes: int
    sides: bool
    origin: bool
    reader: ClassVar[str] = "NrrdImageIO"


def read_header(path: Path) -> NrrdHeader:
    """Read the header of a NRRD file that holds its own voxels.

    Raises
    ------
    ImageError
        If the file is no NRRD file, its voxels lie in another one, or cannot be in a file of this length, or
        it tells places in another unit than mm, or no voxel size.
    """
    fields = _fields(_beginning(path))
    if not fields or "datafile" in fields:
        raise ImageError(
            f"{path} keeps its voxels in another file or has no proper header; save it as one file."
        )
    named = _UNIT.findall(" ".join(fields.get("spaceunits", []) + fields.get("units", [])))
    units = [unit for unit in named if not _MM.fullmatch(unit)]
    if units:
        raise ImageError(f"{path} tells places in {min(units)}, not in mm; export it in mm.")
    # ITK is built without it, and the file is none the worse.
    if not _BZIP2.isdisjoint(fields.get("encoding", [])):
        raise ImageError(f"{path} is packed by bzip2, which is not read; save it packed by gzip or unpacked.")
    found = _parsed(fields)
    ratio = _RATIOS.get("".join(fields.get("encoding", [])), math.inf)
    if found is None or found.voxel_bytes > path.stat().st_size * ratio:
        raise ImageError(f"{path} is incomplete or damaged; copy it again or export it again.")
    # ITK takes 1 mm for a size that is not told.
    told = " ".join(fields.get("spacings", []) + fields.get("spacedirections", []))
    if len(_SIZE.findall(told)) < min(3, len(found.shape)):
        raise ImageError(f"the header of {path} names no voxel size; export the image again.")
    return found


def names_no_other_folder(path: Path) -> bool:
    """Whether the voxels of a NRRD file are in it or in one file beside it, ``.nhdr`` and ``.raw``."""
    # Such a header may end with the file.
    fields = _fields(_beginning(path) + b"\n\n")
    names = fields.get("datafile", [])
    return bool(fields) and len(names) <= 1 and all(_BESIDE.fullmatch(name) for name in names)


def _beginning(path: Path) -> bytes:
    with path.open("rb") as stream:
        content = stream.read(_HEADER_BYTES)
    if not content.startswith(b"NRRD000"):
        raise ImageError(f"{path} {NO_IMAGE}")
    return content.replace(b"\r\n", b"\n")


def _fields(content: bytes) -> dict[str, list[str]]:
    """Return what stands in each field of a header, which is known by the letters of its name.

    None if the header does not end, or does not end for all: to the library that reads the file a lone
    carriage return ends a line as well.
    """
    header, end, _ = content.partition(b"\n\n")
    fields: dict[str, list[str]] = {}
    if not end or b"\r" in header or b"\0" in header:
        return fields
    for line in header.decode("latin-1").split("\n")[1:]:
        name, _, value = line.partition(":")
        if not line.startswith("#"):
            fields.setdefault(re.sub("[^a-z]", "", name.lower()), []).append(value.strip().lower())
    return fields


def _parsed(fields: dict[str, list[str]]) -> NrrdHeader | None:
    # Named twice, it could be one thing here and another to the library that reads the file.
    if any(len(fields.get(name, ())) != 1 for name in _NEEDED):
        return None
    kind, sizes = _TYPE.fullmatch(fields["type"][0]), fields["sizes"][0].split()
    if kind is None or not 1 <= len(sizes) <= _MAX_AXES or fields["dimension"][0] != str(len(sizes)):
        return None
    if not all(re.fullmatch("[1-9][0-9]{0,9}", size) for size in sizes):
        return None
    shape = tuple(map(int, sizes))
    directions = fields.get("spacedirections", [""])[0].replace("none", "")
    sides = fields.get("space", [""])[0] in _ANATOMICAL and bool(directions.strip())
    return NrrdHeader(shape, math.prod(shape) * _BYTES.get(kind[1], 8), sides, "spaceorigin" in fields)
