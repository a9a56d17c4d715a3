"""Closed polygons of one plane: how they lie to each other, and what they enclose together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Lines that lie as near to each other, in pixels, are one line to a label map.
_LINE = 0.25
# Between corners a polygon is looked at so often, in pixels.
_STEP = 0.5


class Crossing(ValueError):
    """Two polygons cross: nobody knows whether what both enclose belongs to the whole or was cut out of it.

    Parameters
    ----------
    first, second : int
        Which.
    """

    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"polygons {first} and {second} cross")
        self.first, self.second = first, second


@dataclass
class _Placed:
    """A polygon among others: its number, and how many others it lies in."""

    points: np.ndarray
    number: int
    depth: int


def fill_polygons(polygons: Sequence[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """Return which pixels' centres the polygons of a plane enclose.

    Each is filled by the even-odd rule. One that stands there twice counts once, one inside another is a
    hole, one inside the hole an island; polygons beside each other, touching or not, add up.

    Parameters
    ----------
    polygons : sequence of (n, 2) array
        Corners (x, y) in pixels, whole numbers being centres; the last is joined to the first.
    shape : tuple of int
        Rows and columns.

    Returns
    -------
    (rows, columns) array of bool

    Raises
    ------
    Crossing
        If two polygons cross.
    """
    values = np.zeros(shape, bool)
    for placed in sorted(_placed(polygons), key=lambda placed: placed.depth):
        _paint(values, placed.points, placed.depth % 2 == 0)
    return values


def encloses_something(points: np.ndarray) -> bool:
    """Whether a polygon, (n, 2) or (n, 3), has corners enough; points and lines there and back have not."""
    return len(np.unique(points, axis=0)) > 2


def _paint(values: np.ndarray, points: np.ndarray, value: bool) -> None:
    """Set the pixels inside a polygon; only those of its bounding box are looked at."""
    low = np.maximum(np.floor(points.min(axis=0)).astype(int), 0)
    high = np.ceil(points.max(axis=0)).astype(int) + 1
    part = values[low[1] : high[1], low[0] : high[0]]
    rows, columns = part.shape
    x, y = low[0] + np.arange(columns), low[1] + np.arange(rows)
    part[_is_inside(points, x[None, :], y[:, None])] = value


def _is_inside(points: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return which places lie inside a polygon, by the even-odd rule."""
    start, end = points, np.roll(points, -1, axis=0)
    y = y[..., None]
    crosses = (start[:, 1] <= y) != (end[:, 1] <= y)
    rise = np.where(end[:, 1] == start[:, 1], 1.0, end[:, 1] - start[:, 1])
    at = start[:, 0] + (y - start[:, 1]) * (end[:, 0] - start[:, 0]) / rise
    return (np.where(crosses, at, np.inf) < x[..., None]).sum(axis=-1) % 2 == 1


def _placed(polygons: Sequence[np.ndarray]) -> list[_Placed]:
    """Return each polygon once, with the number of others that it lies in."""
    found: list[_Placed] = []
    for number, points in enumerate(map(_once, polygons)):
        lies = {other.number: _relation(points, other.points) for other in found}
        if "same" in lies.values():
            continue
        for crossed, relation in lies.items():
            if relation == "crossing":
                raise Crossing(crossed, number)
        for other in found:
            other.depth += lies[other.number] == "around"
        found.append(_Placed(points, number, list(lies.values()).count("inside")))
    return found


def _once(points: np.ndarray) -> np.ndarray:
    """Return a polygon whose corners were written twice, one round after the other, as one round."""
    half, odd = divmod(len(points), 2)
    twice = not odd and half > 2 and np.abs(points[:half] - points[half:]).max() <= _LINE
    return points[:half] if twice else points


def _relation(one: np.ndarray, other: np.ndarray) -> str:
    """Return how a polygon lies to another: ``same``, ``inside``, ``around``, ``beside`` or ``crossing``."""
    if (one.min(axis=0) > other.max(axis=0)).any() or (other.min(axis=0) > one.max(axis=0)).any():
        return "beside"
    one_in, one_out = _sides(one, other)
    other_in, other_out = _sides(other, one)
    if not (one_in or one_out or other_in or other_out):
        return "same"
    if (one_in and one_out) or (other_in and other_out) or (one_in and other_in):
        return "crossing"
    if one_out and other_out:
        return "beside"
    return "inside" if one_in or other_out else "around"


def _sides(one: np.ndarray, other: np.ndarray) -> tuple[bool, bool]:
    """Return whether parts of a polygon's line lie inside another, and outside, farther off than a line."""
    points = _points_along(one)
    points = points[_distance(points, other) > _LINE]
    inside = _is_inside(other, points[:, 0], points[:, 1])
    return bool(inside.any()), bool((~inside).any())


def _points_along(points: np.ndarray) -> np.ndarray:
    ends = np.roll(points, -1, axis=0)
    counts = np.ceil(np.linalg.norm(ends - points, axis=1) / _STEP).astype(int)
    return np.concatenate(
        [a + (b - a) * (np.arange(n) / n)[:, None] for a, b, n in zip(points, ends, counts, strict=True)]
    )


def _distance(places: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return how far places are from the nearest side of a polygon."""
    nearest = np.full(len(places), np.inf)
    for start, end in zip(points, np.roll(points, -1, axis=0), strict=True):
        along = end - start
        share = np.clip((places - start) @ along / max(along @ along, 1e-12), 0, 1)
        off = places - start - share[:, None] * along
        np.minimum(nearest, np.hypot(off[:, 0], off[:, 1]), out=nearest)
    return nearest
