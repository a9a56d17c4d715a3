"""The outline of a mask in one slice, and the lines across it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import pdist

# Which sides of a cell of four pixel centres an outline joins, by which of its corners are set (bit 0: upper
# left, 1: upper right, 2: lower right, 3: lower left). Sides: 0 top, 1 right, 2 bottom, 3 left.
_JOINS = {
    1: [(3, 0)], 2: [(0, 1)], 3: [(3, 1)], 4: [(1, 2)], 5: [(3, 0), (1, 2)], 6: [(0, 2)], 7: [(3, 2)],
    8: [(2, 3)], 9: [(2, 0)], 10: [(0, 1), (2, 3)], 11: [(2, 1)], 12: [(1, 3)], 13: [(1, 0)], 14: [(0, 3)],
}  # fmt: skip
# A tumour's outline has some hundred corners, that of a thresholded head many thousand: then not every one is
# tried, and pieces are looked at by portions.
_PLACES, _AT_A_TIME = 2048, 1024
_SIDES = np.array([(0.0, 0.5), (0.5, 1.0), (1.0, 0.5), (0.5, 0.0)])


@dataclass(frozen=True, eq=False)
class Outline:
    """Straight pieces that join the points half-way between neighbouring pixels in and out of a mask.

    Parameters
    ----------
    pieces : (n, 2, 2) array
        Start and end of each piece, each (row, column) in mm; (0, 0) is the centre of the first pixel.
    """

    pieces: np.ndarray

    @property
    def reach(self) -> float:
        """A length, in mm, that no line across exceeds: the diagonal of what the outline fills."""
        points = self.pieces.reshape(-1, 2)
        return float(np.linalg.norm(np.ptp(points, axis=0)))

    def longest(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the two points that lie farthest apart, (row, column) in mm."""
        points = _outermost(self.pieces.reshape(-1, 2))
        first, second = np.triu_indices(len(points), k=1)
        best = int(np.argmax(pdist(points)))
        return points[first[best]], points[second[best]]

    def longest_across(self, start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of the longest line at a right angle to that from ``start`` to ``end``.

        It runs from the outermost crossing of the outline to the outermost on the other side, over whatever
        hole or bay lies between.
        """
        along = (end - start) / np.linalg.norm(end - start)
        across = np.array([-along[1], along[0]])
        at, height = self.pieces @ along, self.pieces @ across
        # Between corners the length changes evenly, so the longest line passes through one.
        places = np.unique(at)
        places = places[:: 1 + len(places) // _PLACES]
        ends = [
            _crossings(places, at[n : n + _AT_A_TIME], height[n : n + _AT_A_TIME])
            for n in range(0, len(at), _AT_A_TIME)
        ]
        bottom = np.min([low for low, _ in ends], axis=0)
        top = np.max([high for _, high in ends], axis=0)
        best = int(np.argmax(top - bottom))
        place = places[best] * along
        return place + bottom[best] * across, place + top[best] * across


def outline_of(plane: np.ndarray, spacing: tuple[float, float]) -> Outline:
    """Return the outline of a mask in one slice, by marching squares.

    Parameters
    ----------
    plane : ndarray of bool
        ``(rows, columns)``, at least one pixel set; what lies beyond its edges is not set.
    spacing : tuple of 2 float
        Pixel size in mm, rows and columns.

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
    return Outline((np.concatenate(pieces) - 1) * np.asarray(spacing))


def _crossings(places: np.ndarray, at: np.ndarray, height: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and highest crossing of pieces at each place; infinite where there is none."""
    place = places[:, None]
    crossed = (at.min(axis=1) <= place) & (place <= at.max(axis=1))
    level = at[:, 0] == at[:, 1]
    share = (place - at[:, 0]) / np.where(level, 1.0, at[:, 1] - at[:, 0])
    there = height[:, 0] + share * (height[:, 1] - height[:, 0])
    bottom = np.where(crossed, np.where(level, height.min(axis=1), there), np.inf).min(axis=1)
    top = np.where(crossed, np.where(level, height.max(axis=1), there), -np.inf).max(axis=1)
    return bottom, top


def _outermost(points: np.ndarray) -> np.ndarray:
    """Return the first and last point of every row of points: the farthest two are among them."""
    points = np.unique(points, axis=0)
    ends = np.flatnonzero(np.diff(points[:, 0])) + 1
    return points[np.unique([0, *ends, *(ends - 1), len(points) - 1])]
