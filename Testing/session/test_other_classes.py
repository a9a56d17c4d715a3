"""Clicks never take a voxel that another class has, whatever the networks say."""

import numpy as np
import pytest
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectLib.session.oracle import Oracle

SHAPE = (16, 20, 24)
GRID = Grid(SHAPE, np.eye(4))
KINDS = (ClickKind.BOUNDARY, ClickKind.INCLUDE, ClickKind.EXCLUDE)


def ball(centre, radius):
    k, j, i = np.indices(SHAPE)
    return (i - centre[0]) ** 2 + (j - centre[1]) ** 2 + (k - centre[2]) ** 2 <= radius**2


def click(index, kind):
    return Click(tuple(float(n) for n in index[::-1]), kind)


@pytest.fixture
def truth():
    """A ball; its left half is the class that is corrected."""
    return ball((12, 10, 8), 6)


@pytest.fixture
def other(truth):
    return truth & (np.indices(SHAPE)[2] >= 12)


def session(truth, other, start):
    case = Case(Volume(np.arange(truth.size, dtype=np.int16).reshape(SHAPE), GRID))
    return CorrectionSession(case, ArrayMask(GRID, start), Oracle(truth), others=ArrayMask(GRID, other))


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_clicked_no_voxel_of_the_other_class_is_added(seed, truth, other):
    rng = np.random.default_rng(seed)
    start = ball((9, 10, 8), 3) & ~other
    made = session(truth, other, start)
    done = 0
    for _ in range(25):
        place, kind = rng.integers(0, SHAPE), KINDS[rng.integers(3)]
        try:
            made.apply(click(place, kind))
        except CorrectionError:
            continue
        done += 1
        assert not (made.mask.values & other).any()
    assert done > 3
    assert (made.mask.values != start).any()


def test_without_others_the_same_click_takes_all_that_the_network_proposes(truth, other):
    start = ball((9, 10, 8), 3) & ~other
    free = session(truth, other & False, start)
    bound = session(truth, other, start)
    for one in (free, bound):
        one.apply(click((8, 10, 11), ClickKind.INCLUDE))
    assert (free.mask.values & other).any()
    # What both may have is the same.
    np.testing.assert_array_equal(free.mask.values & ~other, bound.mask.values)


def test_an_include_click_on_the_other_class_is_refused_and_nothing_changes(truth, other):
    start = ball((9, 10, 8), 3) & ~other
    made = session(truth, other, start)
    with pytest.raises(
        CorrectionError, match="lies in another class's segment; choose that segment and exclude"
    ):
        made.apply(click((8, 10, 15), ClickKind.INCLUDE))
    np.testing.assert_array_equal(made.mask.values, start)
    assert made.clicks == []
    # To say that it is not this class is no contradiction.
    made.apply(click((8, 10, 15), ClickKind.EXCLUDE))


def test_what_was_in_both_before_stays(truth, other):
    start = ball((9, 10, 8), 4)
    both = start & other
    assert both.any()
    made = session(truth, other, start)
    made.apply(click((8, 10, 6), ClickKind.INCLUDE))
    np.testing.assert_array_equal(made.mask.values & other, both)
    made.undo()
    np.testing.assert_array_equal(made.mask.values, start)
