"""What the initial networks are given: the head's box and windows that cover it."""

import numpy as np
import pytest
from any_grid import all_ras, grids
from hypothesis import given
from hypothesis import strategies as st
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.preprocessing import covering_grid, head_box, sample_sequences
from VSClickCorrectLib.geometry.volume import Case, Volume

AXIAL = np.diag([-1.0, -1.0, 1.0, 1.0])
# Left-handed, head first to the right: array axes run to the right, forward and downward.
TURNED = np.array([[0, 0, 1.0, 0], [0, 1.0, 0, 0], [-1.0, 0, 0, 0], [0, 0, 0, 1]])


def head_in(shape, place, value=100.0):
    array = np.random.default_rng(0).random(shape)  # the noise of air, up to a hundredth of the head
    array[place] += value
    return array


def test_a_window_of_more_samples_than_a_network_can_take_is_refused():
    grid = Grid((20, 20, 20), np.diag([-80.0, -80.0, 80.0, 1.0]))
    assert covering_grid(grid, Box((0, 0, 0), (8, 8, 8)), (3.0, 3.0, 3.0)).geometry.shape == (216, 216, 216)
    with pytest.raises(ImageError, match="^1600×1600×1600 mm of the image are too much for the networks"):
        covering_grid(grid, grid.box, (3.0, 3.0, 3.0))


def test_head_box_keeps_every_slice_and_the_rows_and_columns_of_the_head():
    array = head_in((12, 64, 80), np.s_[:, 8:40, 20:60])
    assert head_box(Volume(array, Grid(array.shape, AXIAL))) == Box((0, 8, 20), (12, 40, 60))


def test_head_box_is_in_axial_order_whichever_way_the_array_runs():
    # The array (to the right, forward, downward) of a head at columns 20 to 60 and rows 8 to 40.
    array = head_in((12, 64, 80), np.s_[:, 8:40, 20:60]).transpose(2, 1, 0)[::-1, ::-1, ::-1]
    box = head_box(Volume(array, Grid(array.shape, TURNED)))
    assert box.shape == (12, 32, 40)
    assert box == Box((0, 8, 20), (12, 40, 60))


def test_head_box_loses_at_most_what_lies_between_two_looks():
    array = head_in((12, 64, 80), np.s_[:, 9:43, 21:58])
    box = head_box(Volume(array, Grid(array.shape, AXIAL)))
    assert box == Box((0, 12, 24), (12, 44, 60))


def test_single_bright_pixels_in_air_do_not_widen_the_head():
    array = head_in((40, 64, 80), np.s_[:, 8:40, 20:60])
    array[20, 60, 40] = 100.0
    assert head_box(Volume(array, Grid(array.shape, AXIAL))).stop == (40, 40, 60)


@pytest.mark.parametrize("value", [0.0, 5.0])
def test_image_in_which_no_head_stands_out_is_kept_whole(value):
    assert head_box(Volume(np.full((9, 10, 11), value), Grid((9, 10, 11), AXIAL))) == Box(
        (0, 0, 0), (9, 10, 11)
    )


def test_covering_window_has_multiples_of_eight_samples_around_the_boxs_centre():
    grid = Grid((20, 40, 40), np.diag([-0.5, -0.5, 2.0, 1.0]))
    window = covering_grid(grid, Box((2, 4, 10), (12, 24, 40)), (2.0, 1.0, 1.0))
    # 10 × 2 mm, 20 × 0.5 mm and 30 × 0.5 mm are 10, 10 and 15 samples.
    assert window.geometry.shape == (16, 16, 16)
    assert window.center.tolist() == [6.5, 13.5, 24.5]


@given(grids(), st.tuples(*[st.floats(0.5, 6.0)] * 3), st.data())
def test_covering_window_holds_every_voxel_of_the_box(grid, spacing, data):
    bounds = [
        sorted((data.draw(st.integers(0, n - 1)), data.draw(st.integers(1, n)))) for n in grid.axial_shape
    ]
    box = Box(*zip(*((a, max(b, a + 1)) for a, b in bounds), strict=True))
    window = covering_grid(grid, box, spacing)
    assert window.ordered_box.contains(box)
    assert all(n % 8 == 0 and n > 0 for n in window.geometry.shape)


def test_covering_window_may_reach_beyond_the_image_where_it_reads_zero():
    grid = Grid((8, 8, 8), AXIAL)
    window = covering_grid(grid, grid.box.padded(4), (1.0, 1.0, 1.0))
    sampled = window.resample(np.ones(window.source_box.shape))
    assert sampled.shape == (16, 16, 16)
    assert sampled[4:12, 4:12, 4:12].all()
    assert sampled.sum() == 8**3


@given(grids(sides=st.integers(4, 7)))
def test_whole_image_seen_at_its_own_resolution_comes_back_unchanged(grid):
    values = np.random.default_rng(0).random(grid.shape)
    whole = Box((0, 0, 0), grid.axial_shape)
    window = covering_grid(grid, whole, tuple(grid.axial_spacing))
    assert window.box == grid.box
    ramp = all_ras(grid) @ (0.1, 0.2, 0.3)
    for array in (values, ramp):
        # Even and odd sides put samples on the voxels or half way between; ramps survive either.
        seen = window.resample_back(window.resample(array[window.source_box.slices]))
        if all(n % 2 == 0 for n in grid.shape):
            assert np.allclose(seen, array, atol=1e-4)
    inner = tuple(slice(1, n - 1) for n in grid.shape)
    assert np.allclose(seen[inner], ramp[inner], atol=1e-3)


def test_sequences_are_normalised_and_a_missing_one_is_zero():
    array = head_in((8, 8, 8), np.s_[2:6, 2:6, 2:6])
    volume = Volume(array, Grid(array.shape, AXIAL))
    window = covering_grid(volume.grid, volume.grid.box, (1.0, 1.0, 1.0))
    both = sample_sequences(Case(None, volume), window)
    assert both.shape == (2, 8, 8, 8)
    assert both.dtype == np.float32
    assert not both[0].any()
    assert np.allclose(both[1], volume.normalised(volume.grid.box), atol=1e-6)
