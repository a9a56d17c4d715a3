"""Cuts: what the correction network sees around a click (thesis sections 4.5.2 and 4.7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.preprocessing import sample_sequences
from VSClickCorrectLib.geometry.resampling import ResamplingGeometry, ResamplingGrid, coordinates_in
from VSClickCorrectLib.geometry.volume import ROBUST, Case

_CLICK_SIGN = {ClickKind.BOUNDARY: 0.0, ClickKind.INCLUDE: 1.0, ClickKind.EXCLUDE: -1.0}
_CLICK_RADIUS_MM = 1.5


class ReadableMask(Protocol):
    """Anything whose voxels can be read box by box."""

    def read(self, box: Box) -> np.ndarray:
        """Return a bool copy of the voxels in ``box``."""


@dataclass(frozen=True)
class PatchGeometry:
    """What a corrector's cuts are made of.

    Parameters
    ----------
    size : int
        Rows and columns in pixels; 48 in the thesis.
    pixel_mm : float
        Pixel size in mm.
    slices : int
        Slices in the cut: 1 is the thesis's clicked slice, more give and correct its neighbours too.
    slice_mm : float
        Distance between the slices of a cut in mm.
    click_map : bool
        Whether the click's kind is an input of the network.
    intensities : {"robust", "min-max"}
        Which values of a sequence the network sees as 0 and 1, see `Volume.normalised`.
    """

    size: int = 48
    pixel_mm: float = 0.6
    slices: int = 1
    slice_mm: float = 1.5
    click_map: bool = False
    intensities: str = ROBUST

    @property
    def window(self) -> ResamplingGeometry:
        """The sampling window of a cut."""
        return ResamplingGeometry(
            (self.slices, self.size, self.size), (self.slice_mm, self.pixel_mm, self.pixel_mm)
        )


def patch_grid(grid: Grid, click: Click, geometry: PatchGeometry) -> ResamplingGrid:
    """Return the window of the cut around a click: centred on the click, in its slice as that was acquired.

    Of an even number of slices, which has none in the middle, the click's is the first of the upper half.

    Raises
    ------
    ImageError
        If the click lies outside the grid.
    """
    index, order = grid.ras_to_index(click.position_ras), grid.slice_order()
    center = coordinates_in(grid, order, click.position_ras)
    # The slice of the clicked voxel: rounding anew could fall to its neighbour, or off the grid's last slice.
    center[0] = round(coordinates_in(grid, order, grid.index_to_ras(index))[0])
    if geometry.slices % 2 == 0:
        center[0] -= 0.5 * geometry.slice_mm / grid.spacing_in(order)[0]
    return ResamplingGrid(grid, center, geometry.window, order)


def extract_patch(
    case: Case, mask: ReadableMask, window: ResamplingGrid, geometry: PatchGeometry, click: Click
) -> np.ndarray:
    """Return the channels of one cut.

    Parameters
    ----------
    case : Case
        The sequences; a missing one becomes a channel of zeros.
    mask : ReadableMask
        The mask as it is now.
    window : ResamplingGrid
        From `patch_grid`.
    geometry : PatchGeometry
        The corrector's.
    click : Click
        The click, which the click map shows if the geometry has one.

    Returns
    -------
    ndarray of float32
        ``(channels, slices, size, size)``: T1ce, T2, mask and, if asked for, the click map; all 0 to 1 but
        the click map, which is 1 at include and -1 at exclude clicks.
    """
    sequences = sample_sequences(case, window, geometry.intensities)
    channels = [*sequences, window.resample(mask.read(window.source_box))]
    if geometry.click_map:
        channels.append(click_map(window, click))
    return np.stack(channels)


def click_map(window: ResamplingGrid, click: Click) -> np.ndarray:
    """Draw an include click as a positive, an exclude click as a negative Gaussian of 1.5 mm.

    A boundary click leaves no trace: the cut is centred on it.

    Returns
    -------
    ndarray of float32
        Shape ``window.geometry.shape``, -1 to 1.
    """
    place = window.position(click.position_ras)
    axes = [
        np.exp(-0.5 * (((np.arange(n) - p) * s) / _CLICK_RADIUS_MM) ** 2)
        for n, p, s in zip(window.geometry.shape, place, window.geometry.spacing, strict=True)
    ]
    return (_CLICK_SIGN[click.kind] * np.einsum("k,j,i->kji", *axes)).astype(np.float32)
