"""What an initial model makes of a tumour that it is shown: as the thesis, which centres volumes on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.inference.click_segmenter import Segmenter

from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.evaluation.metrics import dice


def shown_mask(segmenter: Segmenter, case: LabelledCase) -> np.ndarray | None:
    """Return all that a network takes for tumour where it is shown the tumour as if it were a candidate.

    Parameters
    ----------
    segmenter : Segmenter
        The network.
    case : LabelledCase
        A case; where its tumour lies is known from its truth.

    Returns
    -------
    ndarray of bool or None
        The mask on the case's grid, ``(K, J, I)``; None for a case without a tumour.
    """
    tumour = Box.of_array(case.grid.axial_order().arranged(case.truth))
    if tumour is None:
        return None
    window = segmenter.window(case.case, tumour)
    mask = np.zeros_like(case.truth)
    mask[window.box.slices] = segmenter.probability(case.case, window) >= segmenter.model.entry.threshold
    return mask


class ShownDice(NamedTuple):
    """The DSC of `shown_mask`, and of what of it lies in axial slices that hold tumour."""

    whole: float
    in_slices: float


def shown_dice(segmenter: Segmenter, cases: Iterable[LabelledCase]) -> dict[str, ShownDice]:
    """Return the DSC of `shown_mask` of each case with a tumour, by its name."""
    masks = ((case, shown_mask(segmenter, case)) for case in cases)
    return {case.name: _dice_of(mask, case) for case, mask in masks if mask is not None}


def _dice_of(mask: np.ndarray, case: LabelledCase) -> ShownDice:
    found, truth = (case.grid.axial_order().arranged(one) for one in (mask, case.truth))
    held = truth.any(axis=(1, 2))
    return ShownDice(dice(found, truth), dice(found[held], truth[held]))
