"""Boxes from which the click-conditioned network learns."""

from __future__ import annotations

from collections.abc import Sequence

from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.patches import ReadableMask
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.resampling import ResamplingGeometry, ResamplingGrid, axial_coordinates
from VSClickCorrectLib.geometry.triples import Point3
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.click_segmenter import ClickSegmenter
from VSClickCorrectLib.inference.examples import Pair

BUILTIN_BOXES = "builtin-boxes.npz"
# On a side of a box that is learned from: about as in the network's training; more take longer.
TAUGHT_SAMPLES = 56


def window_around(
    segmenter: ClickSegmenter, grid: Grid, position_ras: Point3, samples: int = TAUGHT_SAMPLES
) -> ResamplingGrid:
    """Return a box of so many samples on a side around a point, RAS mm, at the network's voxel size."""
    spacing = tuple(segmenter.model.entry.geometry["spacing"])
    center = axial_coordinates(grid, position_ras)
    return ResamplingGrid(grid, center, ResamplingGeometry((samples,) * 3, spacing))


def box_example(
    segmenter: ClickSegmenter,
    case: Case,
    right: ReadableMask,
    window: ResamplingGrid,
    mask: ReadableMask | None = None,
    clicks: Sequence[Click] = (),
) -> Pair:
    """Return what the network is shown in a window, and what is right there.

    Parameters
    ----------
    segmenter : ClickSegmenter
        Shows it.
    case : Case
        The sequences.
    right : ReadableMask
        The mask as it should be.
    window : ResamplingGrid
        Any window of the segmenter's spacing.
    mask, clicks
        As for `ClickSegmenter.probability`.
    """
    return segmenter.channels(case, window, mask, clicks), window.resample(right.read(window.source_box))
