"""Medians, spreads and the numbers of the report."""

import pytest
from VSClickCorrectResearch.benchmark.timing import Timing, milliseconds, number, peak_megabytes, timed


def test_median_and_spread_are_those_of_the_values():
    row = Timing("click", "ms", tuple(float(n) for n in range(11)))
    assert row.median == 5.0
    assert row.spread == (1.0, 9.0)


def test_seconds_become_milliseconds():
    assert milliseconds("undo", [0.0015, 0.25]) == Timing("undo", "ms", (1.5, 250.0))


def test_an_action_is_done_once_and_its_time_is_told():
    done = []
    assert timed(lambda: done.append(1)) >= 0
    assert done == [1]


def test_peak_memory_is_that_of_a_python_process():
    peak = peak_megabytes()
    if peak is None:
        pytest.skip("this system does not tell a process's peak memory")
    assert 10 < peak < 1e6


@pytest.mark.parametrize("value, text", [(0.4212, "0.42"), (9.996, "10.00"), (19.64, "19.6"), (153.4, "153")])
def test_numbers_have_three_digits_that_count(value, text):
    assert number(value) == text
