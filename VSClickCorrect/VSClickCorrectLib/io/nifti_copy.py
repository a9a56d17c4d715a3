"""NIfTI files that ITK takes for damaged or scales wrongly, as ones that it reads as they are meant."""

from __future__ import annotations

import gzip
import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path

from VSClickCorrectLib.io.files import temporary_folder

_HEADER, _FIRST_VOXEL = 348, 352
_HEADER_2 = 540
_MAGIC, _MAGIC_2 = b"n+1\0", b"n+2\0\r\n\x1a\n"
_DIMENSIONS, _OFFSET, _SCALING = 40, 108, 112
_QFORM_CODE, _SFORM_CODE = 252, 254
# Byte beyond which no file's voxels begin.
_MAX_OFFSET = 1 << 40
_PART_BYTES = 1 << 22
# Where each field of the header stands: layout and offset in NIfTI-2, then in NIfTI-1.
_FIELDS = (
    *(("h", 12, "h", 70), ("h", 14, "h", 72), ("8q", 16, "8h", 40), ("3d", 80, "3f", 56)),
    *(("8d", 104, "8f", 76), ("2d", 176, "2f", 112), ("4d", 192, "4f", 124), ("q", 224, "h", 74)),
    *(("q", 232, "h", 120), ("80s", 240, "80s", 148), ("24s", 320, "24s", 228), ("2i", 344, "2h", 252)),
    *(("18d", 352, "18f", 256), ("i", 496, "B", 122), ("i", 500, "B", 123), ("i", 504, "h", 68)),
    *(("16s", 508, "16s", 328), ("B", 524, "B", 39)),
)  # fmt: skip


class AsNifti1:
    """What a file of NIfTI holds, read as if it were one of NIfTI-1 whose header is as ITK needs it.

    Axes beyond the third of no length are told as of one, ``scl_slope`` 0 as no scaling, which it means, and
    voxels that begin in the header or nowhere as beginning behind it. Other files are read as they are.

    Parameters
    ----------
    stream : file
        Of the file's bytes, at their beginning; it is closed at the end of the ``with`` statement.

    Attributes
    ----------
    plain : bool
        Whether the bytes are those of the file.
    """

    def __init__(self, stream: BufferedIOBase) -> None:
        self._stream = stream
        self._header = stream.read(_HEADER_2)
        self._first, self._place = len(self._header), 0
        if self._header[4:12] == _MAGIC_2:
            order = "<" if self._header[:4] == _HEADER_2.to_bytes(4, "little") else ">"
            self._header, self._first = _converted(self._header, order)
        mended = _mended(self._header)
        self.plain = mended == self._header and self._first == len(mended)
        self._header = mended

    def __enter__(self) -> AsNifti1:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def seek(self, place: int) -> None:
        """Go to a byte."""
        self._place = place

    def read(self, count: int) -> bytes:
        """Read so many bytes, fewer at the end."""
        head = self._header[self._place : self._place + count]
        self._stream.seek(max(0, self._place + len(head) - len(self._header)) + self._first)
        self._place += count
        return head + self._stream.read(count - len(head))


@contextmanager
def readable(path: Path, unplaced: bool = False) -> Iterator[Path]:
    """Give a file that ITK reads: the file itself, or a copy in a temporary folder.

    Parameters
    ----------
    path : Path
        A NIfTI file.
    unplaced : bool
        Whether its sform is not to count.
    """
    if not unplaced and _is_plain(path):
        yield path
        return
    with temporary_folder("vsclick-") as folder:
        copy = folder / "image.nii"
        with opened(path) as stream, copy.open("wb") as target:
            header = bytearray(stream.read(_FIRST_VOXEL))
            if unplaced:
                header[_SFORM_CODE : _SFORM_CODE + 2] = bytes(2)
            target.write(header)
            while part := stream.read(_PART_BYTES):
                target.write(part)
        yield copy


def unplaced(path: Path) -> bytes:
    """Return a file of NIfTI-1 as one that names neither a place nor sides; raises OSError."""
    compressed = is_compressed(path)
    content = bytearray(gzip.decompress(path.read_bytes()) if compressed else path.read_bytes())
    content[_QFORM_CODE : _SFORM_CODE + 2] = bytes(4)
    return gzip.compress(content) if compressed else bytes(content)


def opened(path: Path) -> AsNifti1:
    """Open a NIfTI file as one of NIfTI-1, uncompressed."""
    return AsNifti1(gzip.open(path, "rb") if is_compressed(path) else path.open("rb"))


def is_compressed(path: Path) -> bool:
    """Whether a file is compressed by gzip, whatever it is called."""
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def _is_plain(path: Path) -> bool:
    """Whether ITK reads a file under its own name."""
    if path.name.endswith(".nii.gz"):
        # Of scan.nii.gz with a scan.nii beside it, ITK takes the header and then the voxels of scan.nii.
        named = not path.with_suffix("").exists()
    else:
        named = path.name.endswith(".nii") and not is_compressed(path)
    with opened(path) as stream:
        return named and stream.plain


def _mended(header: bytes) -> bytes:
    """Return a header of NIfTI-1 as ITK needs it."""
    if len(header) < _HEADER or header[344:348] != _MAGIC:
        return header
    order = "<" if header[:4] == _HEADER.to_bytes(4, "little") else ">"
    mended = bytearray(header)
    count, *sizes = struct.unpack_from(order + "8h", header, _DIMENSIONS)
    beyond = sizes[3 : max(3, count)]
    struct.pack_into(f"{order}{len(beyond)}h", mended, _DIMENSIONS + 8, *(size or 1 for size in beyond))
    slope, _ = struct.unpack_from(order + "2f", header, _SCALING)
    if slope == 0:
        struct.pack_into(order + "2f", mended, _SCALING, 0.0, 0.0)
    # ITK begins with the four bytes before the voxels, which say whether extensions follow.
    (first,) = struct.unpack_from(order + "f", header, _OFFSET)
    if not _FIRST_VOXEL <= first < math.inf:
        struct.pack_into(order + "f", mended, _OFFSET, _FIRST_VOXEL)
    return bytes(mended)


def _converted(header: bytes, order: str) -> tuple[bytes, int]:
    """Return a header of NIfTI-2 as one of NIfTI-1, empty if it does not fit, and where the voxels begin."""
    if len(header) < _HEADER_2:
        return b"", len(header)
    (first,) = struct.unpack_from(order + "q", header, 168)
    new = bytearray(_FIRST_VOXEL)
    struct.pack_into(order + "i", new, 0, _HEADER)
    struct.pack_into(order + "f", new, _OFFSET, _FIRST_VOXEL)
    new[344:348] = _MAGIC
    try:
        for layout, place, narrower, there in _FIELDS:
            struct.pack_into(order + narrower, new, there, *struct.unpack_from(order + layout, header, place))
    except (struct.error, OverflowError):
        return b"", len(header)
    return bytes(new), min(max(first, _HEADER_2 + 4), _MAX_OFFSET)
