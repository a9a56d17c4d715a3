"""The outline of a mask in one slice along the edges of its pixels, which encloses exactly these."""

from __future__ import annotations

import numpy as np

# A step along an edge, (row, column), with the mask to the right: its pixels, and those on its other side.
_EAST, _SOUTH, _WEST, _NORTH = (0, 1), (1, 0), (0, -1), (-1, 0)
_Corner = tuple[int, int]


def pixel_outlines(plane: np.ndarray) -> list[np.ndarray]:
    """Return closed outlines, of holes too; none crosses itself or another, though corners may touch.

    Parameters
    ----------
    plane : ndarray of bool
        ``(rows, columns)``; what lies beyond its edges is not set.

    Returns
    -------
    list of (n, 2) array
        Corners, (row, column) in pixels, whose centres are at whole numbers; the last is joined to the first.
        Pixels that touch at a corner alone have outlines of their own.
    """
    ways = _edges(plane)
    outlines = []
    while ways:
        start = next(iter(ways))
        outlines.append(_followed(ways, start))
    return [np.array(corners, float) - 0.5 for corners in outlines]


def _edges(plane: np.ndarray) -> dict[_Corner, list[_Corner]]:
    """Return the directions in which edges leave each corner, the mask to their right."""
    padded = np.pad(plane.astype(bool), 1)
    inside = padded[1:-1, 1:-1]
    ways: dict[_Corner, list[_Corner]] = {}
    sides = (
        (_EAST, (0, 0), padded[:-2, 1:-1]),
        (_SOUTH, (0, 1), padded[1:-1, 2:]),
        (_WEST, (1, 1), padded[2:, 1:-1]),
        (_NORTH, (1, 0), padded[1:-1, :-2]),
    )
    for step, (row, column), beyond in sides:
        for r, c in np.argwhere(inside & ~beyond).tolist():
            ways.setdefault((r + row, c + column), []).append(step)
    return ways


def _followed(ways: dict[_Corner, list[_Corner]], start: _Corner) -> list[_Corner]:
    """Take the edges of one outline out of ``ways`` and return its corners, those where it turns."""
    corner, before, first = start, None, ways[start][0]
    corners = []
    while step := first if before is None else _next(ways.get(corner, []), before, corner == start):
        ways[corner].remove(step)
        if not ways[corner]:
            del ways[corner]
        if step != before:
            corners.append(corner)
        corner, before = (corner[0] + step[0], corner[1] + step[1]), step
    return corners[1:] if before == first else corners


def _next(steps: list[_Corner], before: _Corner, at_start: bool) -> _Corner | None:
    """Return the way on from a corner; None where the outline is closed."""
    # Where two pixels touch there are two ways on: that to the right stays with the pixel that was followed.
    right = before[1], -before[0]
    if right in steps:
        return right
    return None if at_start else steps[0]
