"""Simulated errors of single cuts (thesis section 4.5.2.2): each dilated or eroded for itself."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from VSClickCorrectResearch.simulation.mask_perturbations import UNCHANGED

# The thesis gives no number; of 0.6 mm each they come to 3 mm.
_MOST_ITERATIONS = 5


def spoiled_cut(cut: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a cut of a mask, dilated or eroded in all of its slices, or as it is at a chance of `UNCHANGED`.

    Parameters
    ----------
    cut : ndarray of bool
        ``(slices, rows, columns)``.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    ndarray of bool
        Erosion is repeated less often where a slice holds little, so that something is left of each.
    """
    if rng.random() < UNCHANGED:
        return cut.copy()
    iterations = int(rng.integers(1, _MOST_ITERATIONS + 1))
    if rng.random() < 0.5:
        return np.stack([ndimage.binary_dilation(one, iterations=iterations) for one in cut])
    return np.stack([_eroded(one, iterations) for one in cut])


def _eroded(mask: np.ndarray, iterations: int) -> np.ndarray:
    # As often as this erosion leaves a voxel; the rim of a cut goes through the tumour and is no border.
    iterations = min(iterations, int(ndimage.distance_transform_cdt(mask, metric="taxicab").max()) - 1)
    if iterations < 1:
        return mask.copy()
    return ndimage.binary_erosion(mask, iterations=iterations, border_value=1)
