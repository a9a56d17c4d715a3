"""Initial masks sharpened by the corrector, whose voxels are finer than those of the other networks."""

from __future__ import annotations

from functools import reduce

import numpy as np

from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.mask import ArrayMask, slice_border
from VSClickCorrectLib.clicks.merging import merge_blend, touching
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import point3
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.corrector import Corrector

# More places change little: their cuts overlap.
_PLACES = 16


def sharpened(corrector: Corrector, case: Case, box: Box, values: np.ndarray) -> tuple[Box, np.ndarray]:
    """Return a mask with the border that a corrector sees where it is asked all along it.

    The corrector is told that the border runs where it does already. Where its image says otherwise it
    departs from that, and the cuts around other places outvote it there.

    Parameters
    ----------
    corrector : Corrector
        Asked as for boundary clicks.
    case : Case
        The sequences.
    box : Box
        Native voxels, ``(k, j, i)``.
    values : ndarray of bool
        The mask in ``box``.

    Returns
    -------
    Box, ndarray of bool
        What has become of the mask; parts apart from it are not added. As it was, if nothing of it is left.
    """
    tight = Box.of_array(values)
    if tight is None:
        return box, values
    mask = ArrayMask(case.grid)
    mask.write(box, values)
    clicks = _along_border(case.grid, tight.shifted(box.start), values[tight.slices])
    proposals = corrector.propose(case, mask, clicks)
    seen = reduce(Box.union, (one.box for one in proposals), tight.shifted(box.start))
    before = mask.read(seen)
    after = touching(merge_blend(case.grid, seen, before, proposals), before)
    left = Box.of_array(after)
    return (box, values) if left is None else (left.shifted(seen.start), after[left.slices])


def _along_border(grid: Grid, box: Box, values: np.ndarray) -> list[Click]:
    """Return boundary clicks on a mask's border, each as far from those before it as can be.

    They are counted along slices, rows and columns, so that they are the same however the array lies.
    """
    order = grid.slice_order()
    border = slice_border(values, order.axes[0])
    numbers = order.arranged(np.arange(border.size).reshape(border.shape))[order.arranged(border)]
    places = np.argwhere(order.arranged(border)) * grid.spacing_in(order)
    chosen, away = [0], np.full(len(places), np.inf)
    for _ in range(min(_PLACES, len(places)) - 1):
        away = np.minimum(away, ((places - places[chosen[-1]]) ** 2).sum(axis=1))
        chosen.append(int(away.argmax()))
    voxels = np.transpose(np.unravel_index(numbers[chosen], border.shape)) + box.start
    return [Click(point3(place)) for place in grid.index_to_ras(voxels)]
