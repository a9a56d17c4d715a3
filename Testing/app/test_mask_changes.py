"""Largest part, small islands and empty slices between others."""

import numpy as np
import pytest
from session_doubles import with_blocks
from VSClickCorrectApp.mask_changes import all_but_largest, between_slices, small_islands
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.geometry.grid import Grid

SHAPE = (12, 40, 40)
BIG, MIDDLE, SPECK = ((2, 6), (10, 16), (10, 16)), ((2, 4), (30, 32), (30, 32)), ((9, 10), (3, 4), (3, 5))
_TOOLS = (all_but_largest, small_islands, between_slices)


@pytest.fixture
def grid():
    return Grid(SHAPE, np.diag([-1.0, -1.0, 2.0, 1.0]))


def changed(grid, values, tool):
    mask = ArrayMask(grid, values)
    tool(mask).apply(mask)
    return mask.values


def test_only_the_largest_part_is_kept(grid):
    found = changed(grid, with_blocks(SHAPE, BIG, MIDDLE, SPECK), all_but_largest)
    np.testing.assert_array_equal(found, with_blocks(SHAPE, BIG))


def test_islands_are_small_by_volume_and_not_by_voxels(grid):
    # A voxel is 2 mm³: the middle part has 16 mm³, the speck 4.
    values = with_blocks(SHAPE, BIG, MIDDLE, SPECK)
    np.testing.assert_array_equal(changed(grid, values, small_islands), with_blocks(SHAPE, BIG, MIDDLE))
    found = changed(grid, values, lambda mask: small_islands(mask, 17.0))
    np.testing.assert_array_equal(found, with_blocks(SHAPE, BIG))


def test_the_largest_part_stays_however_small_it_is(grid):
    values = with_blocks(SHAPE, SPECK)
    np.testing.assert_array_equal(changed(grid, values, small_islands), values)


def test_parts_that_touch_by_a_corner_are_one(grid):
    values = with_blocks(SHAPE, ((2, 4), (4, 6), (4, 6)), ((4, 5), (6, 7), (6, 7)))
    np.testing.assert_array_equal(changed(grid, values, all_but_largest), values)


def test_equal_slices_are_filled_with_the_same(grid):
    values = with_blocks(SHAPE, ((2, 3), (10, 20), (12, 25)), ((6, 7), (10, 20), (12, 25)))
    found = changed(grid, values, between_slices)
    np.testing.assert_array_equal(found, with_blocks(SHAPE, ((2, 7), (10, 20), (12, 25))))


def test_between_a_small_and_a_large_disc_lies_one_of_middle_size(grid):
    j, i = np.indices((40, 40))
    discs = {number: np.hypot(j - 20, i - 20) <= radius for number, radius in ((2, 4.0), (6, 12.0))}
    values = np.zeros(SHAPE, bool)
    for number, disc in discs.items():
        values[number] = disc
    found = changed(grid, values, between_slices)
    areas = found.sum(axis=(1, 2))
    assert np.all(np.diff(areas[2:7]) > 0)
    assert abs(np.sqrt(areas[4] / np.pi) - 8.0) < 0.5
    # Nothing is removed, nothing is added beyond the first and last slice.
    assert (found & values).sum() == values.sum() and areas[:2].sum() + areas[7:].sum() == 0


def test_the_axis_is_the_one_with_gaps_and_of_these_that_of_thickest_spacing():
    grid = Grid((12, 40, 40), np.diag([0.5, 2.0, 1.0, 1.0]))
    painted = with_blocks(SHAPE, ((4, 8), (10, 11), (5, 15)), ((4, 8), (14, 15), (5, 15)))
    found = changed(grid, painted, between_slices)
    np.testing.assert_array_equal(found, with_blocks(SHAPE, ((4, 8), (10, 15), (5, 15))))


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 0.5, 0.5), (0.5, 0.5, 2.0)])
def test_a_speck_aside_is_no_slice_to_fill_up_to(spacing):
    grid = Grid(SHAPE, np.diag([*spacing, 1.0]))
    painted = [((number, number + 1), (10, 20), (5, 15)) for number in (2, 4, 6)]
    speck = ((4, 5), (12, 13), (35, 36))
    found = changed(grid, with_blocks(SHAPE, *painted, speck), between_slices)
    np.testing.assert_array_equal(found, with_blocks(SHAPE, ((2, 7), (10, 20), (5, 15)), speck))


def test_nothing_to_do_is_no_change(grid):
    for values in (np.zeros(SHAPE, bool), with_blocks(SHAPE, BIG)):
        for tool in _TOOLS:
            assert tool(ArrayMask(grid, values)).count == (0, 0)
