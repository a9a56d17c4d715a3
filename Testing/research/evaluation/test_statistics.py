"""Statistics of a few numbers that can be worked out."""

from math import inf, isnan

import numpy as np
import pytest
from VSClickCorrectResearch.evaluation.statistics import (
    clicks_needed,
    mean_interval,
    paired_difference,
    summarise,
)


@pytest.mark.parametrize("values", [[3.0], [4.0, 1.0], [0.3, 0.1, 0.2], list(range(12))])
def test_summary_of_finite_values_is_that_of_numpy(values):
    found = summarise(values)
    assert (found.lower, found.median, found.upper) == pytest.approx(np.percentile(values, [25, 50, 75]))
    assert found.mean == pytest.approx(sum(values) / len(values))
    assert found.infinite == 0


def test_infinite_values_are_the_greatest_and_are_left_out_of_the_mean():
    found = summarise([inf, 2.0, 4.0, 6.0, inf])
    assert (found.lower, found.median, found.upper) == (4.0, 6.0, inf)
    assert (found.mean, found.infinite) == (4.0, 2)
    # Between 4 and infinity lies no median that one could name.
    assert summarise([2.0, 4.0, inf, inf]).median == inf
    assert isnan(summarise([inf]).mean)


def test_interval_of_equal_values_is_that_value():
    assert mean_interval([0.7] * 5, 0) == pytest.approx((0.7, 0.7))


def test_interval_is_about_two_standard_errors_wide_and_depends_on_the_seed_alone():
    values = [0.0, 1.0] * 50
    low, high = mean_interval(values, 3)
    # Standard error of the mean: 0.5 / sqrt(100).
    assert (low, high) == pytest.approx((0.5 - 1.96 * 0.05, 0.5 + 1.96 * 0.05), abs=0.011)
    assert mean_interval(values, 3) == (low, high)
    uneven = np.sqrt(np.arange(40))
    assert mean_interval(uneven, 1) != mean_interval(uneven, 2)


def test_difference_is_paired():
    # Five cases, all better: of the 32 signs that could be, two are as extreme.
    theirs = np.array([0.5, 0.9, 0.1, 0.7, 0.3])
    found = paired_difference(theirs + [0.01, 0.02, 0.03, 0.04, 0.05], theirs, 0)
    assert found.mean == pytest.approx(0.03)
    assert found.p == pytest.approx(2 / 32)
    assert (found.better, found.worse) == (5, 0)
    assert 0.01 <= found.low < 0.03 < found.high <= 0.05
    turned = paired_difference(theirs, theirs + [0.01, 0.02, 0.03, 0.04, 0.05], 0)
    assert (turned.mean, turned.p) == (pytest.approx(-0.03), pytest.approx(2 / 32))
    assert (turned.better, turned.worse) == (0, 5)


def test_methods_that_never_differ_do_not_differ():
    found = paired_difference([0.5, 0.6], [0.5, 0.6], 0)
    assert (found.mean, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)
    assert (found.better, found.worse) == (0, 0)


@pytest.mark.parametrize("goal, expected", [(0.8, 0), (0.85, 5), (0.9, 5), (0.95, 9), (0.951, inf)])
def test_clicks_needed_are_those_placed_when_the_goal_was_first_reached(goal, expected):
    assert clicks_needed([0, 5, 7, 9], [0.8, 0.9, 0.88, 0.95], goal) == expected
