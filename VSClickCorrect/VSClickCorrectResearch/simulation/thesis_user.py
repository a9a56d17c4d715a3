"""The thesis's simulated user to the letter (Algorithm 1, section 4.5.3), slice by slice.

The thesis corrects slices and places several clicks in a volume, so its y_true and y_pred are slices here.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.geometry.grid import Grid

from VSClickCorrectResearch.simulation.drawn_clicks import ras_of, selected


def weighted_border(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """Return Algorithm 1's ``weighted_border``, float64; the click is where it is largest.

    Parameters
    ----------
    y_true, y_pred : ndarray of bool
        The true and the present mask, of one shape and any number of dimensions.
    """
    border = y_true & ~ndimage.binary_erosion(y_true)
    distance = _distance(~y_pred if y_true.sum() > y_pred.sum() else y_pred)
    return np.where(border, distance, 0.0)


def thesis_clicks(
    grid: Grid,
    truth: np.ndarray,
    mask: np.ndarray,
    rng: np.random.Generator,
    a_slice: int = 1,
    apart_mm: float = 0.0,
) -> list[Click]:
    """Place boundary clicks by Algorithm 1 in every slice of the tumour.

    Parameters
    ----------
    grid : Grid
        Where both masks lie.
    truth, mask : ndarray of bool
        The true and the present mask, ``(K, J, I)``.
    rng : numpy.random.Generator
        Selects among places that are equally far; the thesis does not say how.
    a_slice : int
        Clicks in a slice at most.
    apart_mm : float
        Least distance between two in a slice.

    Returns
    -------
    list of Click
        Those of the largest distance first. A slice whose distances are all 0 gets none: Algorithm 1, taken
        literally, would click anywhere in it.
    """
    order = grid.slice_order()
    found = []
    for k, slices in enumerate(zip(order.arranged(truth), order.arranged(mask), strict=True)):
        weighted = weighted_border(*slices)
        if weighted.any():
            places = np.argwhere(weighted == weighted.max())
            for place in selected(places, grid.spacing_in(order)[1:], a_slice, apart_mm, rng):
                found.append((-float(weighted.max()), Click(ras_of(grid, (k, *place)))))
    return [click for _, click in sorted(found, key=lambda one: one[0])]


def _distance(values: np.ndarray) -> np.ndarray:
    """Return the Euclidean distance in voxels to what is not set: infinite where all is."""
    return np.full(values.shape, np.inf) if values.all() else ndimage.distance_transform_edt(values)
