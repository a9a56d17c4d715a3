"""Tables of experiments with several seeds: what stands in each cell, worked out by hand."""

import numpy as np
import pytest
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectResearch.evaluation.repeat_table import Trial, gained_last, repeat_table

COURSE = [[25, 0.2], [50, 0.5], [75, 0.4], [100, 0.6]]


def trial(name, seed, after, steps=100):
    dice = {case: [0.25, value] for case, value in zip("abcd", after, strict=True)}
    return Trial(name, seed, steps, 16, COURSE, dice)


def cells(text, row):
    return [cell.strip() for cell in text.splitlines()[2 + row].strip("|").split("|")]


def test_each_row_has_means_spread_and_what_it_differs_by():
    trials = [
        trial("plain", 0, [0.5, 0.5, 0.7, 0.7]),
        trial("better", 0, [0.7, 0.7, 0.9, 0.9]),
        trial("plain", 1, [0.7, 0.7, 0.9, 0.9]),
        trial("better", 1, [0.6, 0.6, 0.8, 0.8]),
    ]
    text = repeat_table(trials, "plain", {"better": ("4.5, Dice", 0.8072)})
    assert text.splitlines()[0].startswith("| experiment | thesis | thesis, real | before | after |")
    # Means 0.6 and 0.8, whose standard deviation is 0.1 times the root of two.
    assert cells(text, 0)[:5] == ["plain", "–", "–", "0.250", f"0.700 ± {0.1 * np.sqrt(2):.3f}"]
    assert cells(text, 0)[5:7] == ["–", "–"]
    # Seed 0 gains 0.2 in every case and seed 1 loses 0.1: 0.05 in every case, so its interval is a point.
    assert cells(text, 1)[:4] == ["better", "4.5, Dice", "0.8072", "0.250"]
    assert cells(text, 1)[5:] == ["+0.050 [+0.050, +0.050]", "1 of 2", "100 × 16", "0.100"]


def test_only_seeds_that_both_have_are_held_against_each_other():
    trials = [trial("plain", 0, [0.5] * 4), trial("plain", 1, [0.9] * 4), trial("better", 1, [0.8] * 4)]
    assert cells(repeat_table(trials, "plain"), 1)[5:7] == ["-0.100 [-0.100, -0.100]", "1 of 1"]


def test_one_seed_has_no_spread():
    assert cells(repeat_table([trial("plain", 0, [0.5] * 4)], "plain"), 0)[4] == "0.500"


def test_results_of_other_cases_are_not_held_against_each_other():
    other = Trial("better", 0, 100, 16, COURSE, {case: [0.25, 0.9] for case in "bcde"})
    with pytest.raises(ModelError, match="not all of the same cases"):
        repeat_table([trial("plain", 0, [0.5] * 4), other], "plain")


@pytest.mark.parametrize(
    ("course", "gained"),
    [
        (COURSE, 0.1),
        ([[25, 0.9], [50, 0.5], [75, 0.4], [100, 0.6]], 0.0),
        ([[100, 0.6]], 0.6),
    ],
)
def test_what_was_gained_last_tells_whether_the_curve_is_flat(course, gained):
    assert gained_last(course) == pytest.approx(gained)
