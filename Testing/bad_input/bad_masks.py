"""Bad masks: of another grid, of several labels, of no labels."""

from __future__ import annotations

import numpy as np
from bad_case import BadInput
from bright_ball import AXIAL, SHAPE, ball, write_image

TITLE = "Masks"


def _mask(values: np.ndarray, affine: np.ndarray = AXIAL):
    return lambda room: room.correct(mask=write_image(room.folder / "mask.nii", values, affine))


def _labels() -> np.ndarray:
    labels = ball().astype(np.uint8)
    labels[2:4, 10:14, 10:14] = 2
    return labels


def _moved() -> np.ndarray:
    affine = AXIAL.copy()
    affine[0, 3] += 0.3
    return affine


CASES = [
    BadInput(
        "mask with several labels",
        _mask(_labels()),
        ("mask.nii", "1", "2", "--label", "labels"),
    ),
    BadInput(
        "label that the mask does not hold",
        lambda room: room.correct("--label", "9"),
        ("mask.nii", "9", "1", "label", "holds"),
    ),
    BadInput(
        "mask that lies a third of a millimetre off",
        _mask(ball().astype(np.uint8), _moved()),
        ("mask.nii", "grid", "resample"),
    ),
    BadInput(
        "mask of another size",
        _mask(np.ones((24, 64, 65), np.uint8)),
        ("mask.nii", "grid", "resample"),
    ),
    BadInput(
        "mask of NaN",
        _mask(np.where(ball(), np.nan, 0).astype(np.float32)),
        ("mask.nii", "infinite", "export"),
    ),
    BadInput(
        "empty mask",
        _mask(np.zeros(SHAPE, np.uint8)),
        happens="is read; an include click starts the tumour, and here a boundary click found it",
        prints="1 click: ",
    ),
    BadInput(
        "mask of float 0 and 1",
        _mask(ball().astype(np.float32)),
        happens="is read as a mask",
        prints="1 click: ",
    ),
    BadInput(
        "mask of probabilities",
        _mask(np.where(ball(), np.linspace(0.1, 1, 64), 0).astype(np.float32)),
        (
            "mask.nii",
            "0.4",
            "0.414286",
            "0.428571",
            "0.442857",
            "0.457143",
            "0.471429",
            "fractions",
            "threshold",
        ),
    ),
]
