"""A head of one grey with a bright ball, whose truth is a formula, on grids of any orientation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case, Volume

RADIUS_MM = 7.0
CORE_MM = 4.5
CENTER = (60.0, -25.0, 18.0)
# Axial as scanners store it: columns to the left, rows to the back, slices up. Far from the scanner's zero,
# so that a sign lost between LPS and RAS leads outside.
SHAPE = (24, 64, 64)
AXIAL = np.array([[-0.75, 0, 0, 82.0], [0, -0.75, 0, -2.0], [0, 0, 1.5, 0.0], [0, 0, 0, 1]])
GRID = Grid(SHAPE, AXIAL)


def world(grid: Grid) -> np.ndarray:
    """RAS mm of every voxel by a plain product with the affine, shape (K, J, I, 3)."""
    k, j, i = np.indices(grid.shape)
    return (np.stack([i, j, k, np.ones_like(i)], axis=-1) @ np.asarray(grid.affine).T)[..., :3]


def ball(grid: Grid = GRID, center=CENTER, radius: float = RADIUS_MM) -> np.ndarray:
    """Voxels whose centre lies in a ball, bool (K, J, I)."""
    return np.linalg.norm(world(grid) - center, axis=-1) <= radius


def ball_volume(grid: Grid = GRID, *centers, t2: bool = False) -> Volume:
    """Air 0, head 400; the ball falls from 1000 in its core to 700 at its border; T2 is a tenth less."""
    points = world(grid)
    # The head: an ellipse in the patient's axial planes, round the grid's middle.
    flat = (points - grid.center_ras) / (22.0, 22.0, 1e9)
    values = np.where(np.linalg.norm(flat, axis=-1) < 1, 400.0, 0.0)
    for center in centers or (CENTER,):
        distance = np.linalg.norm(points - center, axis=-1)
        slope = np.interp(distance, (CORE_MM, RADIUS_MM), (1000.0, 700.0))
        values = np.where(distance <= RADIUS_MM, slope, values)
    return Volume((values * (0.9 if t2 else 1.0)).astype(np.int16), grid)


def ball_case(grid: Grid = GRID, *centers) -> Case:
    """Both sequences."""
    return Case(ball_volume(grid, *centers), ball_volume(grid, *centers, t2=True))


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """The Dice score by its definition."""
    return 2 * np.logical_and(a, b).sum() / (a.sum() + b.sum())


def write_image(path: Path, values: np.ndarray, affine: np.ndarray = AXIAL) -> Path:
    """Write an array with SimpleITK alone; LPS is RAS with the first two signs turned."""
    lps = np.diag([-1.0, -1.0, 1.0]) @ affine[:3]
    spacing = np.linalg.norm(lps[:, :3], axis=0)
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(spacing.tolist())
    image.SetOrigin(lps[:, 3].tolist())
    image.SetDirection((lps[:, :3] / spacing).ravel().tolist())
    sitk.WriteImage(image, str(path))
    return path


def read_image(path: Path) -> np.ndarray:
    """Read an array with SimpleITK alone."""
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


def write_points(path: Path, points, system: str = "LPS") -> Path:
    """Write (R, A, S, description) as Slicer 5 writes a list of points."""
    sign = -1.0 if system == "LPS" else 1.0
    control = [
        {"id": str(n), "label": f"F-{n}", "position": [sign * r, sign * a, s], "description": kind}
        | {"positionStatus": "defined"}
        for n, (r, a, s, kind) in enumerate(points, start=1)
    ]
    markup = {
        "type": "Fiducial",
        "coordinateSystem": system,
        "coordinateUnits": "mm",
        "controlPoints": control,
    }
    path.write_text(json.dumps({"markups": [markup]}), encoding="utf-8")
    return path
