"""Where a mask may be wrong: the chance of each voxel, by the network that sees mask and clicks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import ndimage

from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.mask import Mask, box_of_largest_part
from VSClickCorrectLib.errors import enough_memory
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.preprocessing import MULTIPLE
from VSClickCorrectLib.geometry.resampling import ResamplingGeometry, ResamplingGrid, axial_coordinates
from VSClickCorrectLib.geometry.triples import index3, point3
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.click_segmenter import BOX_SAMPLES, ClickSegmenter
from VSClickCorrectLib.inference.plain_segmenter import run, run_mirrored

# How far from the mask it is asked for what the mask misses.
_MARGIN_MM = 10.0
# Of logistic regressions on validation cases, before any click and after: "Where to click next" in
# Resources/Docs/choices.md.
_INTERCEPT, _CLICKED, _SLOPE = -0.7, -1.2, 0.85
# It holds so far from the mask's border; beyond it counts what the network is sure of.
BAND_MM, _SURE = 6.0, 0.5
# In larger windows one look has to do: two would take too long, and tell hardly more of large tumours.
_TWICE_SAMPLES = 48**3
# So far from the border the line looks.
_NEAR_MM = 3.0


@dataclass(frozen=True, eq=False)
class DoubtMap:
    """The chance that voxels of a mask are wrong, at a network's working resolution.

    Parameters
    ----------
    window : ResamplingGrid
        Where the samples lie.
    mask : ndarray of bool
        The mask at the samples, axial order.
    error : ndarray of float32
        The chance that it is wrong there, 0 to 1.
    whole : bool
        Whether all of the mask lies in the window.
    """

    window: ResamplingGrid
    mask: np.ndarray
    error: np.ndarray
    whole: bool = True

    @property
    def expected_dice(self) -> float:
        """The DSC that is to be expected of the mask."""
        return expected_dice(self.mask, self.error)

    def border_levels(self, mask: np.ndarray, least: Sequence[float]) -> np.ndarray:
        """Return how doubtful the mask's border is: how much is likely wrong near it, in levels.

        Parameters
        ----------
        mask : ndarray of bool
            The mask in ``window.box``, ``(k, j, i)``.
        least : sequence of float
            From which share of what lies within 3 mm being wrong each level begins, rising.

        Returns
        -------
        ndarray of int
            ``(k, j, i)``: the number of levels reached by voxels on either side of the border within an axial
            slice; 0 elsewhere.
        """
        size = [2 * int(_NEAR_MM / step) + 1 for step in self.window.geometry.spacing]
        share = ndimage.uniform_filter(self.error, size, mode="constant")
        near = self.window.nearest(share, self.window.box)
        cross = ndimage.generate_binary_structure(2, 1)[None]
        inside = self.window.order.arranged(mask)
        core = ndimage.binary_erosion(inside, cross, border_value=1)
        border = ndimage.binary_dilation(inside, cross) & ~core
        reached = np.sum([near >= value for value in least], axis=0)
        return np.where(self.window.order.restored(border), reached, 0)


def expected_dice(mask: np.ndarray, error: np.ndarray) -> float:
    """Return the DSC that is to be expected of a mask.

    Parameters
    ----------
    mask : ndarray of bool
        The mask.
    error : ndarray of float
        The chance that each of its voxels is wrong.
    """
    inside = error * mask
    return dice_of_sums(float(mask.sum()), float(inside.sum()), float((error - inside).sum()))


def dice_of_sums(
    size: float, inside: float, outside: float, mended_inside: float = 0.0, mended_outside: float = 0.0
) -> float:
    """Return the DSC that is to be expected of a mask, by sums over all of its voxels.

    Parameters
    ----------
    size : float
        How many voxels it has.
    inside, outside : float
        How many voxels of it, and how many that it misses, are expected to be wrong.
    mended_inside, mended_outside : float
        How many of them are mended before.
    """
    tumour = size - inside + outside
    shared = size - inside + mended_outside
    both = size - mended_inside + mended_outside + tumour
    return 2 * shared / both if both > 0 else 1.0


class Doubter(Protocol):
    """Tells where a mask may be wrong; see `doubt_map`."""

    def __call__(self, case: Case, mask: Mask, clicks: Sequence[Click]) -> DoubtMap | None:
        """Return where a mask may be wrong; None if it is empty."""


@enough_memory()
def doubt_map(segmenter: ClickSegmenter, case: Case, mask: Mask, clicks: Sequence[Click]) -> DoubtMap | None:
    """Return where a mask may be wrong; None if it is empty.

    Of one that reaches farther than the network is shown at once only the largest part is looked at.

    Parameters
    ----------
    segmenter : ClickSegmenter
        Sees the mask and the clicks.
    case : Case
        The sequences.
    mask : Mask
        The mask as it is.
    clicks : sequence of Click
        Those that stand.
    """
    extent = mask.extent()
    if extent is None:
        return None
    window = window_around(segmenter, case.grid, extent)
    whole = window.box.contains(extent)
    if not whole:
        # Near the middle of all parts there may be none.
        window = window_around(segmenter, case.grid, box_of_largest_part(mask, extent))
    channels = segmenter.channels(case, window, mask, clicks)
    inside = channels[2] >= 0.5
    look = run if channels[0].size > _TWICE_SAMPLES else run_mirrored
    probability = np.clip(look(segmenter.model.network, channels), 1e-4, 1 - 1e-4)
    wrong = np.where(inside, 1 - probability, probability)
    told = _near_border(inside, window) | (wrong >= _SURE)
    logit = (_CLICKED if clicks else _INTERCEPT) + _SLOPE * np.log(wrong[told] / (1 - wrong[told]))
    error = np.zeros(inside.shape, np.float32)
    error[told] = 1 / (1 + np.exp(-logit))
    return DoubtMap(window, inside, error, whole)


def _near_border(inside: np.ndarray, window: ResamplingGrid) -> np.ndarray:
    """Return which samples of a mask and around it lie near its border."""
    spacing = window.geometry.spacing
    near = np.zeros(inside.shape, bool)
    box = Box.of_array(inside)
    if box is None:
        return near
    reach = index3(np.ceil(BAND_MM / np.array(spacing)))
    place = box.padded(reach).clipped(index3(inside.shape)).slices
    near[place] = True
    for one in (inside[place], ~inside[place]):
        near[place] &= ndimage.distance_transform_edt(one, sampling=spacing) <= BAND_MM
    return near


def window_around(segmenter: ClickSegmenter, grid: Grid, extent: Box) -> ResamplingGrid:
    """Return a window around a mask, no larger than the network needs to be shown.

    Parameters
    ----------
    segmenter : ClickSegmenter
        Whose voxel size counts.
    grid : Grid
        The native grid.
    extent : Box
        Where the mask lies, ``(k, j, i)``.
    """
    spacing = np.array(segmenter.model.entry.geometry["spacing"])
    size = np.array(extent.shape)[list(grid.axial_order().axes)] * grid.axial_spacing
    counts = MULTIPLE * np.ceil((size + 2 * _MARGIN_MM) / spacing / MULTIPLE)
    geometry = ResamplingGeometry(index3(np.minimum(counts, BOX_SAMPLES)), point3(spacing))
    return ResamplingGrid(grid, axial_coordinates(grid, grid.middle_of(extent)), geometry)
