"""Grids against SimpleITK, literal affines and arithmetic by hand."""

import numpy as np
import pytest
from any_grid import SUPERIOR_POSTERIOR_LEFT, all_ras, axial_axes, axial_steps, grids, itk_image, slice_axes
from hypothesis import given
from hypothesis import strategies as st
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid

# A head first supine axial scan as DICOM has it: columns to the left, rows to the back, slices upward.
AXIAL = np.array([[-0.5, 0, 0, 90], [0, -0.5, 0, 100], [0, 0, 1.5, -60], [0, 0, 0, 1]], float)
# Sagittal: columns to the back, rows downward, slices to the left.
SAGITTAL = np.array([[0, 0, -2, 80], [-1, 0, 0, 100], [0, -1, 0, 120], [0, 0, 0, 1]], float)
point = st.tuples(*[st.floats(-20.0, 20.0)] * 3)


def test_voxel_coordinates_become_ras_as_the_affine_says():
    grid = Grid((4, 5, 6), AXIAL)
    assert grid.ijk_to_ras((2, 4, 3)).tolist() == [89.0, 98.0, -55.5]
    assert grid.index_to_ras((3, 4, 2)).tolist() == [89.0, 98.0, -55.5]
    assert grid.ras_to_ijk((89.0, 98.0, -55.5)) == pytest.approx([2, 4, 3])


def test_sizes_of_voxels_and_places_of_an_axial_grid():
    grid = Grid((4, 5, 6), AXIAL)
    assert grid.spacing.tolist() == [0.5, 0.5, 1.5]
    assert grid.voxel_volume == pytest.approx(0.375)
    assert grid.center_ras.tolist() == [90 - 1.25, 100 - 1.0, -60 + 2.25]
    assert grid.box == Box((0, 0, 0), (4, 5, 6))
    assert grid.affine_lps.tolist() == [[0.5, 0, 0, -90], [0, 0.5, 0, -100], [0, 0, 1.5, -60], [0, 0, 0, 1]]


def test_axial_sizes_of_a_sagittal_grid_follow_up_back_left():
    grid = Grid((4, 5, 6), SAGITTAL @ np.diag([0.7, 0.6, 1, 1]))
    assert grid.axial_shape == (5, 6, 4)
    assert grid.axial_spacing == pytest.approx([0.6, 0.7, 2.0])


def test_axial_view_of_an_axial_scan_is_the_scan_itself():
    array = np.arange(24).reshape(2, 3, 4)
    assert np.array_equal(Grid(array.shape, AXIAL).axial_order().arranged(array), array)


def test_axial_view_of_a_sagittal_scan_is_turned_by_hand_alike():
    array = np.arange(24).reshape(2, 3, 4)
    # Slices upward: rows from the last to the first; rows backward: columns; columns to the left: slices.
    assert np.array_equal(
        Grid(array.shape, SAGITTAL).axial_order().arranged(array), array.transpose(1, 2, 0)[::-1]
    )


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ((1000, 1000, 1000), "the image's voxels are 1000×1000×1000 mm large, which cannot be"),
        ((0.5, 1e-6, 0.5), "the image's voxels are 0.5×1e-06×0.5 mm large, which cannot be"),
        ((0.5, 90, 90), "the image is 300×54000×36000 mm large, more than any patient"),
    ],
)
def test_sizes_that_no_scan_has_are_refused(sizes, said):
    with pytest.raises(ImageError, match=said):
        Grid((400, 600, 600), np.diag([*sizes, 1.0]))


@given(grids(), point)
def test_ijk_and_ras_are_inverse_to_each_other(grid, ijk):
    assert grid.ras_to_ijk(grid.ijk_to_ras(ijk)) == pytest.approx(ijk, abs=1e-6)


@given(grids(), point)
def test_coordinates_are_those_of_simpleitk(grid, ijk):
    image = itk_image(np.zeros(grid.shape, np.uint8), grid)
    left, posterior, superior = image.TransformContinuousIndexToPhysicalPoint(ijk)
    ras = (-left, -posterior, superior)
    assert grid.ijk_to_ras(ijk) == pytest.approx(ras, abs=1e-6)
    assert grid.ras_to_ijk(ras) == pytest.approx(
        image.TransformPhysicalPointToContinuousIndex((left, posterior, superior)), abs=1e-6
    )


@given(grids())
def test_grid_from_itk_terms_is_the_grid_they_were_taken_from(grid):
    image = itk_image(np.zeros(grid.shape, np.uint8), grid)
    built = Grid.from_lps(grid.shape, image.GetSpacing(), image.GetOrigin(), image.GetDirection())
    assert np.allclose(built.affine, grid.affine, atol=1e-9)
    assert built.matches(grid)


def test_many_points_are_mapped_at_once():
    grid = Grid((4, 5, 6), SAGITTAL)
    assert np.allclose(grid.index_to_ras(np.moveaxis(np.indices(grid.shape), 0, -1)), all_ras(grid))


@given(grids(), st.data())
def test_a_voxel_holds_the_points_up_to_half_way_to_its_neighbours(grid, data):
    index = tuple(data.draw(st.integers(0, n - 1)) for n in grid.shape)
    offset = np.array([data.draw(st.floats(-0.499, 0.499)) for _ in range(3)])
    ras = grid.affine[:3, :3] @ (np.array(index)[::-1] + offset) + grid.affine[:3, 3]
    assert grid.ras_to_index(ras) == index


def test_outermost_faces_belong_to_the_image_and_what_lies_beyond_does_not():
    grid = Grid((4, 4, 4), np.eye(4))
    assert grid.ras_to_index((-0.5, 0, 0)) == (0, 0, 0)
    assert grid.ras_to_index((0, 0, 3.49)) == (3, 0, 0)
    assert grid.ras_to_index((3.5, -0.5, 3.5)) == (3, 0, 3)
    for beyond in ((-0.51, 0, 0), (0, 3.51, 0)):
        with pytest.raises(ImageError):
            grid.ras_to_index(beyond)


@given(grids(), st.data())
def test_every_face_of_the_image_belongs_to_the_voxels_beside_it(grid, data):
    index = [data.draw(st.integers(0, n - 1)) for n in grid.shape]
    axis, upper = data.draw(st.integers(0, 2)), data.draw(st.booleans())
    index[axis] = grid.shape[axis] - 1 if upper else 0
    face = [float(n) for n in index]
    face[axis] += 0.5 if upper else -0.5
    assert grid.ras_to_index(grid.index_to_ras(face)) == tuple(index)


@pytest.mark.parametrize("ras", [(4.0, 1, 1), (1, -1.0, 1), (1, 1, 3.6)])
def test_point_outside_is_refused_naming_it_in_mm(ras):
    r, a, s = (f"{v:.1f}" for v in ras)
    with pytest.raises(ImageError, match=f"R {r}, A {a}, S {s} mm lies outside the image; click inside it"):
        Grid((4, 4, 4), np.eye(4)).ras_to_index(ras)


def test_point_light_years_away_is_named_in_few_digits():
    with pytest.raises(ImageError, match=r"R 1\.0e\+30, A 1\.0, S -2\.5e\+07 mm lies outside"):
        Grid((4, 4, 4), np.eye(4)).ras_to_index((1e30, 1, -2.5e7))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_point_that_is_no_number_is_refused(bad):
    with pytest.raises(ImageError, match="not finite numbers; place it again"):
        Grid((4, 4, 4), np.eye(4)).ras_to_index((0.0, bad, 0.0))


@given(grids())
def test_axial_order_is_the_closest_of_all_signed_permutations(grid):
    order = grid.axial_order()
    assert sorted(order.axes) == [0, 1, 2]
    signs = [-1 if flip else 1 for flip in order.flips]
    steps = (grid.affine[:3, :3] / grid.spacing).T[::-1]
    reached = sum(signs[n] * steps[a] @ SUPERIOR_POSTERIOR_LEFT[n] for n, a in enumerate(order.axes))
    assert reached == pytest.approx(np.trace(axial_steps(grid) @ SUPERIOR_POSTERIOR_LEFT.T), abs=1e-9)


@given(grids(sides=st.integers(2, 5), tilt=15))
def test_axial_views_run_superior_posterior_left(grid):
    ras = all_ras(grid)
    order = grid.axial_order()
    r, a, s = (order.arranged(ras[..., n]) for n in range(3))
    assert (np.diff(s, axis=0) > 0).all()
    assert (np.diff(a, axis=1) < 0).all()
    assert (np.diff(r, axis=2) < 0).all()


@given(grids())
def test_slices_are_those_that_were_acquired(grid):
    order = grid.slice_order()
    signs = [-1 if flip else 1 for flip in order.flips]
    assert list(zip(order.axes, signs, strict=True)) == slice_axes(grid)


@pytest.mark.parametrize(
    ("sizes", "axis"),
    [
        # Columns, rows and slices of a sagittal stack: thick slices, as good as none, and thick rows.
        ((0.5, 0.5, 3.0), 0),
        ((0.5, 0.5, 0.55), 1),
        ((0.9, 3.0, 0.5), 1),
        ((3.0, 0.9, 0.9), 2),
    ],
)
def test_voxels_are_thickest_across_slices(sizes, axis):
    affine = SAGITTAL.copy()
    affine[:3, :3] = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0) * sizes
    assert Grid((4, 5, 6), affine).slice_order().axes[0] == axis


@given(grids(), st.data())
def test_slices_are_numbered_in_the_direction_of_their_order(grid, data):
    index = [data.draw(st.integers(0, n - 1)) for n in grid.shape]
    axis, sign = slice_axes(grid)[0]
    steps = index[axis] if sign > 0 else grid.shape[axis] - 1 - index[axis]
    assert grid.slice_number(index) == 1 + steps


@given(grids(), st.data())
def test_a_point_moves_across_its_slice_alone_to_the_middle(grid, data):
    index = np.array([data.draw(st.integers(0, n - 1)) for n in grid.shape])
    off = np.array([data.draw(st.floats(-0.49, 0.49)) for _ in range(3)])
    middle = off.copy()
    middle[slice_axes(grid)[0][0]] = 0
    given_, meant = (grid.affine[:3, :3] @ (index + one)[::-1] + grid.affine[:3, 3] for one in (off, middle))
    np.testing.assert_allclose(grid.in_slice(given_), meant, atol=1e-9)


@given(grids())
def test_array_survives_the_way_to_axial_order_and_back(grid):
    array = np.arange(np.prod(grid.shape)).reshape(grid.shape)
    order = grid.axial_order()
    axial = order.arranged(array)
    assert axial.shape == grid.axial_shape
    assert np.array_equal(order.restored(axial), array)


@given(grids())
def test_axial_spacing_is_the_length_of_a_step_along_each_axial_axis(grid):
    sizes = np.linalg.norm(grid.affine[:3, :3], axis=0)[::-1]
    assert grid.axial_spacing == pytest.approx([sizes[axis] for axis, _ in axial_axes(grid)])


@given(grids(), st.data())
def test_axial_box_names_the_same_voxels_in_array_order(grid, data):
    bounds = [sorted(data.draw(st.tuples(*[st.integers(0, n)] * 2))) for n in grid.axial_shape]
    axial = Box(*zip(*bounds, strict=True))
    array = np.arange(np.prod(grid.shape)).reshape(grid.shape)
    order = grid.axial_order()
    assert np.array_equal(
        order.arranged(array)[axial.slices], order.arranged(array[grid.box_from(order, axial).slices])
    )


@given(grids(), st.floats(0.0, 12.0), st.data())
def test_box_around_holds_every_voxel_within_the_radius(grid, radius, data):
    index = tuple(data.draw(st.integers(0, n - 1)) for n in grid.shape)
    ras = grid.index_to_ras(index)
    box = grid.box_around(ras, radius)
    near = np.linalg.norm(all_ras(grid) - ras, axis=-1) <= radius - 1e-6
    inside = np.zeros(grid.shape, bool)
    inside[box.slices] = True
    assert inside[index]
    assert not (near & ~inside).any()


def test_box_around_reaches_as_many_voxels_as_the_radius_needs():
    # 2 mm are two voxels of 1.5 mm and four of 0.5 mm; the grid ends at row 0.
    assert Grid((20, 20, 20), AXIAL).box_around((90 - 5.0, 100 - 1.0, -60 + 15.0), 2.0) == Box(
        (8, 0, 6), (13, 7, 15)
    )


@given(grids(), st.data())
def test_cropping_leaves_each_voxel_where_it_was(grid, data):
    start = tuple(data.draw(st.integers(0, n - 1)) for n in grid.shape)
    stop = tuple(data.draw(st.integers(a + 1, n)) for a, n in zip(start, grid.shape, strict=True))
    box = Box(start, stop)
    assert np.allclose(all_ras(grid.cropped(box)), all_ras(grid)[box.slices], atol=1e-9)


def test_grids_match_while_their_corners_agree():
    grid = Grid((10, 20, 30), AXIAL)
    assert grid.matches(Grid((10, 20, 30), AXIAL.copy()))
    assert not grid.matches(Grid((10, 20, 31), AXIAL))
    moved = AXIAL.copy()
    moved[0, 3] += 0.009
    assert grid.matches(Grid((10, 20, 30), moved))
    moved[0, 3] += 0.002
    assert not grid.matches(Grid((10, 20, 30), moved))
    assert grid.matches(Grid((10, 20, 30), moved), tolerance_mm=0.1)


def test_grid_stretched_by_a_hair_per_voxel_no_longer_matches():
    stretched = AXIAL.copy()
    stretched[0, 0] -= 0.001  # 0.029 mm at the thirtieth column
    assert not Grid((10, 20, 30), AXIAL).matches(Grid((10, 20, 30), stretched))


@pytest.mark.parametrize("element", [np.nan, np.inf])
def test_orientation_that_is_not_finite_is_refused(element):
    affine = np.eye(4)
    affine[1, 2] = element
    with pytest.raises(ImageError, match="singular or not finite; export the image again"):
        Grid((2, 2, 2), affine)


def test_singular_orientation_is_refused():
    with pytest.raises(ImageError, match="singular or not finite; export the image again"):
        Grid((2, 2, 2), np.diag([1.0, 0.0, 1.0, 1.0]))


def test_sheared_grid_is_refused_and_rounding_is_not():
    affine = np.eye(4)
    affine[0, 1] = 0.0005
    Grid((2, 2, 2), affine)
    affine[0, 1] = 0.05
    with pytest.raises(ImageError, match="not at right angles .*; resample it to an orthogonal grid first"):
        Grid((2, 2, 2), affine)


def test_straightened_grid_shares_the_lean_between_both_axes():
    lean = 4e-4
    affine = np.array([[2.0, 3 * lean, 0, 5], [0, 3, 0, 6], [0, 0, 4, 7], [0, 0, 0, 1]])
    half = lean / 2
    expected = [[2, 3 * half, 0, 5], [-2 * half, 3, 0, 6], [0, 0, 4, 7], [0, 0, 0, 1]]
    np.testing.assert_allclose(Grid((2, 2, 2), affine).straightened().affine, expected, atol=1e-6)


def test_grid_cannot_be_changed_through_the_affine_it_was_made_of():
    affine = np.eye(4)
    grid = Grid((2, 2, 2), affine)
    affine[0, 3] = 5.0
    assert grid.affine[0, 3] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        grid.affine[0, 3] = 5.0


@given(grids())
def test_flipping_the_array_and_its_affine_gives_the_same_axial_view(grid):
    array = np.arange(np.prod(grid.shape)).reshape(grid.shape)
    flipped = grid.affine.copy()
    flipped[:3, 3] = grid.ijk_to_ras((grid.shape[2] - 1, 0, 0))
    flipped[:3, 0] *= -1
    mirrored = Grid(grid.shape, flipped)
    assert np.array_equal(
        mirrored.axial_order().arranged(array[:, :, ::-1]), grid.axial_order().arranged(array)
    )


def test_volume_of_a_mask_counts_its_voxels():
    grid = Grid((2, 3, 4), np.diag([0.5, 2.0, 3.0, 1.0]))
    values = np.zeros(grid.shape, np.uint8)
    values[0, 1, 1:4] = 7
    assert grid.volume_of(values) == 9.0
    assert grid.volume_of(values[:1]) == 9.0
    assert grid.volume_of(np.zeros((0, 0, 0), bool)) == 0.0
