"""Label maps on the lattice of an image, in whatever order and extent their voxels are stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import triple

# Voxels of a label map are the image's where they lie so near to these, as a share of the smallest side.
_SAME_VOXEL = 0.1


def placed_on(grid: Grid, values: np.ndarray, own: Grid, path: Path) -> np.ndarray:
    """Place a mask or a map of labels on the grid of an image; not a voxel is resampled.

    Parameters
    ----------
    grid : Grid
        Of the image.
    values : ndarray of bool or int
        The mask, ``(K, J, I)`` on ``own``.
    own : Grid
        Of the mask: the same lattice, with axes in any order and direction, of any extent.
    path : Path
        Where it was read, for what is wrong with it.

    Raises
    ------
    ImageError
        If it lies on another lattice, is the image's size and shifted or turned, or marks voxels outside
        the image.
    """
    # ITK straightens a grid before it writes it as NIfTI.
    for lattice in (grid, grid.straightened()):
        ordered, part = in_order_of(lattice, values, own)
        start = triple(int(round(o)) for o in lattice.ras_to_ijk(part.ijk_to_ras((0, 0, 0)))[::-1])
        box = part.box.shifted(start)
        inside = box.intersection(lattice.box)
        same = lattice.cropped(box).matches(part, max(1e-2, _SAME_VOXEL * float(grid.spacing.min())))
        # One of the image's own sides that lies voxels aside, or is turned, was neither cropped nor padded.
        moved = sorted(box.shape) == sorted(lattice.shape) and box != lattice.box
        if same and not moved and not _reaches_out(ordered, inside, box):
            result = np.zeros(grid.shape, values.dtype)
            result[inside.slices] = ordered[inside.slices_in(box)]
            return result
    raise ImageError(f"{path} lies on another grid than the image; resample it to the image first.")


def _reaches_out(values: np.ndarray, inside: Box, box: Box) -> bool:
    """Whether a mask, which fills a box, marks voxels of it that are not inside."""
    return bool(np.count_nonzero(values) > np.count_nonzero(values[inside.slices_in(box)]))


def in_order_of(lattice: Grid, values: np.ndarray, own: Grid) -> tuple[np.ndarray, Grid]:
    """Return a mask and its grid with axes in the order and direction that come closest to a lattice's.

    Parameters are those of `placed_on`.
    """
    order = own.order_nearest((lattice.affine[:3, :3] / lattice.spacing).T[::-1])
    ordered = order.arranged(values)
    columns = own.affine[:3, 2::-1][:, order.axes] * np.where(order.flips, -1, 1)
    first = own.box_from(order, Box.of_voxel((0, 0, 0))).start
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = columns[:, ::-1], own.index_to_ras(first)
    return ordered, Grid(ordered.shape, affine)
