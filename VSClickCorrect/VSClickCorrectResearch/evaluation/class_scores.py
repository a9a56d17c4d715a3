"""How well a map of classes agrees with the truth, class by class and together."""

from __future__ import annotations

import numpy as np

from VSClickCorrectResearch.evaluation.metrics import dice


def class_dices(found: np.ndarray, truth: np.ndarray, count: int) -> list[float | None]:
    """Return the DSC of each class, from 0 to 1; None of a class that the truth does not have.

    Parameters
    ----------
    found, truth : ndarray of int
        Numbers of classes from 1, of one shape.
    count : int
        How many classes there are.
    """
    return [
        dice(found == number, truth == number) if (truth == number).any() else None
        for number in range(1, count + 1)
    ]


def generalised_dice_score(found: np.ndarray, truth: np.ndarray, count: int) -> float:
    """Return the generalised Dice score (Sudre et al. 2017) over all classes and the background, 0 to 1.

    ``2 sum_l w_l |found_l and truth_l| / sum_l w_l (|found_l| + |truth_l|)``, ``w_l = 1 / |truth_l|^2``: a
    small class counts as much as a large one. A class that the truth does not have weighs as much as the
    smallest.

    Parameters
    ----------
    found, truth, count
        As for `class_dices`.
    """
    numbers = range(count + 1)
    sizes = np.array([[np.count_nonzero(labels == n) for n in numbers] for labels in (found, truth)], float)
    common = np.array([np.count_nonzero((found == n) & (truth == n)) for n in numbers], float)
    weights = np.maximum(sizes[1], sizes[1][sizes[1] > 0].min()) ** -2
    return float(2 * (weights * common).sum() / (weights * sizes.sum(axis=0)).sum())
