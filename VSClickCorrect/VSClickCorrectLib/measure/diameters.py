"""Lines across a mask in one slice, from outline to outline.

The outline joins, by straight pieces, the points half-way between neighbouring pixels of which one is in the
mask and the other is not (marching squares). Points are (row, column) in mm, (0, 0) being the centre of the
first pixel.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

Ends = tuple[np.ndarray, np.ndarray]

# Which sides of a cell of four pixel centres the outline joins, by which of its corners are set (1: upper
# left, 2: upper right, 4: lower right, 8: lower left). Sides: 0 top, 1 right, 2 bottom, 3 left.
_JOINS = {
    1: [(3, 0)], 2: [(0, 1)], 3: [(3, 1)], 4: [(1, 2)], 5: [(3, 0), (1, 2)], 6: [(0, 2)], 7: [(3, 2)],
    8: [(2, 3)], 9: [(2, 0)], 10: [(0, 1), (2, 3)], 11: [(2, 1)], 12: [(1, 3)], 13: [(1, 0)], 14: [(0, 3)],
}  # fmt: skip
_SIDES = np.array([(0.0, 0.5), (0.5, 1.0), (1.0, 0.5), (0.5, 0.0)])
# A tumour's outline has some hundred corners; of the many thousands of a thresholded head not all are tried.
_PLACES = 4096


def longest_line(plane: np.ndarray, spacing: tuple[float, float]) -> Ends:
    """Return the two points of the outline that lie farthest apart.

    Parameters
    ----------
    plane : ndarray of bool
        ``(rows, columns)``, at least one pixel set; what lies beyond its edges is not set.
    spacing : tuple of 2 float
        Pixel size in mm, rows and columns.
    """
    points = np.concatenate([_outermost(plane), _outermost(plane.T)[:, ::-1]]) * spacing
    first, second = np.unravel_index(np.argmax(cdist(points, points)), (len(points),) * 2)
    return points[first], points[second]


def longest_across(plane: np.ndarray, spacing: tuple[float, float], ends: Ends) -> Ends:
    """Return the ends of the longest line at a right angle to that from the one to the other of ``ends``.

    It runs from the outermost crossing of the outline to the outermost on the other side, over whatever hole
    or bay lies between; parameters as `longest_line`.
    """
    start, end = ends
    along = (end - start) / np.linalg.norm(end - start)
    across = np.array([-along[1], along[0]])
    pieces = _outline(plane) * np.asarray(spacing)
    at, height = pieces @ along, pieces @ across
    # Between corners the length changes evenly, so the longest line passes through one.
    places = np.unique(at)
    places = places[:: 1 + len(places) // _PLACES]
    bottom, top = _crossings(places, at, height)
    best = int(np.argmax(top - bottom))
    place = places[best] * along
    return place + bottom[best] * across, place + top[best] * across


def _outermost(plane: np.ndarray) -> np.ndarray:
    """Return the outline's points at the left and right end of each row, in pixels.

    The farthest two points of the whole outline are ends of rows or of columns.
    """
    rows = np.flatnonzero(plane.any(axis=1))
    first = plane[rows].argmax(axis=1)
    last = plane.shape[1] - 1 - plane[rows, ::-1].argmax(axis=1)
    return np.concatenate([np.stack([rows, first - 0.5], axis=1), np.stack([rows, last + 0.5], axis=1)])


def _outline(plane: np.ndarray) -> np.ndarray:
    """Return the pieces of the outline, ``(n, 2, 2)``: start and end, each (row, column) in pixels.

    References
    ----------
    W. E. Lorensen and H. E. Cline, "Marching cubes", SIGGRAPH 1987, in two dimensions.
    """
    padded = np.pad(plane, 1).astype(np.uint8)
    corners = padded[:-1, :-1] + 2 * padded[:-1, 1:] + 4 * padded[1:, 1:] + 8 * padded[1:, :-1]
    pieces = []
    for kind, joins in _JOINS.items():
        cells = np.argwhere(corners == kind)
        pieces += [np.stack([cells + _SIDES[a], cells + _SIDES[b]], axis=1) for a, b in joins]
    return np.concatenate(pieces) - 1


def _crossings(places: np.ndarray, at: np.ndarray, height: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and highest crossing of the pieces at each place, which is crossed at least once."""
    first = np.searchsorted(places, at.min(axis=1), "left")
    count = np.searchsorted(places, at.max(axis=1), "right") - first
    # Every piece once for each place that it crosses.
    piece = np.repeat(np.arange(len(at)), count)
    place = np.arange(len(piece)) + np.repeat(first - (np.cumsum(count) - count), count)
    at, height = at[piece], height[piece]
    level = at[:, 0] == at[:, 1]
    share = (places[place] - at[:, 0]) / np.where(level, 1.0, at[:, 1] - at[:, 0])
    there = height[:, 0] + share * (height[:, 1] - height[:, 0])
    bottom, top = np.full(len(places), np.inf), np.full(len(places), -np.inf)
    np.minimum.at(bottom, place, np.where(level, height.min(axis=1), there))
    np.maximum.at(top, place, np.where(level, height.max(axis=1), there))
    return bottom, top
