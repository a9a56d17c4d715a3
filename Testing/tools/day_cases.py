"""A folder of cases for a long day: a few synthetic ones, each under many names."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.io.images import write_mask, write_volume
from VSClickCorrectLib.io.one_grid import resample_to_grid
from VSClickCorrectResearch.simulation.mask_perturbations import shifted
from VSClickCorrectResearch.simulation.synthesis import SyntheticCase, demo_case

SHAPE, SPACING = (60, 256, 256), (0.8, 0.8, 2.0)


@dataclass(frozen=True)
class DayCase:
    """What the day's script must know of a case.

    Parameters
    ----------
    grid : Grid
        Of the T1ce.
    border : ndarray of float
        Points of the tumour's true border, ``(n, 3)``, RAS mm.
    inside, outside : tuple of float
        A point in the tumour and one beside it, RAS mm.
    """

    grid: Grid
    border: np.ndarray
    inside: tuple[float, float, float]
    outside: tuple[float, float, float]

    def clicks(self, count: int, rng: np.random.Generator) -> list[Click]:
        """Return clicks of all kinds, two thirds of them on the border, in random places."""
        places = self.border[rng.choice(len(self.border), count, replace=False)]
        clicks = [Click(tuple(map(float, place)), ClickKind.BOUNDARY) for place in places]
        for n in range(2, count, 3):
            kind = ClickKind.INCLUDE if n % 2 else ClickKind.EXCLUDE
            clicks[n] = Click(self.inside if kind is ClickKind.INCLUDE else self.outside, kind)
        return clicks


def write_cases(folder: Path, count: int, made: list[SyntheticCase]) -> list[DayCase]:
    """Write ``count`` cases, the distinct ones of ``made`` in turn as links; return what they are.

    Parameters
    ----------
    folder : Path
        Is made; holds a folder a case, as a worklist reads them.
    count : int
        Cases.
    made : list of SyntheticCase
        The distinct ones.
    """
    for n in range(count):
        case = folder / f"case{n + 1:02d}"
        case.mkdir(parents=True)
        first = folder / f"case{n % len(made) + 1:02d}"
        if n < len(made):
            _write(case, made[n], n)
            continue
        for path in first.iterdir():
            os.link(path, case / path.name)
    return [_described(made[n % len(made)]) for n in range(count)]


def moderate_cases(count: int = 2) -> list[SyntheticCase]:
    """Return whole-head cases of 256×256×60 voxels."""
    return [_moderate(demo_case(seed)) for seed in range(count)]


def _moderate(made: SyntheticCase) -> SyntheticCase:
    affine = np.diag([-SPACING[0], -SPACING[1], SPACING[2], 1.0])
    affine[:3, 3] = made.grid.center_ras - affine[:3, :3] @ ((np.array(SHAPE[::-1]) - 1) / 2)
    grid = Grid(SHAPE, affine)
    t1ce, t2 = (resample_to_grid(volume, grid) for volume in (made.t1ce, made.t2))
    fraction = resample_to_grid(Volume(made.fraction, made.grid), grid).array
    return SyntheticCase(t1ce, t2, fraction >= 0.5, fraction, grid, made.site_ras, made.side)


def _write(folder: Path, made: SyntheticCase, seed: int) -> None:
    write_volume(folder / "T1ce.nii.gz", made.t1ce)
    write_volume(folder / "T2.nii.gz", made.t2)
    start = shifted(made.truth, made.grid.spacing[::-1], np.random.default_rng(seed))
    write_mask(folder / "mask.nii.gz", start, made.grid)


def _described(made: SyntheticCase) -> DayCase:
    truth, grid = made.truth, made.grid
    depth = ndimage.distance_transform_edt(truth, sampling=grid.spacing[::-1])
    border = grid.index_to_ras(np.argwhere(truth & (depth <= grid.spacing.max())))
    inside = grid.index_to_ras(np.unravel_index(np.argmax(depth), truth.shape))
    beside = np.add(inside, (0.0, 14.0, 0.0))
    return DayCase(grid, border, tuple(map(float, inside)), tuple(map(float, beside)))
