"""The mask being corrected: one protocol, whatever holds the voxels."""

from __future__ import annotations

from typing import Protocol, TypeVar

import numpy as np
from scipy import ndimage

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import Point3

Copied = TypeVar("Copied", bound="ArrayMask")


class Mask(Protocol):
    """A binary mask that is read and written box by box, never as a whole."""

    @property
    def grid(self) -> Grid:
        """The grid on which boxes are counted: the native grid of the T1ce (or T2) volume."""

    def read(self, box: Box) -> np.ndarray:
        """Return a bool copy of the voxels in ``box``, which lies inside the grid."""

    def write(self, box: Box, values: np.ndarray) -> None:
        """Set the voxels in ``box`` to ``values``, bool, of the box's shape."""

    def extent(self) -> Box | None:
        """Return the smallest box that holds every set voxel, or None if the mask is empty."""


class ArrayMask:
    """A mask in a numpy array.

    Parameters
    ----------
    grid : Grid
        Where the array lies.
    values : ndarray, optional
        ``(K, J, I)``; voxels that are not zero are set. Empty if left out. Copied.

    Raises
    ------
    ImageError
        If the array's shape is not the grid's.
    """

    def __init__(self, grid: Grid, values: np.ndarray | None = None) -> None:
        self.grid = grid
        if values is not None and values.shape != grid.shape:
            raise ImageError(
                f"the mask has shape {values.shape}, the image {grid.shape}; they must be the same."
            )
        self.values = np.zeros(grid.shape, bool) if values is None else values != 0

    @classmethod
    def copied(cls: type[Copied], mask: Mask, grid: Grid) -> Copied:
        """Return a copy of a mask that lies on a grid."""
        copy, extent = cls(grid), mask.extent()
        if extent is not None:
            copy.write(extent, mask.read(extent))
        return copy

    def read(self, box: Box) -> np.ndarray:
        """See `Mask.read`."""
        return self.values[box.slices].copy()

    def write(self, box: Box, values: np.ndarray) -> None:
        """See `Mask.write`."""
        self.values[box.slices] = values

    def extent(self) -> Box | None:
        """See `Mask.extent`."""
        return Box.of_array(self.values)


class ExtentTrackingMask(ArrayMask):
    """A mask that begins empty and knows how far it reached since, so that nobody looks at the whole grid.

    Parameters
    ----------
    grid : Grid
        Where it lies.
    """

    def __init__(self, grid: Grid) -> None:
        super().__init__(grid)
        self._reach = Box((0, 0, 0), (0, 0, 0))

    def write(self, box: Box, values: np.ndarray) -> None:
        """See `Mask.write`."""
        super().write(box, values)
        self._reach = box if self._reach.empty else self._reach.union(box)

    def extent(self) -> Box | None:
        """See `Mask.extent`."""
        tight = Box.of_array(self.values[self._reach.slices])
        return tight.shifted(self._reach.start) if tight is not None else None


def middle_of(mask: Mask) -> Point3 | None:
    """Return the middle of the box that its largest part fills, RAS mm; None if the mask is empty.

    Between the parts of a mask, as between the tumours of both sides, there may be nothing.
    """
    box = mask.extent()
    return None if box is None else mask.grid.middle_of(box_of_largest_part(mask, box))


def box_of_largest_part(mask: Mask, extent: Box) -> Box:
    """Return the smallest box around the largest connected part of a mask that is not empty.

    Parameters
    ----------
    mask : Mask
        The mask.
    extent : Box
        The smallest box that holds all of it.
    """
    return Box.around(largest_part(mask.read(extent))).shifted(extent.start)


def largest_part(values: np.ndarray) -> np.ndarray:
    """Return the largest connected part of voxels, bool as they are; none if there are none."""
    labels, count = ndimage.label(values, np.ones((3, 3, 3), bool))
    return values if not count else labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))


def slice_border(values: np.ndarray, across: int) -> np.ndarray:
    """Return the voxels of a mask that have background beside them in their slice, corners included.

    Parameters
    ----------
    values : ndarray of bool
        A mask, ``(k, j, i)``; around it is background.
    across : int
        The array axis that leads from slice to slice.
    """
    return values & ~ndimage.binary_erosion(values, np.expand_dims(np.ones((3, 3), bool), across))
