"""The mask in an array."""

import numpy as np
import pytest
from session_doubles import with_blocks
from VSClickCorrectLib.clicks.mask import ArrayMask, ExtentTrackingMask, middle_of, slice_border
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.box import Box

BOX = Box((2, 3, 4), (4, 6, 8))


def test_mask_without_values_is_empty(grid):
    mask = ArrayMask(grid)
    assert mask.values.shape == grid.shape
    assert not mask.values.any()
    assert mask.extent() is None


def test_every_label_but_zero_counts_as_set(grid):
    labels = np.zeros(grid.shape, np.int16)
    labels[1, 2, 3], labels[4, 5, 6] = 1, -7
    assert np.argwhere(ArrayMask(grid, labels).values).tolist() == [[1, 2, 3], [4, 5, 6]]


def test_mask_of_another_shape_is_refused(grid):
    with pytest.raises(ImageError, match=r"\(12, 40, 41\).*\(12, 40, 40\)"):
        ArrayMask(grid, np.zeros((12, 40, 41), bool))


def test_array_given_is_not_the_mask_itself(grid):
    values = np.zeros(grid.shape, bool)
    mask = ArrayMask(grid, values)
    mask.write(BOX, np.ones(BOX.shape, bool))
    assert not values.any()


def test_write_sets_the_box_and_nothing_else(grid):
    mask = ArrayMask(grid, with_blocks(grid.shape, ((3, 5), (0, 40), (0, 40))))
    pattern = np.zeros(BOX.shape, bool)
    pattern[1, 2, 3] = True
    mask.write(BOX, pattern)
    expected = with_blocks(grid.shape, ((3, 5), (0, 40), (0, 40)))
    expected[2:4, 3:6, 4:8] = False
    expected[3, 5, 7] = True
    np.testing.assert_array_equal(mask.values, expected)


def test_read_returns_a_copy(grid):
    mask = ArrayMask(grid)
    mask.read(BOX)[:] = True
    assert not mask.values.any()


def test_extent_is_tight(grid):
    values = with_blocks(grid.shape, ((2, 3), (7, 9), (30, 40)))
    values[11, 0, 35] = True
    assert ArrayMask(grid, values).extent() == Box((2, 0, 30), (12, 9, 40))


def test_grown_mask_holds_and_reaches_what_an_array_mask_does(grid):
    grown, plain = ExtentTrackingMask(grid), ArrayMask(grid)
    assert grown.extent() is None
    for start, value in (((9, 30, 30), True), ((2, 3, 4), True), ((10, 31, 30), False), ((2, 3, 4), False)):
        box = Box(start, tuple(a + 2 for a in start))
        for mask in (grown, plain):
            mask.write(box, np.full(box.shape, value))
        assert grown.extent() == plain.extent()
        np.testing.assert_array_equal(grown.read(grid.box), plain.values)
    assert grown.extent() == Box((9, 30, 30), (11, 32, 32))


def test_the_middle_of_a_mask_is_that_of_its_largest_part(grid):
    """Half-way between two tumours there is nothing to look at."""
    values = with_blocks(grid.shape, ((2, 5), (4, 9), (30, 35)), ((3, 4), (5, 8), (2, 5)))
    np.testing.assert_allclose(middle_of(ArrayMask(grid, values)), grid.index_to_ras((3, 6, 32)))
    assert middle_of(ArrayMask(grid)) is None


@pytest.mark.parametrize("across", [0, 1, 2])
def test_border_of_a_slice_is_what_has_background_beside_it_there_and_not_in_the_next_slice(across):
    # Three slices of a square of 5, the outer two with background behind them; one corner is missing.
    values = np.zeros((7, 7, 3), bool)
    values[1:6, 1:6] = True
    values[1, 1, 1] = False
    border = values.copy()
    border[2:5, 2:5] = False
    border[2, 2, 1] = True
    found = slice_border(np.moveaxis(values, 2, across), across)
    np.testing.assert_array_equal(np.moveaxis(found, across, 2), border)
