"""Closed planar contours, as radiotherapy draws them, and the label maps that they enclose."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid

from VSClickCorrectResearch.simulation.polygons import Crossing, encloses_something, fill_polygons

Contour = np.ndarray
# Contours of one plane may differ by so many slices, those of a tilted plane being rounded differently.
_SAME_PLANE = 0.2
_OTHER_SCAN = "check that it was drawn on this scan."


def rasterise(contours: Sequence[Contour], grid: Grid) -> np.ndarray:
    """Fill contours on the slices of a grid on which they were drawn.

    A voxel belongs to the label if its centre lies inside. On one slice a contour inside another is a hole,
    and one that was stored twice counts once; see `fill_polygons`. Slices run along the axis of the array
    across which the contours are flat, whatever the orientation; nothing is interpolated between them. What
    has fewer than three corners encloses nothing and is not looked at.

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
        If there is no contour, one is tilted, lies half-way between two slices or outside the grid, two
        cross, slices between the contours are empty, or they enclose no voxel; the message says where.
    """
    contours = [contour for contour in contours if encloses_something(contour)]
    if not contours:
        raise ImageError("there is no contour to fill.")
    corners = [grid.ras_to_ijk(c) for c in contours]
    axis = _axis_across(corners, grid)
    x, y = (a for a in range(3) if a != axis)
    mask = np.zeros(grid.shape, bool)
    slices = np.moveaxis(mask, 2 - axis, 0)
    for number, drawn in _by_slice(contours, corners, axis, grid).items():
        try:
            slices[number] = fill_polygons([corners[n][:, [x, y]] for n in drawn], slices[number].shape)
        except Crossing as crossing:
            first, second = (_where(contours[drawn[n]]) for n in (crossing.first, crossing.second))
            raise ImageError(f"{first} crosses {second}; join the two where they were drawn.") from None
    if not mask.any():
        raise ImageError(f"the contours enclose no voxel's centre; {_OTHER_SCAN}")
    return mask


def _by_slice(
    contours: Sequence[Contour], corners: Sequence[np.ndarray], axis: int, grid: Grid
) -> dict[int, list[int]]:
    """Return which contours were drawn on each slice."""
    heights: dict[int, float] = {}
    drawn: dict[int, list[int]] = {}
    for contour, ijk in enumerate(corners):
        number = _slice_of(ijk, axis, grid, contours[contour])
        height = float(ijk[:, axis].mean())
        if abs(heights.setdefault(number, height) - height) > _SAME_PLANE:
            where = _where(contours[contour])
            raise ImageError(f"{where} shares its slice with one of another plane; {_OTHER_SCAN}")
        drawn.setdefault(number, []).append(contour)
    _check_gaps(sorted(drawn), axis)
    return drawn


def _check_gaps(numbers: Sequence[int], axis: int) -> None:
    """Refuse contours between which slices are empty: a part of the tumour would be missing there."""
    gaps = np.diff(numbers)
    if gaps.size and gaps.min() > 1:
        raise ImageError(f"the contours lie farther apart than the slices; {_OTHER_SCAN}")
    if gaps.size and gaps.max() > 1:
        first = int(np.argmax(gaps))
        raise ImageError(
            f"there is no contour between the slices {numbers[first] + 1} and {numbers[first + 1] + 1} along "
            f"{'ijk'[axis]}; draw the tumour there too."
        )


def slice_offset(contours: Sequence[Contour], grid: Grid) -> float:
    """Return how far contours lie from the nearest slices at most, in slices."""
    corners = [grid.ras_to_ijk(c) for c in contours if encloses_something(c)]
    if not corners:
        return 0.0
    axis = _axis_across(corners, grid)
    return max(float(np.abs(c[:, axis] - np.round(c[:, axis].mean())).max()) for c in corners)


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


def _where(contour: Contour) -> str:
    r, a, s = contour.mean(axis=0)
    return f"the contour around R {r:.1f}, A {a:.1f}, S {s:.1f} mm"
