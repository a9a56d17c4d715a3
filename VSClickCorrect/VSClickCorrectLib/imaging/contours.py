"""Closed planar contours, as radiotherapy draws them, and the label maps that they enclose."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.imaging.grid import Grid

Contour = np.ndarray
# Contours of one plane may differ by so many slices, those of a tilted plane being rounded differently.
_SAME_PLANE = 0.2
_OTHER_SCAN = "check that it was drawn on this scan."


def rasterise(contours: Sequence[Contour], grid: Grid) -> np.ndarray:
    """Fill contours on the slices of a grid on which they were drawn.

    A voxel belongs to the label if its centre lies inside, by the even-odd rule; contours of one slice are
    combined by exclusive or, so that one inside another is a hole. Slices run along the axis of the array
    across which the contours are flat, whatever the orientation; nothing is interpolated between them.

    Parameters
    ----------
    contours : sequence of (n, 3) array
        Closed polygons, RAS mm.
    grid : Grid
        Where the label map lies.

    Returns
    -------
    ndarray of bool
        Shape ``grid.shape``.

    Raises
    ------
    ImageError
        If there is no contour, one is tilted, lies half-way between two slices or outside the grid, or the
        contours have another distance than the slices; the message says where.
    """
    if not contours:
        raise ImageError("there is no contour to fill.")
    corners = [grid.ras_to_ijk(c) for c in contours]
    axis = _axis_across(corners, grid)
    x, y = (a for a in range(3) if a != axis)
    mask = np.zeros(grid.shape, bool)
    slices = np.moveaxis(mask, 2 - axis, 0)
    heights: dict[int, float] = {}
    for contour, ijk in zip(contours, corners, strict=True):
        number = _slice_of(ijk, axis, grid, contour)
        height = float(ijk[:, axis].mean())
        if abs(heights.setdefault(number, height) - height) > _SAME_PLANE:
            raise ImageError(f"{_where(contour)} shares its slice with one of another plane; {_OTHER_SCAN}")
        _fill(slices[number], ijk[:, [x, y]])
    if len(heights) > 1 and np.diff(sorted(heights)).min() > 1:
        raise ImageError(f"the contours lie farther apart than the slices; {_OTHER_SCAN}")
    return mask


def slice_offset(contours: Sequence[Contour], grid: Grid) -> float:
    """Return how far contours lie from the nearest slices at most, in slices."""
    corners = [grid.ras_to_ijk(c) for c in contours]
    axis = _axis_across(corners, grid)
    return max(float(np.abs(c[:, axis] - np.round(c[:, axis].mean())).max()) for c in corners)


def fill_polygon(points: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return which points of a lattice lie inside a polygon, by the even-odd rule.

    Parameters
    ----------
    points : (n, 2) array
        Corners (x, y); the last is joined to the first.
    x, y : (columns,) and (rows,) arrays
        Lattice coordinates.

    Returns
    -------
    (rows, columns) array of bool
    """
    start, end = points, np.roll(points, -1, axis=0)
    crosses = (start[None, :, 1] <= y[:, None]) != (end[None, :, 1] <= y[:, None])
    rise = np.where(end[:, 1] == start[:, 1], 1.0, end[:, 1] - start[:, 1])
    at = start[:, 0] + (y[:, None] - start[:, 1]) * (end[:, 0] - start[:, 0]) / rise
    at = np.where(crosses, at, np.inf)
    return (at[:, :, None] < x[None, None, :]).sum(axis=1) % 2 == 1


def _axis_across(corners: Sequence[np.ndarray], grid: Grid) -> int:
    """Return the axis, 0 for i to 2 for k, along which contours extend least, in mm."""
    return int(np.argmin(np.max([np.ptp(c, axis=0) for c in corners], axis=0) * grid.spacing))


def _slice_of(ijk: np.ndarray, axis: int, grid: Grid, contour: Contour) -> int:
    size = np.array(grid.shape[::-1])
    # The outermost voxels reach half a voxel further than their centres.
    if (ijk < -0.5 - 1e-6).any() or (ijk > size - 0.5 + 1e-6).any():
        raise ImageError(f"{_where(contour)} lies outside the image; {_OTHER_SCAN}")
    number = int(np.clip(np.round(ijk[:, axis].mean()), 0, size[axis] - 1))
    if np.abs(ijk[:, axis] - number).max() > 0.5 - 1e-3:
        raise ImageError(f"{_where(contour)} lies between two slices or is tilted; {_OTHER_SCAN}")
    return number


def _fill(values: np.ndarray, points: np.ndarray) -> None:
    """Flip the pixels inside a polygon; only those of its bounding box are looked at."""
    low = np.maximum(np.floor(points.min(axis=0)).astype(int), 0)
    high = np.ceil(points.max(axis=0)).astype(int) + 1
    part = values[low[1] : high[1], low[0] : high[0]]
    rows, columns = part.shape
    part ^= fill_polygon(points, low[0] + np.arange(columns), low[1] + np.arange(rows))


def _where(contour: Contour) -> str:
    r, a, s = contour.mean(axis=0)
    return f"the contour around R {r:.1f}, A {a:.1f}, S {s:.1f} mm"
