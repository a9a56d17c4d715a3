"""One small head in each of the 48 ways in which a file may store it, by arithmetic of its own."""

from __future__ import annotations

import gzip
import struct
from itertools import permutations, product
from pathlib import Path

import numpy as np
import SimpleITK as sitk

# The letter of each axis says to which side of the patient its index grows.
CODES = ["".join(code) for axes in permutations(("RL", "AP", "SI")) for code in product(*axes)]
_SIDES = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}

# Along R, A and S: how many voxels, how far apart, and where the first one lies.
COUNTS = (12, 10, 8)
SPACING = np.array((0.5, 0.75, 1.5))
FIRST_RAS = np.array((-40.0, 6.0, -3.0))


def head_ras(values: np.ndarray) -> np.ndarray:
    """RAS mm, shape (..., 3), at which voxels of these values lie: numbered along R, then A, then S."""
    r, a, s = values % COUNTS[0], values // COUNTS[0] % COUNTS[1], values // (COUNTS[0] * COUNTS[1])
    return FIRST_RAS + SPACING * np.stack([r, a, s], axis=-1)


def ras_array() -> np.ndarray:
    """The head's numbers as an array indexed [s, a, r]."""
    return np.arange(np.prod(COUNTS), dtype=np.int16).reshape(COUNTS[::-1])


def stored(code: str, values: np.ndarray) -> np.ndarray:
    """Return values indexed [s, a, r] as an array indexed [k, j, i] of that orientation."""
    sides = [_SIDES[letter] for letter in reversed(code)]
    array = values.transpose([2 - axis for axis, _ in sides])
    return array[tuple(slice(None, None, sign) for _, sign in sides)]


def affine_of(code: str) -> np.ndarray:
    """IJK to RAS of the head in that orientation, mm, shape (4, 4)."""
    affine = np.eye(4)
    affine[:3, :3] = 0
    affine[:3, 3] = FIRST_RAS
    for column, letter in enumerate(code):
        axis, sign = _SIDES[letter]
        affine[axis, column] = sign * SPACING[axis]
        if sign < 0:
            affine[axis, 3] += (COUNTS[axis] - 1) * SPACING[axis]
    return affine


def write_nifti(path: Path, array: np.ndarray, affine: np.ndarray) -> Path:
    """Write int16 voxels [k, j, i] as NIfTI, its header byte by byte, with the affine as sform."""
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, *array.shape[::-1], 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 4, 16)
    struct.pack_into("<8f", header, 76, 1, *np.linalg.norm(affine[:3, :3], axis=0), 0, 0, 0, 0)
    struct.pack_into("<f", header, 108, 352)
    header[123] = 2
    struct.pack_into("<2h", header, 252, 0, 1)
    struct.pack_into("<12f", header, 280, *affine[:3].ravel())
    header[344:348] = b"n+1\0"
    content = bytes(header) + np.ascontiguousarray(array, "<i2").tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def nifti_set_ras(path: Path) -> np.ndarray:
    """RAS mm, shape (n, 3), of the voxels set in a NIfTI file of bytes, by its sform."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    shape = struct.unpack_from("<3h", content, 42)[::-1]
    (code,) = struct.unpack_from("<h", content, 254)
    assert code > 0
    affine = np.reshape(struct.unpack_from("<12f", content, 280), (3, 4))
    (offset,) = struct.unpack_from("<f", content, 108)
    values = np.frombuffer(content, np.uint8, int(np.prod(shape)), int(offset)).reshape(shape)
    return np.argwhere(values)[:, ::-1] @ affine[:, :3].T + affine[:, 3]


def write_nrrd(path: Path, array: np.ndarray, affine: np.ndarray) -> Path:
    """Write int16 voxels [k, j, i] as NRRD in RAS, its header line by line."""
    vectors = ["({:.12g},{:.12g},{:.12g})".format(*affine[:3, n]) for n in range(4)]
    lines = [
        "NRRD0004",
        "type: int16",
        "dimension: 3",
        "space: right-anterior-superior",
        "sizes: {} {} {}".format(*array.shape[::-1]),
        f"space directions: {' '.join(vectors[:3])}",
        "kinds: domain domain domain",
        "endian: little",
        "encoding: raw",
        f"space origin: {vectors[3]}",
    ]
    path.write_bytes("\n".join(lines).encode() + b"\n\n" + np.ascontiguousarray(array, "<i2").tobytes())
    return path


def write_turned(path: Path, code: str) -> Path:
    """Write the head as SimpleITK turns it into that orientation."""
    head = sitk.GetImageFromArray(ras_array())
    head.SetSpacing(SPACING.tolist())
    head.SetOrigin((FIRST_RAS * (-1, -1, 1)).tolist())
    head.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))
    sitk.WriteImage(sitk.DICOMOrient(head, code), str(path))
    return path


def set_ras(path: Path) -> np.ndarray:
    """RAS mm, shape (n, 3), of the voxels set in an image, as SimpleITK places them."""
    image = sitk.ReadImage(str(path))
    indices = np.argwhere(sitk.GetArrayFromImage(image))[:, ::-1]
    points = [image.TransformIndexToPhysicalPoint(index) for index in indices.tolist()]
    return np.reshape(points, (-1, 3)) * (-1, -1, 1)
