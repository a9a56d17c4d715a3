"""Islands: connected parts of a mask, found without looking at the whole volume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from VSClickCorrectLib.clicks.mask import Mask, largest_part
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.triples import Index3, index3

_FIRST_MARGIN_MM = 24.0
_NEIGHBOURS = np.ones((3, 3, 3), bool)


@dataclass(frozen=True, eq=False)
class Island:
    """One connected part of a mask.

    Parameters
    ----------
    box : Box
        Voxels that hold it.
    values : ndarray of bool
        The part, shape ``box.shape``.
    """

    box: Box
    values: np.ndarray

    @property
    def size(self) -> int:
        """Number of voxels."""
        return int(np.count_nonzero(self.values))


def island_at(mask: Mask, index: Index3) -> Island | None:
    """Return the connected part that holds a voxel ``(k, j, i)``, or None if the voxel is not set.

    The neighbourhood that is read grows until it holds the whole part, so the cost follows the part's
    size, not the volume's.
    """
    margin = np.ceil(_FIRST_MARGIN_MM / mask.grid.spacing[::-1]).astype(int)
    while True:
        box = Box.of_voxel(index).padded(index3(margin)).clipped(mask.grid.shape)
        labels, _ = ndimage.label(mask.read(box), _NEIGHBOURS)
        here = labels[Box.of_voxel(index).slices_in(box)].item()
        if here == 0:
            return None
        values = labels == here
        tight = Box.around(values).shifted(box.start)
        if box.contains(tight.padded(1).clipped(mask.grid.shape)):
            return Island(tight, values[tight.slices_in(box)])
        margin = margin * 2


def is_largest(mask: Mask, island: Island) -> bool:
    """Whether no other connected part of the mask is larger."""
    values = mask.read(mask.extent() or island.box)
    if int(np.count_nonzero(values)) < 2 * island.size:
        return True
    return island.size == int(np.count_nonzero(largest_part(values)))
