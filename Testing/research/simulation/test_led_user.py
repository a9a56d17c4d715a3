"""The user who is led to places: what is clicked there, on blocks whose borders are known."""

import numpy as np
import pytest
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectResearch.simulation.led_user import clicks_near, random_places

# Voxels of 1 × 1 × 2 mm; (k, j, i) lies at (i, j, 2 k).
GRID = Grid((20, 40, 40), np.diag([1.0, 1.0, 2.0, 1.0]))


def block(*slices):
    values = np.zeros(GRID.shape, bool)
    values[slices] = True
    return values


TRUTH = block(slice(5, 10), slice(10, 20), slice(10, 20))
MASK = block(slice(5, 12), slice(10, 20), slice(10, 16))


def test_the_true_border_nearest_to_the_place_is_clicked_in_its_slice():
    assert clicks_near(GRID, TRUTH, MASK, [(16.0, 14.0, 12.0)]) == [
        Click((19.0, 14.0, 12.0), ClickKind.BOUNDARY)
    ]


def test_where_the_tumour_has_ended_the_mask_is_excluded():
    assert clicks_near(GRID, TRUTH, MASK, [(15.0, 14.0, 22.0)]) == [
        Click((15.0, 14.0, 22.0), ClickKind.EXCLUDE)
    ]


def test_where_nothing_is_to_be_seen_nothing_is_clicked():
    assert clicks_near(GRID, TRUTH, MASK, [(15.0, 14.0, 30.0), (15.0, 38.0, 12.0)]) == []


def test_random_places_lie_on_the_border_one_a_slice():
    places = random_places(GRID, MASK, 5, np.random.default_rng(1))
    indices = np.array([GRID.ras_to_index(place) for place in places])
    assert len(set(indices[:, 0])) == len(places) == 5
    assert MASK[tuple(indices.T)].all()
    edge = (indices[:, 1] == 10) | (indices[:, 1] == 19) | (indices[:, 2] == 10) | (indices[:, 2] == 15)
    assert edge.all()
    assert places == random_places(GRID, MASK, 5, np.random.default_rng(1))
    assert places != random_places(GRID, MASK, 5, np.random.default_rng(2))


@pytest.mark.parametrize("count", [3, 50])
def test_there_are_no_more_than_slices_and_no_more_than_wanted(count):
    assert len(random_places(GRID, MASK, count, np.random.default_rng(1))) == min(count, 7)
    assert random_places(GRID, np.zeros(GRID.shape, bool), count, np.random.default_rng(1)) == []
