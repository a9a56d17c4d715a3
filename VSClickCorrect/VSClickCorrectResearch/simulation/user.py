"""The simulated user: where a clinician would click next (thesis sections 4.5.2.1 and 4.5.3)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import ndimage
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.mask import slice_border
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import Index3, index3

MIN_DISTANCE_MM = 4.0
# Below this error a clinician sees no reason to click.
MIN_ERROR_MM = 0.5
# A deeper error is no matter of where the border runs.
PART_MM = 4.0
_NEIGHBOURS = np.ones((3, 3, 3), bool)


def border_clicks(
    grid: Grid, truth: np.ndarray, mask: np.ndarray, count: int, rng: np.random.Generator | None = None
) -> list[Click]:
    """Place boundary clicks where the mask is farthest from the true border (Algorithm 1).

    Parameters
    ----------
    grid : Grid
        Where both masks lie.
    truth, mask : ndarray of bool
        The true and the present mask, ``(K, J, I)``.
    count : int
        Clicks wanted; fewer are placed where fewer errors are left. At most one a slice, at least
        `MIN_DISTANCE_MM` apart.
    rng : numpy.random.Generator, optional
        Breaks ties at random; without it the first voxel is taken.

    Returns
    -------
    list of Click
        Largest error first.

    Notes
    -----
    The thesis measures on one side of the mask only, chosen by which mask is larger, and so misses the
    other kind of error; here every point of the true border is weighed by its distance to the mask's. To the
    letter Algorithm 1 is `simulation.thesis_user`.
    """
    box = Box.of_array(truth | mask)
    if box is None or not truth.any():
        return []
    box = box.padded(2).clipped(grid.shape)
    error = _border_error(grid, truth[box.slices], mask[box.slices])
    if rng is not None:
        error = error + np.where(error > 0, rng.uniform(0, 1e-3, error.shape), 0)
    return [
        Click(tuple(grid.index_to_ras(np.array(index) + box.start)), ClickKind.BOUNDARY)
        for index in _farthest(grid, error, count)
    ]


def _border_error(grid: Grid, truth: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return, on the true border's voxels, the distance in mm to the mask's border; 0 elsewhere."""
    axis = grid.slice_order().axes[0]
    of_truth, of_mask = slice_border(truth, axis), slice_border(mask, axis)
    # A slice that the mask misses altogether is wrong everywhere: its distance is to the nearest slice.
    if not of_mask.any():
        return of_truth.astype(np.float32)
    distance = ndimage.distance_transform_edt(~of_mask, sampling=grid.spacing[::-1])
    error = np.where(of_truth, distance, 0).astype(np.float32)
    error[error < MIN_ERROR_MM] = 0
    return error


def _farthest(grid: Grid, error: np.ndarray, count: int) -> list[Index3]:
    """Pick the voxels of greatest error, apart from each other and one a slice."""
    error = error.copy()
    axis = grid.slice_order().axes[0]
    coordinates: tuple[np.ndarray, ...] = np.indices(error.shape, sparse=True)
    chosen: list[Index3] = []
    while len(chosen) < count and error.any():
        index = index3(np.unravel_index(np.argmax(error), error.shape))
        chosen.append(index)
        squared = sum(
            ((c - n) * s) ** 2 for c, n, s in zip(coordinates, index, grid.spacing[::-1], strict=True)
        )
        error[squared < MIN_DISTANCE_MM**2] = 0
        error[tuple(index[a] if a == axis else slice(None) for a in range(3))] = 0
    return chosen


def inside_clicks(
    grid: Grid, truth: np.ndarray, mask: np.ndarray, kind: ClickKind, rng: np.random.Generator
) -> list[Click]:
    """Place one include click in what the mask misses, or one exclude click in what it has too much.

    Parameters
    ----------
    grid, truth, mask
        As for `border_clicks`.
    kind : ClickKind
        ``INCLUDE`` or ``EXCLUDE``.
    rng : numpy.random.Generator
        Chooses among the inner voxels of the largest error.

    Returns
    -------
    list of Click
        One click, or none where there is no such error.
    """
    wrong = truth & ~mask if kind is ClickKind.INCLUDE else mask & ~truth
    box = Box.of_array(wrong)
    if box is None:
        return []
    box = box.padded(1).clipped(grid.shape)
    depth = ndimage.distance_transform_edt(wrong[box.slices], sampling=grid.spacing[::-1])
    deepest = np.argwhere(depth >= 0.7 * depth.max())
    index = deepest[rng.integers(len(deepest))] + box.start
    return [Click(tuple(grid.index_to_ras(index)), kind)]


def part_clicks(grid: Grid, truth: np.ndarray, mask: np.ndarray, count: int) -> list[Click]:
    """Place an include or exclude click in the middle of each part that is missed or taken for tumour.

    An error is a part, and not the border of one, where it is deeper than `PART_MM`, or where it is all of a
    tumour that the mask does not touch, or all of an island beside it. RITM places clicks in the same way.

    Parameters
    ----------
    grid, truth, mask
        As for `border_clicks`.
    count : int
        Clicks wanted; fewer are placed where fewer parts are wrong.

    Returns
    -------
    list of Click
        That in the deepest part first.

    References
    ----------
    Sofiiuk et al.: Reviving Iterative Training with Mask Guidance for Interactive Segmentation, 2021.
    """
    box = Box.of_array(truth | mask)
    if box is None:
        return []
    box = box.padded(1).clipped(grid.shape)
    found: list[tuple[float, Click]] = []
    for inside, outside, kind in ((truth, mask, ClickKind.INCLUDE), (mask, truth, ClickKind.EXCLUDE)):
        for depth, index, whole in _parts(grid, inside[box.slices], outside[box.slices]):
            if whole or depth > PART_MM:
                click = Click(tuple(grid.index_to_ras(np.array(index) + box.start)), kind)
                found.append((depth, click))
    return [click for _, click in sorted(found, key=lambda one: -one[0])][:count]


def _parts(grid: Grid, inside: np.ndarray, outside: np.ndarray) -> Iterator[tuple[float, Index3, bool]]:
    """Yield of what is ``inside`` alone the depth of each part in mm, where, and whether it is an object."""
    wrong = inside & ~outside
    objects, _ = ndimage.label(inside, _NEIGHBOURS)
    touched = np.unique(objects[inside & outside])
    labels, number = ndimage.label(wrong, _NEIGHBOURS)
    depth = ndimage.distance_transform_edt(np.pad(wrong, 1), sampling=grid.spacing[::-1])[1:-1, 1:-1, 1:-1]
    for label in range(1, number + 1):
        here = np.where(labels == label, depth, 0)
        index = index3(np.unravel_index(np.argmax(here), here.shape))
        yield float(here[index]), index, objects[index] not in touched


def middle_click(grid: Grid, truth: np.ndarray) -> Click:
    """Place an include click where the tumour is deepest: at the maximum of its distance transform.

    Parameters
    ----------
    grid : Grid
        Where the truth lies.
    truth : ndarray of bool
        ``(K, J, I)``, not empty; of several maxima the first voxel is taken.
    """
    box = Box.around(truth).padded(1).clipped(grid.shape)
    depth = ndimage.distance_transform_edt(truth[box.slices], sampling=grid.spacing[::-1])
    index = np.array(np.unravel_index(np.argmax(depth), depth.shape)) + box.start
    return Click(tuple(grid.index_to_ras(index)), ClickKind.INCLUDE)


def random_click(grid: Grid, truth: np.ndarray, rng: np.random.Generator) -> Click:
    """Place an include click in any voxel of the tumour; parameters as for `middle_click`."""
    inside = np.argwhere(truth)
    return Click(tuple(grid.index_to_ras(inside[rng.integers(len(inside))])), ClickKind.INCLUDE)
