"""The hand that clicks: it means one place and hits another (Antonov et al., RClicks, 2024)."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, replace

import numpy as np
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import Point3, point3

OFF_TARGET_MM = 15.0
# Start, clicks of a user and the hand's errors follow from one seed and one case, but from numbers of their
# own: drawn from the same ones, only masks that were not spoiled would be missed by the first click.
_ERRORS, _PLACES = 1, 2


@dataclass(frozen=True)
class Hand:
    """How far from where they were meant clicks are made; one that is exact if nothing is said.

    Parameters
    ----------
    jitter_mm : float
        Standard deviation of the error in mm, in each of the two directions of the slice. The slice is
        the one that was meant: a user looks at it.
    off_target : float
        Share of clicks, 0 to 1, that land anywhere in the slice within `OFF_TARGET_MM`.
    seed : int
        One seed and one case, one series of errors.
    """

    jitter_mm: float = 0.0
    off_target: float = 0.0
    seed: int = 0

    def errors(self, case: str) -> np.random.Generator:
        """Return where the errors on a case of that name come from."""
        return self._chance(case, _ERRORS)

    def places(self, case: str) -> np.random.Generator:
        """Return where the places come from at which a user looks by chance."""
        return self._chance(case, _PLACES)

    def _chance(self, case: str, what: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, zlib.crc32(case.encode()), what])

    def clicked(self, grid: Grid, click: Click, rng: np.random.Generator) -> Click:
        """Return a click as it was made.

        Parameters
        ----------
        grid : Grid
            The image; no click leaves it.
        click : Click
            As it was meant.
        rng : numpy.random.Generator
            Of `errors`; as many numbers are drawn whatever the hand is like.
        """
        slips, radius, angle = rng.random(3)
        error = self.jitter_mm * rng.normal(size=2)
        if slips < self.off_target:
            # The root makes every part of the disc as likely as any other of its size.
            reach, turn = OFF_TARGET_MM * math.sqrt(radius), 2 * math.pi * angle
            error = reach * np.array([math.sin(turn), math.cos(turn)])
        if not error.any():
            return click
        return replace(click, position_ras=_moved(grid, click.position_ras, error))


def _moved(grid: Grid, position_ras: Point3, error_mm: np.ndarray) -> Point3:
    """Return a position moved within its slice, to the rim where it would leave the image.

    Parameters
    ----------
    error_mm : (2,) array
        Along the axes of rows and columns: in axial slices to the back of the head and to the patient's left.
    """
    order = grid.slice_order()
    # In array order (k, j, i), as the axes of the order are.
    index = grid.ras_to_ijk(position_ras)[::-1].copy()
    for axis, flipped, error in zip(order.axes[1:], order.flips[1:], error_mm, strict=True):
        voxels = error / grid.spacing[::-1][axis]
        index[axis] = np.clip(index[axis] + (-voxels if flipped else voxels), 0, grid.shape[axis] - 1)
    return point3(grid.index_to_ras(index))
