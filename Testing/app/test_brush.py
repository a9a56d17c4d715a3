"""A stroke of the brush is the disc that passed over voxels of one slice, on any grid."""

import numpy as np
import pytest
from any_grid import SIGNED_PERMUTATIONS
from VSClickCorrectApp.brush import Stroke
from VSClickCorrectLib.geometry.grid import Grid

SHAPE = (9, 30, 30)
ANISOTROPIC = np.diag([-0.5, -0.8, 3.0, 1.0])


def turned():
    """The same voxels, tilted about all axes and away from zero."""
    a, b = 0.4, -0.3
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    affine = ANISOTROPIC.copy()
    affine[:3, :3] = about_z @ about_x @ ANISOTROPIC[:3, :3]
    affine[:3, 3] = (31.0, -12.0, 55.0)
    return affine


def drawn(grid, stroke):
    box, voxels = stroke.voxels(grid)
    whole = np.zeros(grid.shape, bool)
    whole[box.slices] = voxels
    return whole


def centers(grid):
    return grid.index_to_ras(np.moveaxis(np.indices(grid.shape), 0, -1))


def axis_of(grid, axis):
    """Return the direction of an array axis, one long."""
    column = grid.affine[:3, 2 - axis]
    return tuple(column / np.linalg.norm(column))


@pytest.mark.parametrize("affine", [ANISOTROPIC, turned()], ids=["axial", "oblique"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_touch_is_a_disc_in_mm_in_one_slice(affine, axis):
    grid = Grid(SHAPE, affine)
    index = np.array((4, 14, 15))
    # Not in the middle of the slice: views may lie anywhere within a voxel.
    place = grid.index_to_ras(index + 0.3 * (np.arange(3) == axis))
    found = drawn(grid, Stroke([tuple(place)], axis_of(grid, axis), 4.1))
    away = centers(grid) - grid.index_to_ras(index)
    expected = (np.linalg.norm(away, axis=-1) <= 4.1) & (np.indices(SHAPE)[axis] == index[axis])
    assert expected.sum() > 5
    np.testing.assert_array_equal(found, expected)


def test_between_two_samples_nothing_is_left_out():
    grid = Grid(SHAPE, turned())
    begin, end = grid.index_to_ras((4, 6, 5)), grid.index_to_ras((4, 20, 26))
    found = drawn(grid, Stroke([tuple(begin), tuple(end)], axis_of(grid, 0), 1.5))
    dense = [tuple(begin + (end - begin) * t) for t in np.linspace(0, 1, 400)]
    expected = np.zeros(SHAPE, bool)
    for point in dense:
        expected |= np.linalg.norm(centers(grid) - point, axis=-1) <= 1.5
    assert expected.any(axis=(1, 2)).sum() == 1
    # The dense row of discs is a hair smaller than the whole stroke.
    assert not (expected & ~found).any() and (found & ~expected).sum() <= 2


def test_a_tilted_plane_takes_one_voxel_of_each_row_across_it():
    grid = Grid((20, 20, 20), np.eye(4))
    normal = np.array((0.3, 0.0, 1.0)) / np.linalg.norm((0.3, 0.0, 1.0))
    found = drawn(grid, Stroke([(10.0, 10.0, 10.0)], tuple(normal), 5.0))
    assert set(np.unique(found.sum(axis=0))) == {0, 1} and found.any(axis=(1, 2)).sum() > 2


@pytest.mark.parametrize("signed", SIGNED_PERMUTATIONS[::5])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_half_way_between_two_slices_it_is_the_one_that_a_click_there_means(signed, axis):
    """As views lie that show the middle of a mask whose extent is an even number of voxels."""
    for step in (0.3, 0.7, 0.9, 1.1, 3.3):
        for place in np.arange(-90, 90, 23.37):
            affine = np.eye(4)
            affine[:3, :3], affine[:3, 3] = signed * step, (place, -place, place / 3)
            grid = Grid((9, 9, 9), affine)
            index = np.array((4.0, 4.0, 4.0)) + 0.5 * (np.arange(3) == axis)
            point = grid.index_to_ras(index)
            away = centers(grid) - grid.index_to_ras(grid.ras_to_index(point))
            disc = np.linalg.norm(away, axis=-1) <= 2.2 * step
            expected = disc & (np.indices(grid.shape)[axis] == 5)
            found = drawn(grid, Stroke([tuple(point)], axis_of(grid, axis), 2.2 * step))
            assert expected.sum() == 13
            np.testing.assert_array_equal(found, expected)


def test_the_voxel_under_a_brush_smaller_than_it_is_painted():
    grid = Grid(SHAPE, ANISOTROPIC)
    point = tuple(grid.index_to_ras((4, 10.4, 12.4)))
    assert np.argwhere(drawn(grid, Stroke([point], (0.0, 0.0, 1.0), 0.1))).tolist() == [[4, 10, 12]]


def test_a_stroke_may_leave_the_image_and_lie_outside():
    grid = Grid(SHAPE, ANISOTROPIC)
    inside, outside = tuple(grid.index_to_ras((4, 0, 0))), tuple(grid.index_to_ras((4, -20, -20)))
    assert drawn(grid, Stroke([inside, outside], (0.0, 0.0, 1.0), 1.0)).sum() > 0
    assert Stroke([outside], (0.0, 0.0, 1.0), 1.0).voxels(grid)[0].empty


@pytest.mark.parametrize("signed", SIGNED_PERMUTATIONS[::5])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize(("face", "number"), [(-0.5, 0), (8.5, 8)])
def test_on_a_face_of_the_image_a_disc_lies_in_the_outermost_slice(signed, axis, face, number):
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = signed * 0.7, (23.3, -40.1, 5.9)
    grid = Grid((9, 9, 9), affine)
    place = np.where(np.arange(3) == axis, face, 4.0)
    found = drawn(grid, Stroke([tuple(grid.index_to_ras(place))], axis_of(grid, axis), 1.5))
    outermost = np.where(np.arange(3) == axis, number, 4)
    away = centers(grid) - grid.index_to_ras(outermost)
    expected = (np.linalg.norm(away, axis=-1) <= 1.5) & (np.indices(grid.shape)[axis] == number)
    assert expected.sum() == 13
    np.testing.assert_array_equal(found, expected)
