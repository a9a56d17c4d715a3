"""Scores worked out by hand."""

import numpy as np
import pytest
from VSClickCorrectLib.evaluation.metrics import dice


def mask(*indices, shape=(3, 4, 5)):
    values = np.zeros(shape, bool)
    for index in indices:
        values[index] = True
    return values


FOUR = mask((0, 0, 0), (0, 0, 1), (1, 2, 3), (2, 3, 4))


@pytest.mark.parametrize(
    "other, expected",
    [
        (FOUR, 1.0),
        (mask(), 0.0),
        (mask((2, 0, 0)), 0.0),
        (mask((0, 0, 0)), 2 / 5),
        (mask((0, 0, 0), (0, 0, 1), (0, 0, 2), (0, 0, 3)), 4 / 8),
        (np.ones((3, 4, 5), bool), 8 / 64),
    ],
)
def test_dice_is_twice_the_common_part_over_both_and_symmetric(other, expected):
    assert dice(FOUR, other) == pytest.approx(expected)
    assert dice(other, FOUR) == pytest.approx(expected)


def test_two_empty_masks_agree():
    assert dice(mask(), mask()) == 1.0


def test_dice_of_a_large_mask_does_not_overflow():
    large = np.ones((300, 300), np.uint8) != 0
    assert dice(large, large) == 1.0
