"""Images whose voxels are of no use, or of another kind than those of a scan."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from bad_case import BadInput, Room
from bright_ball import AXIAL, SHAPE, write_image
from good_files import FOUND
from made_images import IMAGE, saved, with_values

TITLE = "Voxels"


def _with(array: np.ndarray, value: float) -> np.ndarray:
    spoiled = array.astype(np.float32)
    spoiled[12, 30, 30:33] = value
    return spoiled


def _four_dimensional(room: Room):
    image = sitk.JoinSeries([sitk.GetImageFromArray(IMAGE)] * 2)
    return room.segment(saved(room, image, "T1ce.nii"))


def _coloured(room: Room):
    return room.segment(saved(room, sitk.GetImageFromArray(np.stack([IMAGE] * 3, -1), True), "T1ce.nrrd"))


def _complex(room: Room):
    part = sitk.GetImageFromArray(IMAGE.astype(np.float32))
    return room.segment(saved(room, sitk.RealAndImaginaryToComplex(part, part), "T1ce.nii"))


def _flat(room: Room):
    return room.segment(saved(room, sitk.GetImageFromArray(IMAGE[12]), "T1ce.nii"))


def _far(room: Room):
    affine = AXIAL.copy()
    affine[0, 3] += 500
    return room.segment(room.good.t1ce, "--t2", write_image(room.folder / "T2.nii", IMAGE, affine))


CASES = [
    BadInput(
        "four-dimensional image",
        _four_dimensional,
        ("T1ce.nii", "64×64×24×2", "size", "three-dimensional"),
    ),
    BadInput("single slice", _flat, ("T1ce.nii", "64×64", "size", "three-dimensional")),
    BadInput(
        "colour image",
        _coloured,
        ("T1ce.nrrd", "several", "greyscale"),
    ),
    BadInput(
        "complex image",
        _complex,
        ("T1ce.nii", "several", "greyscale"),
    ),
    BadInput(
        "image with some NaN",
        with_values(lambda a: _with(a, np.nan)),
        ("T1ce.nii", "infinite", "export"),
    ),
    BadInput(
        "image with some NaN, NRRD",
        with_values(lambda a: _with(a, np.nan), "T1ce.nrrd"),
        ("T1ce.nrrd", "infinite", "export"),
    ),
    BadInput(
        "image with one infinite voxel",
        with_values(lambda a: _with(a, np.inf)),
        ("T1ce.nii", "infinite", "export"),
    ),
    BadInput(
        "image of nothing but NaN",
        with_values(lambda a: np.full(SHAPE, np.nan, np.float32)),
        ("T1ce.nii", "infinite", "export"),
    ),
    BadInput(
        "constant image",
        with_values(lambda a: np.full(SHAPE, 7, np.int16)),
        happens="is read; nothing is found, and that is said",
        prints="No tumour was found",
    ),
    BadInput(
        "image of nothing but zeros",
        with_values(lambda a: np.zeros(SHAPE, np.int16)),
        happens="is read; nothing is found, and that is said",
        prints="No tumour was found",
    ),
    BadInput("image of int64", with_values(lambda a: a.astype(np.int64)), happens="is read", prints=FOUND),
    BadInput("image of uint64", with_values(lambda a: a.astype(np.uint64)), happens="is read", prints=FOUND),
    BadInput(
        "image of float64", with_values(lambda a: a.astype(np.float64)), happens="is read", prints=FOUND
    ),
    BadInput(
        "image of float64 up to 1e300",
        with_values(lambda a: a * 1e297),
        ("T1ce.nii", "1e+300", "large", "export"),
    ),
    BadInput(
        "T1ce and T2 that do not overlap",
        _far,
        ("T1ce", "fields", "registered"),
    ),
]
