"""Preprocessing of whole volumes for the initial networks (thesis 4.2, without knowing the tumour)."""

from __future__ import annotations

import math

import numpy as np

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.resampling import ResamplingGeometry, ResamplingGrid
from VSClickCorrectLib.geometry.triples import Point3, triple
from VSClickCorrectLib.geometry.volume import ROBUST, Case, Volume

# The 3D U-Net halves each axis three times.
MULTIPLE = 8
# A whole head at the finest working resolution fits; a network takes up to half a kilobyte for each sample.
_MAX_SAMPLES = 1 << 24
_AIR_FRACTION = 0.1
_STRIDE = 4


def head_box(volume: Volume) -> Box:
    """Return the box of the head: every slice, and the rows and columns that hold more than air.

    Parameters
    ----------
    volume : Volume
        Any sequence.

    Returns
    -------
    Box
        In axial order; the whole slice where no head stands out.
    """
    axial = volume.grid.axial_order().arranged(volume.array)
    low, high = volume.intensity_range
    head = axial[::_STRIDE, ::_STRIDE, ::_STRIDE] > low + _AIR_FRACTION * (high - low)
    start, stop = [0], [axial.shape[0]]
    for axis, others in ((1, (0, 2)), (2, (0, 1))):
        # A row counts when a hundredth of it is head: single bright pixels of noise do not.
        hits = np.flatnonzero(head.mean(axis=others) > 0.01)
        start.append(int(hits[0]) * _STRIDE if hits.size else 0)
        stop.append(min(axial.shape[axis], (int(hits[-1]) + 1) * _STRIDE) if hits.size else axial.shape[axis])
    return Box(triple(start), triple(stop))


def covering_grid(grid: Grid, axial_box: Box, spacing: Point3) -> ResamplingGrid:
    """Return a window at a network's working resolution that covers a box of native voxels.

    Parameters
    ----------
    grid : Grid
        The native grid.
    axial_box : Box
        What must be covered, in axial order.
    spacing : tuple of float
        Working voxel size in mm, axial order.

    Returns
    -------
    ResamplingGrid
        Its sample counts are multiples of `MULTIPLE`; what lies outside the grid reads as 0.

    Raises
    ------
    ImageError
        If it has more samples than a network can take.
    """
    extent = np.asarray(axial_box.shape) * grid.axial_spacing
    shape = tuple(MULTIPLE * math.ceil(e / s / MULTIPLE) for e, s in zip(extent, spacing, strict=True))
    if math.prod(shape) > _MAX_SAMPLES:
        size = "×".join(f"{e:.0f}" for e in extent)
        raise ImageError(f"{size} mm of the image are too much for the networks; crop it to the head.")
    center = (np.asarray(axial_box.start) + np.asarray(axial_box.stop) - 1) / 2
    return ResamplingGrid(grid, center, ResamplingGeometry(shape, spacing))


def sample_sequences(case: Case, window: ResamplingGrid, intensities: str = ROBUST) -> np.ndarray:
    """Return the normalised sequences in a window, float32 ``(2, slices, rows, columns)``; 0 if missing.

    Parameters
    ----------
    case : Case
        The sequences.
    window : ResamplingGrid
        Where they are sampled.
    intensities : {"robust", "min-max"}
        As for `Volume.normalised`.
    """
    return np.stack([sample_volume(volume, window, intensities) for volume in case.sequences.values()])


def sample_volume(volume: Volume | None, window: ResamplingGrid, intensities: str = ROBUST) -> np.ndarray:
    """Return one of them, float32 ``(slices, rows, columns)``."""
    if volume is None:
        return np.zeros(window.geometry.shape, np.float32)
    return window.resample(volume.normalised(window.source_box, intensities))
