"""A patient of VS-SEG on a small grid, whose tumour is three discs, and how it is imported."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation
from vs_seg_files import LPS, PATIENT, T2_UID, circle, write_series
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.jobs.cases import ThisProcess
from VSClickCorrectResearch.datasets.importing import import_cases
from VSClickCorrectResearch.datasets.listed import read_case_list
from VSClickCorrectResearch.datasets.vs_seg import find_cases

SHAPE = (8, 40, 40)
AFFINE = np.array([[-1.0, 0, 0, 40.0], [0, -1.0, 0, 20.0], [0, 0, 1.5, -6.0], [0, 0, 0, 1]])
GRID = Grid(SHAPE, AFFINE)
CENTER = np.array([20.0, 0.0, 0.0])
# The tumour is drawn on the slices at S -1.5, 0 and 1.5 mm.
TUMOUR = [circle(CENTER + (0, 0, s), 6.3) for s in (-1.5, 0.0, 1.5)]
COCHLEA = [circle((30.0, 5.0, 0.0), 2.0)]
STRUCTURES = {"Vol2016": [circle(CENTER, 9.0)], "TV": TUMOUR, "cochlea": COCHLEA}
# RAS of the T1ce's frame to RAS of the T2's.
MATRIX = np.eye(4)
MATRIX[:3, :3] = Rotation.from_euler("z", 20, degrees=True).as_matrix()
MATRIX[:3, 3] = (4.0, -3.0, 1.5)


def points():
    k, j, i = np.indices(SHAPE)
    return (np.stack([i, j, k, np.ones_like(i)], axis=-1) @ AFFINE.T)[..., :3]


def disc():
    """The voxels whose centre lies in the tumour, by its formula."""
    p = points()
    flat = np.linalg.norm(p[..., :2] - CENTER[:2], axis=-1) < 6.3
    return flat & (np.abs(p[..., 2]) < 2)


def ramp(ras):
    return (500 + ras @ [6.0, -4.0, 9.0]).astype(np.int16)


def mapped(contours, matrix=MATRIX):
    return [c @ matrix[:3, :3].T + matrix[:3, 3] for c in contours]


def in_lps(matrix):
    flip = np.diag([*LPS, 1.0])
    return flip @ matrix @ flip


def write_t1(folder, **given):
    return write_series(folder, ramp(points()), GRID, **given)


def write_t2(folder, **given):
    """The same ramp seen in the T2's frame: a point of the T1ce shows the same grey in both."""
    grid = Grid(SHAPE, MATRIX @ AFFINE)
    given = {"uid": T2_UID, "description": "t2_ci3d_tra_1.5mm_v2_448"} | given
    return write_series(folder, ramp(points()) + 1000, grid, **given)


def imported(folder, tmp_path, registered=False):
    outcomes = import_cases(
        find_cases(folder, registered), folder, tmp_path / "cases", lambda _: None, ThisProcess()
    )
    return {outcome.name: outcome for outcome in outcomes}


def the_case(folder, tmp_path):
    outcome = imported(folder, tmp_path)[PATIENT]
    assert outcome.status == "imported", outcome.message
    (case,) = read_case_list(tmp_path / "cases" / "cases.csv")
    return case.load(), outcome.record
