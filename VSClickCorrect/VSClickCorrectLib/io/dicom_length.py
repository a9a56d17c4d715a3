"""Whether a file is DICOM, and as long as its elements say: GDCM reserves 4 GB for one wrong bit."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io.files import check_file

_PREAMBLE_BYTES = 132
_IMPLICIT = b"1.2.840.10008.1.2"
# Elements of these syntaxes are written otherwise, big-endian or packed as a whole, and are not looked at.
_OTHERS = (b"1.2.840.10008.1.2.2", b"1.2.840.10008.1.2.1.99")
# After these the length takes four bytes, and two stand in between.
_LONG = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
# The length of what ends with an item of its own, as compressed pixels do.
UNDEFINED = 0xFFFFFFFF
# Items and what ends them have no kind of value.
_ITEMS = 0xFFFE
_ENDS = ((_ITEMS, 0xE00D), (_ITEMS, 0xE0DD))
_SYNTAX = (0x0002, 0x0010)
_SOP_CLASS = (0x0002, 0x0002)
_MAX_UID_LENGTH = 64


def begins_as_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM files do."""
    with path.open("rb") as stream:
        return stream.read(_PREAMBLE_BYTES)[128:] == b"DICM"


def is_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM files do; what cannot be opened does not."""
    try:
        check_file(path)
    except ImageError:
        return False
    return begins_as_dicom(path)


def sop_class(path: Path) -> str:
    """Return what kind of object a DICOM file says that it holds, a UID; empty if it is no such file."""
    with path.open("rb") as stream:
        for tag, length in _elements(stream, path.stat().st_size):
            if tag >= _SOP_CLASS:
                found = tag == _SOP_CLASS and length <= _MAX_UID_LENGTH
                return stream.read(length).strip(b"\0 ").decode("ascii", "replace") if found else ""
    return ""


def is_whole(path: Path) -> bool:
    """Whether no element of a DICOM file reaches beyond its end; files of other kinds are taken as whole.

    Sequences are skipped, and what follows an element of undefined length is not looked at.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        for _tag, length in _elements(stream, size):
            if length == UNDEFINED:
                return True
            if stream.tell() + length > size:
                return False
    return True


def values_at(path: Path, *tags: tuple[int, int]) -> list[tuple[int, int] | None]:
    """Return where the values of elements begin in a DICOM file, and their lengths; None if one is not found.

    Only elements of the file itself are looked at, none of those within its sequences.
    """
    places = {}
    with path.open("rb") as stream:
        for found, length in _elements(stream, path.stat().st_size):
            places[found] = stream.tell(), length
            if found >= max(tags):
                break
    return [places.get(tag) for tag in tags]


def _elements(stream: BinaryIO, size: int) -> Iterator[tuple[tuple[int, int], int]]:
    """Yield tag and length of each element of a DICOM file while the stream is where its value begins."""
    if stream.read(_PREAMBLE_BYTES)[128:] != b"DICM":
        return
    syntax = b""
    while stream.tell() < size and syntax not in _OTHERS:
        group, element, length = _next(stream, syntax)
        yield (group, element), length
        if (group, element) == _SYNTAX:
            syntax = stream.read(length).strip(b"\0 ")
        elif length == UNDEFINED:
            _pass_items(stream, syntax, size)
        else:
            stream.seek(length, os.SEEK_CUR)


def _pass_items(stream: BinaryIO, syntax: bytes, size: int) -> None:
    """Go to where a sequence of undefined length ends, of which the tag and the length have been read."""
    depth = 1
    while depth and stream.tell() < size:
        group, element, length = _next(stream, syntax)
        if (group, element) in _ENDS:
            depth -= 1
        elif length == UNDEFINED:
            depth += 1
        else:
            stream.seek(length, os.SEEK_CUR)


def _next(stream: BinaryIO, syntax: bytes) -> tuple[int, int, int]:
    """Read the tag and the length of an element; undefined if the file ends within them."""
    head = stream.read(8)
    group, element = (int.from_bytes(head[n : n + 2], "little") for n in (0, 2))
    if len(head) < 8:
        return group, element, UNDEFINED
    if group == _ITEMS or (syntax == _IMPLICIT and group > 2):
        return group, element, int.from_bytes(head[4:], "little")
    kind = head[4:6]
    if kind in _LONG:
        return group, element, int.from_bytes(stream.read(4), "little")
    # Some writers leave the explicit syntax that they name.
    known = kind.isalpha() and kind.isupper()
    return group, element, int.from_bytes(head[6:], "little") if known else int.from_bytes(head[4:], "little")
