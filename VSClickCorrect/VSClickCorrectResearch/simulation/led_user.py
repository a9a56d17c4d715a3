"""The simulated user who does not know where the mask is wrong, but sees where the true border runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.mask import slice_border
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import Index3, Point3, point3

# So far from the place that is looked at a border is seen to belong to it.
_SEEN_MM = 12.0


def clicks_near(grid: Grid, truth: np.ndarray, mask: np.ndarray, places: Sequence[Point3]) -> list[Click]:
    """Return what a user clicks who is led to places, one click a place.

    Parameters
    ----------
    grid : Grid
        Where both masks lie.
    truth, mask : ndarray of bool
        The true and the present mask, ``(K, J, I)``.
    places : sequence of tuple of float
        RAS mm; the user looks at the slice of each.

    Returns
    -------
    list of Click
        A boundary click on the nearest voxel of the true border in the slice, within 12 mm; without one,
        an exclude click on the nearest voxel of the mask; none where there is neither.
    """
    clicks = (_click_near(grid, truth, mask, grid.ras_to_index(place)) for place in places)
    return [click for click in clicks if click is not None]


def random_places(grid: Grid, mask: np.ndarray, count: int, rng: np.random.Generator) -> list[Point3]:
    """Return places on the mask's border within slices, RAS mm, at most one a slice."""
    axis = grid.slice_order().axes[0]
    border = np.argwhere(slice_border(mask, axis))
    chosen: dict[int, np.ndarray] = {}
    for voxel in border[rng.permutation(len(border))]:
        if len(chosen) < count:
            chosen.setdefault(int(voxel[axis]), voxel)
    return [point3(grid.index_to_ras(voxel)) for voxel in chosen.values()]


def _click_near(grid: Grid, truth: np.ndarray, mask: np.ndarray, place: Index3) -> Click | None:
    axis = grid.slice_order().axes[0]
    shown = (slice_border(_slice_of(truth, axis, place), axis), _slice_of(mask & ~truth, axis, place))
    for voxels, kind in zip(shown, (ClickKind.BOUNDARY, ClickKind.EXCLUDE), strict=True):
        seen = np.argwhere(voxels)
        seen[:, axis] = place[axis]
        distances = np.linalg.norm((seen - place) * grid.spacing[::-1], axis=1)
        if distances.min(initial=np.inf) <= _SEEN_MM:
            return Click(point3(grid.index_to_ras(seen[np.argmin(distances)])), kind)
    return None


def _slice_of(values: np.ndarray, axis: int, place: Index3) -> np.ndarray:
    return np.take(values, [place[axis]], axis=axis)
