"""What ITK passes over in NIfTI files: headers of no use, voxels that are missing or no numbers."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.volume import NOT_FINITE
from VSClickCorrectLib.io.nifti_copy import is_compressed, opened

NO_IMAGE = "is not an image that can be read; give NIfTI, NRRD or a DICOM folder."
SUFFIXES = (".nii", ".nii.gz")
_HEADER_BYTES = 348
# Bytes of a voxel by the header's number for its type; of real numbers how numpy calls them.
_VOXEL_BYTES = {2: 1, 4: 2, 8: 4, 16: 4, 32: 8, 64: 8, 128: 3, 256: 1, 512: 2, 768: 4, 1024: 8, 1280: 8}
_REALS = {16: "f4", 64: "f8"}
# Metre and micrometre, by the header's number for the unit; all else are mm.
_UNITS_MM = {1: 1e3, 3: 1e-3}
# No stream of gzip unpacks to more than this many times its size.
LARGEST_GZIP_RATIO = 1032
_PART_BYTES = 1 << 22
# Not every OSError: a drive that fails has no part in the file.
DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error)


@dataclass(frozen=True)
class NiftiHeader:
    """What the header of a NIfTI file says.

    Parameters
    ----------
    order : str
        ``"<"`` or ``">"``, as `struct` and numpy write it.
    shape : tuple of int
        Voxels along each axis, the first running fastest.
    datatype : int
        NIfTI's number for the type of its voxels.
    spacing : tuple of 3 float
        mm.
    unit_mm : float
        mm of the unit in which places and sizes are told.
    qform : tuple of 7 float
        Its quaternion (b, c, d), offset and the direction of its third axis; empty if it does not count.
    sform : tuple of 12 float
        Its rows; empty if it does not count.
    first : int
        Byte at which the voxels begin.
    """

    order: str
    shape: tuple[int, ...]
    datatype: int
    spacing: tuple[float, ...]
    unit_mm: float
    qform: tuple[float, ...]
    sform: tuple[float, ...]
    first: int
    reader: ClassVar[str] = "NiftiImageIO"

    @property
    def voxel_bytes(self) -> int:
        """Bytes of all voxels."""
        return math.prod(self.shape) * _VOXEL_BYTES[self.datatype]

    @property
    def lean(self) -> float:
        """Cosine of the angle at which axes of the sform meet; 0 where there is none."""
        if not self.sform:
            return 0.0
        axes = np.reshape(self.sform, (3, 4))[:, :3]
        sizes = np.linalg.norm(axes, axis=0)
        return float(np.abs(axes.T @ axes / np.outer(sizes, sizes) - np.eye(3)).max()) if sizes.all() else 1.0


def read_header(path: Path) -> NiftiHeader:
    """Read the header of a NIfTI file and refuse one that ITK would mend by guessing.

    Raises
    ------
    ImageError
        If the file is no NIfTI file, its header names no voxels, no voxel size or an unknown type, or its
        voxels cannot be in a file of this length.
    """
    try:
        with opened(path) as stream:
            header = _parsed(stream.read(_HEADER_BYTES))
            if header is None:
                raise ImageError(f"{path} {NO_IMAGE}")
            _check(header, path)
    except DAMAGED:
        raise ImageError(f"{path} is damaged; copy or download it again.") from None
    return header


def check_voxels(path: Path, header: NiftiHeader) -> None:
    """Refuse what ITK reads all the same.

    That is voxels of two sizes, a file that ends too early or holds NaN, for which ITK would put 0, and one
    that holds twice the voxels that its header names: of another type, or of several volumes.

    Raises
    ------
    ImageError
        If it does.
    """
    if header.sform:
        _check_sizes(header, path)
    missing, size, more = header.voxel_bytes, _VOXEL_BYTES[header.datatype], b""
    real = _REALS.get(header.datatype)
    try:
        with opened(path) as stream:
            stream.seek(header.first)
            while missing > 0 and (part := stream.read(min(missing, _PART_BYTES))):
                missing -= len(part)
                whole = len(part) // size * size
                if real and not np.isfinite(np.frombuffer(part[:whole], header.order + real)).all():
                    raise ImageError(f"{path}: {NOT_FINITE}")
            # What follows the voxels may be no gzip.
            with suppress(*DAMAGED):
                stream.seek(header.first + 2 * header.voxel_bytes - 1)
                more = stream.read(1)
    except DAMAGED:
        missing = max(missing, 1)
    if missing > 0:
        raise _incomplete(path)
    if more:
        raise ImageError(
            f"the header of {path} does not say how many volumes it holds or of what type; export it again."
        )


def _parsed(content: bytes) -> NiftiHeader | None:
    orders = {_HEADER_BYTES.to_bytes(4, "little"): "<", _HEADER_BYTES.to_bytes(4, "big"): ">"}
    order = orders.get(content[:4])
    if order is None or len(content) < _HEADER_BYTES or content[344:348] != b"n+1\0":
        return None

    def field(offset: int, layout: str) -> tuple:
        return struct.unpack_from(order + layout, content, offset)

    (dimensions, *sizes), (datatype,), (first,) = field(40, "8h"), field(70, "h"), field(108, "f")
    qform, sform = field(252, "2h")
    rows = field(280, "12f") if sform > 0 else ()
    turned = (*field(256, "6f"), -1.0 if field(76, "f")[0] < 0 else 1.0) if qform > 0 else ()
    unit_mm = _UNITS_MM.get(content[123] & 7, 1.0)
    shape = tuple(sizes[: max(0, dimensions)])
    return NiftiHeader(order, shape, datatype, field(80, "3f"), unit_mm, turned, rows, int(first))


def _check(header: NiftiHeader, path: Path) -> None:
    if not header.shape or min(header.shape) < 1:
        size = "×".join(map(str, header.shape)) or "none"
        raise ImageError(f"the header of {path} is damaged (its size is {size}); export the image again.")
    if header.datatype not in _VOXEL_BYTES:
        raise ImageError(
            f"the voxels of {path} are of an unknown type ({header.datatype}); export the image again."
        )
    size = "×".join(f"{s:g}" for s in header.spacing)
    if not all(math.isfinite(s) and s != 0 for s in header.spacing):
        raise ImageError(f"the header of {path} names no voxel size ({size} mm); export the image again.")
    if min(header.spacing) < 0:
        raise ImageError(
            f"the header of {path} names a negative voxel size ({size} mm), by which some programs mirror "
            "the image and others do not; export the image again."
        )
    if not all(map(math.isfinite, header.qform + header.sform)):
        raise ImageError(f"the header of {path} does not say where the image lies; export the image again.")
    length = path.stat().st_size * (LARGEST_GZIP_RATIO if is_compressed(path) else 1)
    if length < header.first + header.voxel_bytes:
        raise _incomplete(path)


def _check_sizes(header: NiftiHeader, path: Path) -> None:
    """Refuse a sform of other voxel sizes than the header's own: ITK goes by these, other programs do not."""
    sizes = np.linalg.norm(np.reshape(header.sform, (3, 4))[:, :3], axis=0)
    if not np.allclose(sizes, np.abs(header.spacing), rtol=1e-2):
        own, other = ("×".join(f"{s:g}" for s in triple) for triple in (header.spacing, sizes))
        raise ImageError(
            f"the header of {path} names two voxel sizes ({own} and {other} mm); export the image again."
        )


def _incomplete(path: Path) -> ImageError:
    return ImageError(f"{path} is incomplete; copy or download it again.")
