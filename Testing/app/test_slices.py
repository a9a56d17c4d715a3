"""Numbers and places of slices as they were acquired."""

import numpy as np
import pytest
from VSClickCorrectApp.slices import SliceStack
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid

# Voxel (i, j, k) lies at (-i, 20 - 2 j, 5 + 3 k).
UPWARD = Grid((4, 5, 6), [[-1, 0, 0, 0], [0, -2, 0, 20], [0, 0, 3, 5], [0, 0, 0, 1]])
# Sagittal, from the top down: voxel (i, j, k) lies at (-3 k, 20 - 2 i, 5 - j).
SAGITTAL = Grid((4, 5, 6), [[0, 0, -3, 0], [-2, 0, 0, 20], [0, -1, 0, 5], [0, 0, 0, 1]])
# Coronal: voxel (i, j, k) lies at (-i, 5 + 3 k, 20 - 2 j).
CORONAL = Grid((4, 5, 6), [[-1, 0, 0, 0], [0, 0, 3, 5], [0, -2, 0, 20], [0, 0, 0, 1]])


def test_slices_are_counted_from_the_bottom():
    slices = SliceStack(UPWARD)
    assert slices.count == 4
    assert [slices.number_at((0, 0, s)) for s in (5, 8, 9.4, 9.6, 14)] == [1, 2, 2, 3, 4]


def test_points_beyond_the_stack_belong_to_its_ends():
    assert [SliceStack(UPWARD).number_at((0, 0, s)) for s in (-90, 90)] == [1, 4]


def test_sagittal_slices_are_counted_to_the_left_and_coronal_ones_forward():
    slices = SliceStack(SAGITTAL)
    assert slices.count == 4
    assert [slices.number_at((r, 0, 0)) for r in (9, 0, -4, -9)] == [1, 1, 2, 4]
    assert [SliceStack(CORONAL).number_at((0, a, 0)) for a in (5, 8, 20)] == [1, 2, 4]


@pytest.mark.parametrize(
    ("grid", "expected"),
    [(UPWARD, (-1.25, 17.5, 11)), (SAGITTAL, (-6, 17.5, 4)), (CORONAL, (-1.25, 11, 4))],
)
def test_a_point_is_moved_along_the_stack_alone(grid, expected):
    np.testing.assert_allclose(SliceStack(grid).moved((-1.25, 17.5, 4.0), 3), expected)


@pytest.mark.parametrize(("number", "expected"), [(0, 5.0), (99, 14.0)])
def test_numbers_beyond_the_stack_lead_to_its_ends(number, expected):
    assert SliceStack(UPWARD).moved((0, 0, 0), number)[2] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("grid", "right", "down"),
    [
        (UPWARD, (-1, 0, 0), (0, -1, 0)),
        (CORONAL, (-1, 0, 0), (0, 0, -1)),
        (SAGITTAL, (0, -1, 0), (0, 0, -1)),
    ],
)
def test_steps_go_right_and_down_the_screen(grid, right, down):
    middle = grid.center_ras
    for columns, rows, step in ((1, 0, right), (-1, 0, np.negative(right)), (0, 1, down)):
        moved = SliceStack(grid).stepped(middle, columns, rows) - middle
        np.testing.assert_allclose(np.sign(np.round(moved, 9)), step)


def test_steps_end_at_the_image():
    corner = UPWARD.index_to_ras((2, 0, 0))
    np.testing.assert_allclose(SliceStack(UPWARD).stepped(corner, -1, -1), corner)


def test_areas_count_voxels_of_every_slice():
    values = np.zeros((2, 2, 3), bool)
    values[0, 0, :2] = values[1] = True
    assert SliceStack(UPWARD).areas(Box((1, 2, 1), (3, 4, 4)), values) == [0, 2, 6, 0]


def test_areas_of_a_sagittal_stack_run_to_the_left():
    values = np.ones((3, 1, 2), bool)
    values[1, 0, 0] = False
    assert SliceStack(SAGITTAL).areas(Box((1, 0, 0), (4, 1, 2)), values) == [0, 2, 1, 2]
