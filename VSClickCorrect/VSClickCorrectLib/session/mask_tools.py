"""What changes a whole mask without a network: keep one part, drop specks, fill between slices.

Each takes a mask, ``(K, J, I)`` bool, and returns another one; `CorrectionSession.use_tool` writes it.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid

# Voxels that touch at a corner belong together, as in counting parts before a case is done.
_NEIGHBOURS = np.ones((3, 3, 3), bool)
# No tumour that anybody follows is as small: a ball of 2.5 mm across.
SMALL_MM3 = 8.0


def largest_part(values: np.ndarray) -> np.ndarray:
    """Return the part with the most voxels; of several, the first.

    Raises
    ------
    CorrectionError
        If the mask has less than two parts.
    """
    labels, count = ndimage.label(values, _NEIGHBOURS)
    if count < 2:
        raise CorrectionError("the mask has no second part, so nothing was changed.")
    return labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))


def without_islands(values: np.ndarray, grid: Grid, smallest_mm3: float = SMALL_MM3) -> np.ndarray:
    """Return the mask without parts of less than a volume; the largest part stays, however small.

    Raises
    ------
    CorrectionError
        If there is no such part.
    """
    labels, count = ndimage.label(values, _NEIGHBOURS)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    voxel = float(np.prod(grid.spacing))
    small = (sizes * voxel < smallest_mm3) & (np.arange(count) != (np.argmax(sizes) if count else 0))
    if not small.any():
        raise CorrectionError(
            f"no part but the largest is below {smallest_mm3:g} mm³, so nothing was changed."
        )
    return values & ~np.isin(labels, 1 + np.flatnonzero(small))


def between_slices(values: np.ndarray, grid: Grid) -> np.ndarray:
    """Return the mask with the gaps between its axial slices filled; nothing of it goes.

    A slice without mask between two that have some gets what lies half-way between their outlines, by
    distances to them (Raya and Udupa: Shape-based interpolation of multidimensional objects, 1990).

    Raises
    ------
    CorrectionError
        If there is no gap.
    """
    order = grid.axial_order()
    axial = order.to_axial(values).copy()
    drawn = np.flatnonzero(np.any(axial, axis=(1, 2)))
    gaps = [(low, high) for low, high in zip(drawn[:-1], drawn[1:], strict=True) if high - low > 1]
    if not gaps:
        raise CorrectionError(
            "there is no slice without mask between two that have some, so nothing was changed."
        )
    box = Box.around(np.any(axial, axis=0, keepdims=True)).padded(2).clipped((1, *axial.shape[1:]))
    plane = box.slices[1:]
    spacing = grid.axial_spacing[1:]
    for low, high in gaps:
        below, above = (_signed(axial[n][plane], spacing) for n in (low, high))
        for n in range(low + 1, high):
            share = (n - low) / (high - low)
            axial[n][plane] = (1 - share) * below + share * above < 0
    return order.from_axial(axial)


def _signed(outline: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Return distances in mm to the border of one slice's mask, negative inside."""
    outside = ndimage.distance_transform_edt(~outline, sampling=spacing)
    return outside - ndimage.distance_transform_edt(outline, sampling=spacing)
