"""The classes of a synthetic case, by the geometry from which it was made."""

from __future__ import annotations

import numpy as np
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import index3
from VSClickCorrectLib.measure.tumour_parts import COCHLEA, EXTRAMEATAL, INTRAMEATAL, PARTS

from VSClickCorrectResearch.simulation.enhancement import TumourFrame
from VSClickCorrectResearch.simulation.head import Cochlea, Head
from VSClickCorrectResearch.simulation.porus import PorusPlane, porus_normal

_NUMBER = {name: n for n, name in enumerate(PARTS, 1)}


def true_parts(head: Head, grid: Grid, truth: np.ndarray) -> np.ndarray:
    """Return the numbers of `PARTS` on the grid of a case, uint8; what the tumour fills is no cochlea.

    The porus is the plane through the head's own porus, turned as `simulation.porus` has it in patients.

    Parameters
    ----------
    head : Head
        One whose cochleas were drawn.
    grid : Grid
        The case's.
    truth : ndarray of bool
        The tumour on it, on one side or both.
    """
    classes = np.zeros(grid.shape, np.uint8)
    for cochlea in head.cochleas.values():
        _draw(classes, grid, cochlea)
    box = Box.of_array(truth)
    if box is None:
        return classes
    tumour = truth[box.slices]
    voxels = np.argwhere(tumour)
    ras = grid.index_to_ras(voxels + box.start)
    right = ras[:, 0] > TumourFrame.of_head(head).middle[0]
    planes = {side: PorusPlane(head.canals[side].porus_ras, porus_normal(side)) for side in head.canals}
    outside = np.where(right, planes["right"].depth(ras), planes["left"].depth(ras)) > 0
    numbers = np.where(outside, _NUMBER[EXTRAMEATAL], _NUMBER[INTRAMEATAL])
    classes[box.slices][tuple(voxels.T)] = numbers
    return classes


def _draw(classes: np.ndarray, grid: Grid, cochlea: Cochlea) -> None:
    """Mark the voxels whose centres lie in a cochlea."""
    reach = max(cochlea.radii) / grid.spacing[::-1] + 1
    index = grid.ras_to_ijk(cochlea.center_ras)[::-1]
    # It may lie beside the image.
    box = Box(index3(np.floor(index - reach)), index3(np.ceil(index + reach))).clipped(grid.shape)
    if box.empty:
        return
    voxels = np.argwhere(np.ones(box.shape, bool))
    way = (grid.index_to_ras(voxels + box.start) - cochlea.center_ras) / cochlea.radii
    inside = voxels[(way**2).sum(axis=1) <= 1]
    classes[box.slices][tuple(inside.T)] = _NUMBER[COCHLEA]
