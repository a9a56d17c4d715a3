"""Connected parts, found from one voxel."""

import numpy as np
import pytest
from example_counts import examples
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from session_doubles import grids, masks_on, with_blocks
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.session.components import is_largest, island_at


def test_there_is_no_island_at_a_voxel_that_is_not_set(grid, truth):
    assert island_at(ArrayMask(grid, truth), (4, 12, 11)) is None
    assert island_at(ArrayMask(grid), (0, 0, 0)) is None


def test_island_is_the_part_that_holds_the_voxel(grid, truth):
    values = truth | with_blocks(grid.shape, ((5, 7), (30, 33), (2, 6)))
    island = island_at(ArrayMask(grid, values), (6, 32, 2))
    assert island.box == Box((5, 30, 2), (7, 33, 6))
    assert island.values.all()
    assert island.size == 24


def test_voxels_that_meet_at_a_corner_are_one_part(grid):
    values = np.zeros(grid.shape, bool)
    values[3, 10, 10] = values[4, 11, 9] = values[5, 12, 10] = True
    island = island_at(ArrayMask(grid, values), (3, 10, 10))
    assert island.size == 3
    assert island.box == Box((3, 10, 9), (6, 13, 11))


def test_island_longer_than_the_first_look_is_found_whole():
    # 24 mm around the voxel are looked at first; this one winds through 300 mm and comes back beside itself.
    shape = (1, 5, 300)
    values = with_blocks(
        shape, ((0, 1), (0, 1), (0, 300)), ((0, 1), (4, 5), (0, 300)), ((0, 1), (0, 5), (299, 300))
    )
    island = island_at(ArrayMask(Grid(shape, np.eye(4)), values), (0, 4, 0))
    assert island.size == 603
    np.testing.assert_array_equal(island.values, values)


def test_island_at_the_rim_of_the_image_is_found(grid):
    values = with_blocks(grid.shape, ((0, 2), (38, 40), (0, 1)))
    assert island_at(ArrayMask(grid, values), (0, 39, 0)).box == Box((0, 38, 0), (2, 40, 1))


@pytest.mark.parametrize(("other", "expected"), [((30, 33), True), ((30, 34), True), ((30, 35), False)])
def test_an_island_is_largest_unless_another_is_larger(grid, other, expected):
    mask = ArrayMask(
        grid,
        with_blocks(
            grid.shape, ((2, 4), (2, 6), (2, 6)), ((2, 4), (2, 6), other), ((9, 10), (9, 10), (9, 10))
        ),
    )
    assert is_largest(mask, island_at(mask, (2, 2, 2))) is expected


@examples(2)
@given(st.data())
def test_island_is_what_labelling_the_whole_volume_gives(data):
    grid = data.draw(grids())
    values = data.draw(masks_on(grid))
    index = tuple(data.draw(st.integers(0, n - 1)) for n in grid.shape)
    labels, _ = ndimage.label(values, np.ones((3, 3, 3)))
    mask = ArrayMask(grid, values)
    island = island_at(mask, index)
    if labels[index] == 0:
        assert island is None
        return
    whole = np.zeros(grid.shape, bool)
    whole[island.box.slices] = island.values
    np.testing.assert_array_equal(whole, labels == labels[index])
    sizes = np.bincount(labels[labels > 0])
    assert is_largest(mask, island) == (sizes[labels[index]] == sizes.max())
