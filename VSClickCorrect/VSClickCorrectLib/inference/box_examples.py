"""Boxes from which the click-conditioned network learns."""

from __future__ import annotations

from collections.abc import Sequence

from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.patches import ReadableMask
from VSClickCorrectLib.geometry.resampling import ResamplingGrid
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.click_segmenter import ClickSegmenter
from VSClickCorrectLib.inference.examples import Pair

BUILTIN_BOXES = "builtin-boxes.npz"
# On a side of a box that is learned from: about as in the network's training; more take longer.
TAUGHT_SAMPLES = 56


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
