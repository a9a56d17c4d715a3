"""Where a click is worth most: the places round which most of a mask is expected to be wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import nearest_whole
from VSClickCorrectLib.geometry.triples import Point3, index3, point3
from VSClickCorrectLib.inference.doubt_map import DoubtMap, dice_of_sums

# A click mends what is wrong about so far round it.
_REACH_MM = 4.0
_APART_MM = 8.0
_MOST = 8
# Less than this is not worth a click.
LEAST_GAIN = 0.005
# From here on the network says that the mask is wrong.
_SURE = 0.5


@dataclass(frozen=True)
class DoubtfulPlace:
    """A place where a click is worth something.

    Parameters
    ----------
    position_ras : tuple of float
        The middle of the voxel, RAS mm.
    slice_number : int
        The slice it lies in, as `Grid.slice_number` counts them.
    gain : float
        By how much the DSC is expected to grow.
    """

    position_ras: Point3
    slice_number: int
    gain: float


def doubtful_places(doubt: DoubtMap) -> list[DoubtfulPlace]:
    """Return the places where a click is worth most, the best first; none where nothing is worth one.

    They lie on the mask's border, or where the network sees tumour that the mask misses, and at least 8 mm
    apart.
    """
    where = Box.of_array(doubt.mask | (doubt.error > 0))
    if where is None:
        return []
    mask, error = doubt.mask[where.slices], doubt.error[where.slices]
    steps = np.array(doubt.window.geometry.spacing)
    near = ndimage.gaussian_filter(error, _REACH_MM / steps, mode="constant")
    left = np.where(_candidates(doubt)[where.slices], near, 0.0)
    gain_at = _gains(mask, error)
    offsets: tuple[np.ndarray, ...] = np.indices(left.shape, sparse=True)
    places: list[DoubtfulPlace] = []
    while len(places) < _MOST and left.any():
        index = np.unravel_index(int(np.argmax(left)), left.shape)
        squared = [((o - n) * s) ** 2 for o, n, s in zip(offsets, index, steps, strict=True)]
        gain = gain_at([np.exp(-one.ravel() / (2 * _REACH_MM**2)) for one in squared])
        if gain < LEAST_GAIN:
            break
        position, number = _voxel_at(doubt, np.add(index, where.start))
        places.append(DoubtfulPlace(position, number, gain))
        left[sum(squared) < _APART_MM**2] = 0.0
    return sorted(places, key=lambda place: -place.gain)


def _gains(mask: np.ndarray, error: np.ndarray) -> Callable[[Sequence[np.ndarray]], float]:
    """Return what tells by how much the DSC grows where shares are mended, given along each axis."""
    inside = error * mask
    outside = error - inside
    sums = float(mask.sum()), float(inside.sum()), float(outside.sum())
    before = dice_of_sums(*sums)

    def gain(shares: Sequence[np.ndarray]) -> float:
        slices, rows, columns = shares
        # A share is the product of those along the axes, so that no array of them is needed.
        mended = [float(((one @ columns) @ rows) @ slices) for one in (inside, outside)]
        return dice_of_sums(*sums, *mended) - before

    return gain


def _candidates(doubt: DoubtMap) -> np.ndarray:
    """Return the samples on the mask's border within axial slices, and those of which the mask is wrong."""
    cross = ndimage.generate_binary_structure(2, 1)[None]
    border = doubt.mask & ~ndimage.binary_erosion(doubt.mask, cross, border_value=1)
    return border | (doubt.error >= _SURE)


def _voxel_at(doubt: DoubtMap, index: np.ndarray) -> tuple[Point3, int]:
    """Return the middle of the native voxel nearest to a sample, RAS mm, and the number of its slice."""
    window = doubt.window
    nearest = nearest_whole(window.places_of(index)).astype(int)
    axial = np.clip(nearest, 0, np.array(window.grid.axial_shape) - 1)
    voxel = window.grid.box_from(window.order, Box.of_voxel(index3(axial))).start
    return point3(window.grid.index_to_ras(voxel)), window.grid.slice_number(voxel)
