"""Axis-aligned boxes of voxels."""

from __future__ import annotations

from dataclasses import dataclass
from operator import add, neg, sub

import numpy as np

from VSClickCorrectLib.geometry.triples import Index3, Slices3, triple


@dataclass(frozen=True)
class Box:
    """Half-open box of voxels in array order.

    Parameters
    ----------
    start, stop : tuple of int
        First index and one past the last index, each as ``(k, j, i)``.
    """

    start: Index3
    stop: Index3

    @classmethod
    def of_array(cls, array: np.ndarray) -> Box | None:
        """Return the smallest box that holds every non-zero voxel of ``array``, or None if there is none."""
        start, stop = [], []
        for axis in range(3):
            others = tuple(a for a in range(3) if a != axis)
            hits = np.flatnonzero(array.any(axis=others))
            if hits.size == 0:
                return None
            start.append(int(hits[0]))
            stop.append(int(hits[-1]) + 1)
        return cls(triple(start), triple(stop))

    @classmethod
    def around(cls, array: np.ndarray) -> Box:
        """Return the smallest box that holds every non-zero voxel of an array that has at least one."""
        box = cls.of_array(array)
        return box if box is not None else cls((0, 0, 0), (0, 0, 0))

    @classmethod
    def of_voxel(cls, index: Index3) -> Box:
        """Return the box of one voxel."""
        k, j, i = index
        return cls(index, (k + 1, j + 1, i + 1))

    @property
    def shape(self) -> Index3:
        """Number of voxels along each array axis, 0 where the box is empty."""
        return triple(map(max, map(sub, self.stop, self.start), (0, 0, 0)))

    @property
    def slices(self) -> Slices3:
        """Index expression for a ``(k, j, i)`` array."""
        return triple(map(slice, self.start, self.stop))

    def slices_in(self, outer: Box) -> Slices3:
        """Index expression for this box in an array that holds the voxels of ``outer``."""
        return self.shifted(triple(map(neg, outer.start))).slices

    @property
    def empty(self) -> bool:
        """Whether the box holds no voxel."""
        return 0 in self.shape

    def shifted(self, offset: Index3) -> Box:
        """Return the box moved by ``offset`` voxels ``(k, j, i)``."""
        return Box(triple(map(add, self.start, offset)), triple(map(add, self.stop, offset)))

    def padded(self, margin: int | Index3) -> Box:
        """Return the box grown by ``margin`` voxels on every side."""
        m = (margin, margin, margin) if isinstance(margin, int) else margin
        return Box(triple(map(sub, self.start, m)), triple(map(add, self.stop, m)))

    def clipped(self, shape: Index3) -> Box:
        """Return the part of the box inside an array of ``shape``."""
        return self.intersection(Box((0, 0, 0), shape))

    def intersection(self, other: Box) -> Box:
        """Return the common part of two boxes; it may be empty."""
        start = triple(map(max, self.start, other.start))
        # Never before its start: a slice to a negative index would count from the array's end.
        return Box(start, triple(map(max, start, map(min, self.stop, other.stop))))

    def union(self, other: Box) -> Box:
        """Return the smallest box that holds both."""
        return Box(triple(map(min, self.start, other.start)), triple(map(max, self.stop, other.stop)))

    def contains(self, other: Box) -> bool:
        """Whether ``other`` lies wholly inside this box."""
        return self.intersection(other) == other
