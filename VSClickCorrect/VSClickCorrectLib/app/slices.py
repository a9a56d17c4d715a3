"""The axial slices of a grid, counted from 1 at the bottom of the head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid


@dataclass(frozen=True, eq=False)
class AxialSlices:
    """Numbers and places of the slices that an axial view pages through.

    Parameters
    ----------
    grid : Grid
        The native grid; its axis that is nearest to the patient's long axis counts the slices.
    """

    grid: Grid

    @property
    def count(self) -> int:
        """How many there are."""
        return self.grid.axial_shape[0]

    def number_at(self, ras) -> int:
        """Return the number of the slice nearest to a point, RAS mm; the outermost for points beyond."""
        position = float(self.grid.ras_to_ijk(ras)[::-1][self._axis])
        index = int(np.clip(round(position), 0, self.count - 1))
        return self.count - index if self._flipped else index + 1

    def moved(self, ras, number: int) -> np.ndarray:
        """Return a point, RAS mm, moved along the stack into the middle of the slice of that number."""
        number = int(np.clip(number, 1, self.count))
        ijk = np.array(self.grid.ras_to_ijk(ras))
        ijk[2 - self._axis] = self.count - number if self._flipped else number - 1
        return self.grid.ijk_to_ras(ijk)

    def voxel_at(self, ras) -> np.ndarray:
        """Return the middle of the voxel nearest to a point, both RAS mm."""
        index = np.round(self.grid.ras_to_ijk(ras)[::-1])
        return self.grid.index_to_ras(np.clip(index, 0, np.array(self.grid.shape) - 1))

    def stepped(self, ras, columns: int, rows: int) -> np.ndarray:
        """Return a point, RAS mm, moved by voxels to the patient's left and toward the back of the head."""
        order = self.grid.axial_order()
        index = np.array(self.grid.ras_to_ijk(ras))[::-1]
        for axial, step in ((1, rows), (2, columns)):
            axis = order.axes[axial]
            moved = index[axis] + (-step if order.flips[axial] else step)
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

    @property
    def _axis(self) -> int:
        return self.grid.axial_order().axes[0]

    @property
    def _flipped(self) -> bool:
        return self.grid.axial_order().flips[0]
