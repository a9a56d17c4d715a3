"""How well a mask agrees with the truth."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
from scipy import ndimage
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid

# A tumour counts as found above this DSC.
FOUND = 0.5


@dataclass(frozen=True)
class Scores:
    """What is measured of one mask.

    Parameters
    ----------
    dice : float
        Dice score coefficient, 0 to 1.
    hd95_mm, assd_mm : float
        95 % Hausdorff and mean surface distance, see `SurfaceDistances`.
    volume_error_mm3 : float
        Volume of the mask less that of the truth.
    volume_error_percent : float
        The same in per cent of the truth.
    """

    dice: float
    hd95_mm: float
    assd_mm: float
    volume_error_mm3: float
    volume_error_percent: float


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """Distances in mm between the surfaces of two masks, from voxel centre to voxel centre.

    A surface is made of the voxels of a mask of which at least one of the six face neighbours is not in the
    mask; what lies outside the image is not in the mask.

    Parameters
    ----------
    there, back : ndarray of float
        Distance of each surface voxel of the one mask to the nearest of the other, and the other way. Both
        empty where both masks are; infinite where one is.
    """

    there: np.ndarray
    back: np.ndarray

    @property
    def hd95(self) -> float:
        """The greater of the two directed 95th percentiles."""
        return max(_percentile95(distances) for distances in (self.there, self.back))

    @property
    def mean(self) -> float:
        """Average symmetric surface distance: the mean over the surface voxels of both masks."""
        both = np.concatenate([self.there, self.back])
        return float(both.mean()) if both.size else 0.0


def dice(mask: np.ndarray, truth: np.ndarray) -> float:
    """Return the Dice score coefficient of two bool masks, 0 to 1; 1 if both are empty (thesis eq. 2.3)."""
    total = int(np.count_nonzero(mask)) + int(np.count_nonzero(truth))
    return 1.0 if total == 0 else 2 * int(np.count_nonzero(mask & truth)) / total


def score(grid: Grid, mask: np.ndarray, truth: np.ndarray) -> Scores:
    """Measure a mask against the truth.

    Parameters
    ----------
    grid : Grid
        Where both lie.
    mask, truth : ndarray of bool
        ``(K, J, I)``; the truth is not empty.
    """
    surfaces = surface_distances(mask, truth, grid.spacing[::-1])
    true_volume = grid.volume_of(truth)
    error = grid.volume_of(mask) - true_volume
    return Scores(dice(mask, truth), surfaces.hd95, surfaces.mean, error, 100 * error / true_volume)


def surface_distances(one: np.ndarray, other: np.ndarray, spacing: np.ndarray) -> SurfaceDistances:
    """Return the distances between the surfaces of two masks.

    Parameters
    ----------
    one, other : ndarray of bool
        ``(K, J, I)``.
    spacing : (3,) array
        Voxel size in mm in array order ``(k, j, i)``.
    """
    boxes = [Box.of_array(mask) for mask in (one, other)]
    if boxes[0] is None or boxes[1] is None:
        # The surface of the mask that is not empty, if there is one, is infinitely far from the other's.
        lonely = [np.array([inf] if box else []) for box in boxes]
        return SurfaceDistances(lonely[0], lonely[1])
    place = boxes[0].union(boxes[1]).slices
    surfaces = [_surface(mask[place]) for mask in (one, other)]
    to_one, to_other = (ndimage.distance_transform_edt(~s, sampling=spacing) for s in surfaces)
    return SurfaceDistances(to_other[surfaces[0]], to_one[surfaces[1]])


def _percentile95(distances: np.ndarray) -> float:
    if distances.size == 0:
        return 0.0
    # Interpolated between two infinite values, a percentile would be NaN.
    return inf if np.isinf(distances).any() else float(np.percentile(distances, 95))


def _surface(mask: np.ndarray) -> np.ndarray:
    return mask & ~ndimage.binary_erosion(mask)
