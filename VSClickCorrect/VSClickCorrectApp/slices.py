"""The slices of a grid as they were acquired, counted from 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid


@dataclass(frozen=True, eq=False)
class SliceStack:
    """Numbers and places of the slices that the page counts.

    Parameters
    ----------
    grid : Grid
        The native grid.
    """

    grid: Grid

    @property
    def count(self) -> int:
        """How many there are."""
        return self.grid.shape[self._axis]

    def number_at(self, ras) -> int:
        """Return the number of the slice nearest to a point, RAS mm; the outermost for points beyond."""
        return self.grid.slice_number(self._nearest(ras))

    def moved(self, ras, number: int) -> np.ndarray:
        """Return a point, RAS mm, moved along the stack into the middle of the slice of that number."""
        number = int(np.clip(number, 1, self.count))
        ijk = np.array(self.grid.ras_to_ijk(ras))
        ijk[2 - self._axis] = self.count - number if self._flipped else number - 1
        return self.grid.ijk_to_ras(ijk)

    def stepped(self, ras, columns: int, rows: int) -> np.ndarray:
        """Return a point, RAS mm, moved by voxels to the right and down a view of the slices."""
        order = self.grid.slice_order()
        index = np.array(self.grid.ras_to_ijk(ras))[::-1]
        # Axial rows run down the screen, those of other slices up.
        upward = order != self.grid.axial_order()
        for place, step in ((1, -rows if upward else rows), (2, columns)):
            axis = order.axes[place]
            moved = index[axis] + (-step if order.flips[place] else step)
            index[axis] = np.clip(moved, 0, self.grid.shape[axis] - 1)
        return self.grid.index_to_ras(index)

    def areas(self, box: Box | None, values: np.ndarray | None) -> list[int]:
        """Count the voxels of a mask in every slice.

        Parameters
        ----------
        box : Box or None
            Where ``values`` lie; None for an empty mask.
        values : ndarray of bool or None
            The mask in the box.

        Returns
        -------
        list of int
            By slice number, `count` long.
        """
        areas = np.zeros(self.count, int)
        if box is not None and values is not None:
            others = tuple(axis for axis in range(3) if axis != self._axis)
            areas[box.slices[self._axis]] = values.sum(axis=others)
        return [int(area) for area in (areas[::-1] if self._flipped else areas)]

    def _nearest(self, ras) -> np.ndarray:
        index = self.grid.nearest_index(ras).astype(int)
        return np.clip(index, 0, np.array(self.grid.shape) - 1)

    @property
    def _axis(self) -> int:
        return self.grid.slice_order().axes[0]

    @property
    def _flipped(self) -> bool:
        return self.grid.slice_order().flips[0]
