"""What polygons of one plane enclose together."""

import numpy as np
import pytest
from VSClickCorrectResearch.simulation.polygons import Crossing, fill_polygons

SHAPE = (30, 32)
ROWS, COLUMNS = np.indices(SHAPE)


def square(low, high, shift=(0.0, 0.0)):
    return np.array([(low, low), (high, low), (high, high), (low, high)], float) + shift


def inside(low, high, shift=(0.0, 0.0)):
    x, y = COLUMNS - shift[0], ROWS - shift[1]
    return (x > low) & (x < high) & (y > low) & (y < high)


def test_a_pixel_belongs_whose_centre_lies_inside():
    values = fill_polygons([square(0.5, 2.5)], (4, 5))
    assert values.shape == (4, 5)
    assert np.array_equal(np.argwhere(values), [(1, 1), (1, 2), (2, 1), (2, 2)])


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2)])
def test_a_hole_its_island_and_what_lies_beside(order):
    polygons = [square(1.5, 20.5), square(4.5, 16.5), square(8.5, 12.5), square(22.5, 28.5)]
    expected = inside(1.5, 20.5) & ~inside(4.5, 16.5) | inside(8.5, 12.5) | inside(22.5, 28.5)
    assert np.array_equal(fill_polygons([polygons[n] for n in order], SHAPE), expected)
    assert np.array_equal(fill_polygons([polygons[n] for n in order * 2], SHAPE), expected)


def test_pieces_that_touch_or_overlap_by_a_hair_add_up():
    for gap in (0.0, 0.2):
        left, right = square(2.0, 10.0, (gap / 2, 0.0)), square(2.0, 10.0, (8.0 - gap / 2, 0.0))
        values = fill_polygons([left, right], SHAPE)
        assert values[3:10, 3:18].all(), "the seam is no gap"


def test_a_hole_that_touches_the_border_stays_one():
    values = fill_polygons([square(1.5, 20.5), square(1.6, 8.5, (0.0, 4.0))], SHAPE)
    assert np.array_equal(values, inside(1.5, 20.5) & ~inside(1.6, 8.5, (0.0, 4.0)))


@pytest.mark.parametrize("shift", [(4.0, 0.0), (3.0, 5.0), (0.5, 0.5)])
def test_polygons_that_cross_are_named(shift):
    with pytest.raises(Crossing) as crossing:
        fill_polygons([square(22.5, 28.5), square(2.0, 12.0), square(2.0, 12.0, shift)], SHAPE)
    assert (crossing.value.first, crossing.value.second) == (1, 2)


def test_a_cross_of_two_bars_is_found_whose_corners_lie_outside_each_other():
    bars = [
        np.array([(2, 12), (22, 12), (22, 15), (2, 15)]),
        np.array([(10, 2), (13, 2), (13, 25), (10, 25)]),
    ]
    with pytest.raises(Crossing):
        fill_polygons([bar.astype(float) for bar in bars], SHAPE)


def test_a_round_that_was_written_twice_in_one_polygon_is_one():
    twice = np.concatenate([square(2.5, 12.5), square(2.5, 12.5)])
    assert np.array_equal(fill_polygons([twice], SHAPE), inside(2.5, 12.5))
