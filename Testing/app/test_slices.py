"""Numbers and places of axial slices."""

import numpy as np
import pytest
from VSClickCorrectLib.app.slices import AxialSlices
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid

# Voxel (i, j, k) lies at (-i, 20 - 2 j, 5 + 3 k).
UPWARD = Grid((4, 5, 6), [[-1, 0, 0, 0], [0, -2, 0, 20], [0, 0, 3, 5], [0, 0, 0, 1]])
# Sagittal, from the top down: voxel (i, j, k) lies at (-3 k, 20 - 2 i, 5 - j).
SAGITTAL = Grid((4, 5, 6), [[0, 0, -3, 0], [-2, 0, 0, 20], [0, -1, 0, 5], [0, 0, 0, 1]])


def test_slices_are_counted_from_the_bottom():
    slices = AxialSlices(UPWARD)
    assert slices.count == 4
    assert [slices.number_at((0, 0, s)) for s in (5, 8, 9.4, 9.6, 14)] == [1, 2, 2, 3, 4]


def test_points_beyond_the_stack_belong_to_its_ends():
    assert [AxialSlices(UPWARD).number_at((0, 0, s)) for s in (-90, 90)] == [1, 4]


def test_of_a_sagittal_stack_the_rows_are_slices():
    slices = AxialSlices(SAGITTAL)
    assert slices.count == 5
    assert [slices.number_at((0, 0, s)) for s in (1, 5)] == [1, 5]


@pytest.mark.parametrize(("grid", "expected"), [(UPWARD, 11.0), (SAGITTAL, 3.0)])
def test_a_point_is_moved_along_the_stack_alone(grid, expected):
    np.testing.assert_allclose(AxialSlices(grid).moved((-1.25, 17.5, 4.0), 3), (-1.25, 17.5, expected))


@pytest.mark.parametrize(("number", "expected"), [(0, 5.0), (99, 14.0)])
def test_numbers_beyond_the_stack_lead_to_its_ends(number, expected):
    assert AxialSlices(UPWARD).moved((0, 0, 0), number)[2] == pytest.approx(expected)


@pytest.mark.parametrize("grid", [UPWARD, SAGITTAL])
@pytest.mark.parametrize(
    ("columns", "rows", "step"), [(1, 0, (-1, 0, 0)), (-1, 0, (1, 0, 0)), (0, 1, (0, -1, 0))]
)
def test_steps_go_right_and_down_the_screen(grid, columns, rows, step):
    # Right on the screen is the patient's left; down is toward the back.
    middle = grid.center_ras
    moved = AxialSlices(grid).stepped(middle, columns, rows) - middle
    np.testing.assert_allclose(np.sign(np.round(moved, 9)), step)


def test_steps_end_at_the_image():
    corner = UPWARD.index_to_ras((2, 0, 0))
    np.testing.assert_allclose(AxialSlices(UPWARD).stepped(corner, -1, -1), corner)


def test_areas_count_voxels_of_every_slice():
    values = np.zeros((2, 2, 3), bool)
    values[0, 0, :2] = values[1] = True
    assert AxialSlices(UPWARD).areas(Box((1, 2, 1), (3, 4, 4)), values) == [0, 2, 6, 0]


def test_areas_of_a_sagittal_stack_run_upward_too():
    # Row 0 is the top one.
    values = np.ones((4, 1, 2), bool)
    assert AxialSlices(SAGITTAL).areas(Box((0, 0, 0), (4, 1, 2)), values) == [0, 0, 0, 0, 8]


def test_an_empty_mask_has_no_area():
    assert AxialSlices(UPWARD).areas(None, None) == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("ras", "expected"),
    [((-1.4, 17.5, 9.4), (-1, 18, 8)), ((90, 90, -90), (0, 20, 5)), ((-2, 12, 14), (-2, 12, 14))],
)
def test_a_point_is_moved_into_the_middle_of_its_voxel(ras, expected):
    np.testing.assert_allclose(AxialSlices(UPWARD).voxel_at(ras), expected)
