"""Tools on a whole mask: what they would change, without changing it."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from VSClickCorrectLib.clicks.mask import Mask
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.session.edit import Change

# A ball of 2.7 mm: less than any tumour that is followed, more than the specks that networks and hands leave.
SMALL_MM3 = 10.0
# What a gap along one axis parts counts as specks where gaps along another one part ten times as much.
_SPECKS = 0.1
_NEIGHBOURS = np.ones((3, 3, 3), bool)
_NOTHING = Change(Box((0, 0, 0), (0, 0, 0)), b"")


def all_but_largest(mask: Mask) -> Change:
    """Return the removal of every connected part but the largest; of equal ones the first is kept."""
    return small_islands(mask, np.inf)


def small_islands(mask: Mask, smallest_mm3: float = SMALL_MM3) -> Change:
    """Return the removal of connected parts smaller than a volume; the largest is always kept."""
    box = mask.extent()
    if box is None:
        return _NOTHING
    values = mask.read(box)
    labels, count = ndimage.label(values, _NEIGHBOURS)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    kept = sizes * mask.grid.voxel_volume >= smallest_mm3
    kept[1 + np.argmax(sizes[1:])] = True
    return Change.between(box, values, values & kept[labels])


def between_slices(mask: Mask) -> Change:
    """Return what fills the empty slices between slices that carry the mask; nothing is removed.

    The slices are those along the axis in which slices between the first and the last one are empty, where
    that is so in several along the one of thickest spacing; gaps that part no more than specks from the mask
    do not count beside others. Signed distances to the outlines, in mm, are interpolated linearly.
    """
    box = mask.extent()
    if box is None:
        return _NOTHING
    values, spacing = mask.read(box), mask.grid.spacing[::-1]
    gaps = {axis: _empty_slices(values, axis) for axis in range(3)}
    parted = {axis: _parted(values, axis) for axis in range(3)}
    gappy = [axis for axis in range(3) if gaps[axis] and parted[axis] >= _SPECKS * max(parted.values())]
    if not gappy:
        return _NOTHING
    axis = max(gappy, key=lambda n: (round(float(spacing[n]), 3), len(gaps[n])))
    stack = np.moveaxis(values, axis, 0)
    filled = _filled(stack, np.delete(spacing, axis))
    return Change.between(box, values, np.moveaxis(filled, 0, axis))


def _empty_slices(values: np.ndarray, axis: int) -> list[int]:
    others = tuple(n for n in range(3) if n != axis)
    return [int(n) for n in np.flatnonzero(~values.any(axis=others))]


def _parted(values: np.ndarray, axis: int) -> int:
    """Return how many voxels the gaps along an axis part from the rest, the smaller side of each added up."""
    counts = np.count_nonzero(values, axis=tuple(n for n in range(3) if n != axis))
    below = np.cumsum(counts)
    # Each gap once, at its first empty slice.
    begins = 1 + np.flatnonzero((counts[1:] == 0) & (counts[:-1] > 0))
    return int(np.minimum(below[begins], below[-1] - below[begins]).sum())


def _filled(stack: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    filled, carrying = stack.copy(), np.flatnonzero(stack.any(axis=(1, 2)))
    for below, above in zip(carrying[:-1], carrying[1:], strict=True):
        if above - below == 1:
            continue
        lower, upper = _depth(stack[below], spacing), _depth(stack[above], spacing)
        for number in range(below + 1, above):
            share = (number - below) / (above - below)
            filled[number] = (1 - share) * lower + share * upper > 0
    return filled


def _depth(values: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Return the distance to the outline, mm, positive inside."""
    # What lies outside the cut is background, too.
    padded = np.pad(values, 1)
    inside = ndimage.distance_transform_edt(padded, sampling=spacing)
    return (inside - ndimage.distance_transform_edt(~padded, sampling=spacing))[1:-1, 1:-1]
