"""The correction that every other program makes."""

import numpy as np
import pytest
from bright_ball import GRID, dice
from VSClickCorrectResearch.benchmark.comparisons.click_correction import correction_of


@pytest.fixture(scope="module")
def correction(case, truth):
    return correction_of(case, truth)


def test_the_change_leads_from_the_start_to_what_was_corrected(correction):
    added, removed = correction.change.voxels()
    made = correction.start.copy()
    inside = made[correction.change.box.slices]
    inside[added], inside[removed] = True, False
    assert added.any() or removed.any()
    assert np.array_equal(made, correction.corrected)


def test_it_mends_the_border_near_the_first_click(correction, truth):
    assert dice(correction.start, truth) < dice(correction.corrected, truth) < 1
    click = np.array(GRID.ras_to_index(correction.clicks[0].position_ras))
    changed = np.argwhere(correction.start != correction.corrected)
    near = np.linalg.norm((changed - click) * GRID.spacing[::-1], axis=1)
    assert near.min() < 2


def test_it_is_always_the_same(case, truth, correction):
    again = correction_of(case, truth)
    assert np.array_equal(again.start, correction.start)
    assert again.clicks == correction.clicks
