"""Slabs: so many slices of the whole head, resized to one number of rows and columns (thesis section 4.2)."""

from __future__ import annotations

import numpy as np

from VSClickCorrectLib.geometry.preprocessing import head_box, sample_sequences
from VSClickCorrectLib.geometry.resampling import ResamplingGeometry, ResamplingGrid
from VSClickCorrectLib.geometry.triples import Index3, point3
from VSClickCorrectLib.geometry.volume import ROBUST, Case, Volume


def slab_grid(case: Case, middle: float, shape: Index3) -> ResamplingGrid:
    """Return a window of the scan's own slices, with the rows and columns of the head brought to a number.

    Parameters
    ----------
    case : Case
        The sequences.
    middle : float
        The slice that should lie in the middle, in axial order. The slab stays within the scan; of one with
        fewer slices it has all, and is filled up with zeros at both ends alike.
    shape : tuple of int
        Slices, rows and columns; 40, 256 and 256 in the thesis.
    """
    grid, head = case.grid, head_box(case.reference)
    slices = grid.axial_shape[0]
    if slices <= shape[0]:
        first = -((shape[0] - slices) // 2)
    else:
        first = int(np.clip(round(middle - (shape[0] - 1) / 2), 0, slices - shape[0]))
    center = (np.add(head.start, head.stop) - 1) / 2
    center[0] = first + (shape[0] - 1) / 2
    extent = np.array(head.shape) * grid.axial_spacing
    spacing = (grid.axial_spacing[0], *(extent[1:] / shape[1:]))
    return ResamplingGrid(grid, center, ResamplingGeometry(shape, point3(spacing)))


def sample_slab(case: Case, window: ResamplingGrid, intensities: str = ROBUST) -> np.ndarray:
    """Return the normalised sequences in a slab, float32 ``(2, slices, rows, columns)``; 0 if missing.

    Parameters
    ----------
    case : Case
        The sequences.
    window : ResamplingGrid
        From `slab_grid`.
    intensities : {"robust", "min-max"}
        Each between robust bounds of the whole sequence, or between the least and the greatest value of the
        slab itself, its zeros included, as the thesis normalises what it has cropped, resized and filled up.
    """
    if intensities == ROBUST:
        return sample_sequences(case, window)
    return np.stack([_between_extremes(volume, window) for volume in case.sequences.values()])


def _between_extremes(volume: Volume | None, window: ResamplingGrid) -> np.ndarray:
    source = None if volume is None else volume.array[window.source_box.slices]
    if source is None or source.min() == source.max():
        return np.zeros(window.geometry.shape, np.float32)
    values = window.resample(source)
    values -= values.min()
    # The slab itself may be empty though voxels beside it are not, as where a T2 ends.
    return values / values.max() if values.any() else values
