"""Cuts: centred on the click, in its slice, left on the right; channels in the order that networks take."""

import numpy as np
import pytest
from any_grid import all_ras, grids, slice_axes, slice_steps
from hypothesis import given
from hypothesis import strategies as st
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.clicks.patches import PatchGeometry, click_map, extract_patch, patch_grid
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case, Volume

# Voxel (i, j, k) lies at R 20 - i, A 20 - j, S 2 k: an axial scan of 1 × 1 × 2 mm.
AXIAL = np.array([[-1.0, 0, 0, 20], [0, -1.0, 0, 20], [0, 0, 2.0, 0], [0, 0, 0, 1]])
SHAPE = (5, 41, 41)
SMALL = PatchGeometry(size=8, pixel_mm=1.0, slice_mm=2.0)


def cut_of(array, affine=AXIAL, ras=(0.0, 0.0, 4.0), geometry=SMALL):
    grid = Grid(array.shape, affine)
    window = patch_grid(grid, Click(ras), geometry)
    return window.resample(array[window.source_box.slices])


def test_thesis_cut_is_one_slice_of_48_by_48():
    assert PatchGeometry().window.shape == (1, 48, 48)
    assert PatchGeometry(slices=5).window.shape == (5, 48, 48)
    assert PatchGeometry(slices=5).window.spacing == (1.5, 0.6, 0.6)


def test_click_lies_between_the_four_middle_pixels():
    r, a, _ = np.moveaxis(all_ras(Grid(SHAPE, AXIAL)), -1, 0)
    click = (3.25, -2.5, 4.0)
    columns = [3.25 - (n - 3.5) for n in range(8)]  # to the patient's left
    rows = [-2.5 - (n - 3.5) for n in range(8)]  # to the back
    assert np.allclose(cut_of(r, ras=click)[0], np.tile(columns, (8, 1)), atol=1e-4)
    assert np.allclose(cut_of(a, ras=click)[0], np.tile(rows, (8, 1)).T, atol=1e-4)


def test_cut_shows_the_slice_of_the_clicked_voxel_and_none_between_slices():
    array = np.zeros(SHAPE)
    array[2], array[3] = 1, 5
    assert (cut_of(array, ras=(0, 0, 4.9)) == 1).all()
    assert (cut_of(array, ras=(0, 0, 5.1)) == 5).all()


def test_cut_of_several_slices_has_the_clicked_one_in_the_middle_and_runs_upward():
    array = np.arange(5.0)[:, None, None] * np.ones(SHAPE)
    geometry = PatchGeometry(size=8, pixel_mm=1.0, slices=3, slice_mm=2.0)
    assert cut_of(array, geometry=geometry)[:, 4, 4].tolist() == [1, 2, 3]


def test_left_of_the_patient_is_right_in_the_cut():
    array = np.zeros(SHAPE)
    array[2, 20, 23] = 1  # R -3: three millimetres to the left of the click
    row, column = np.unravel_index(cut_of(array)[0].argmax(), (8, 8))
    assert row in (3, 4)
    assert column in (6, 7)


@given(grids(sides=st.integers(5, 9)), st.integers(1, 4), st.data())
def test_cut_is_centred_on_the_click_in_any_orientation(grid, half_size, data):
    index = [data.draw(st.integers(0, n - 1)) for n in grid.shape]
    offset = [data.draw(st.floats(-0.49, 0.49)) for _ in range(3)]
    ras = grid.affine[:3, :3] @ (np.array(index)[::-1] + offset) + grid.affine[:3, 3]
    window = patch_grid(grid, Click(tuple(ras)), PatchGeometry(size=2 * half_size, pixel_mm=0.5))
    along = slice_steps(grid)
    slice_axis, _ = slice_axes(grid)[0]
    center = ras - all_ras(grid).reshape(-1, 3)[(all_ras(grid) @ along.sum(axis=0)).argmin()]
    sizes = np.array([np.abs(step @ grid.affine[:3, :3]).max() for step in along])
    assert window.center[1:] == pytest.approx((along @ center / sizes)[1:], abs=1e-6)
    assert window.box.start[slice_axis] <= index[slice_axis] < window.box.stop[slice_axis]


@given(grids(sides=st.integers(3, 5)), st.sampled_from([-0.5, 0.5, -0.5 - 5e-7, 0.5 - 5e-7]), st.data())
def test_click_on_the_face_of_a_slice_is_seen_in_the_slice_that_holds_it(grid, offset, data):
    axis, _ = slice_axes(grid)[0]
    ijk = np.array([data.draw(st.integers(0, n - 1)) for n in grid.shape[::-1]], float)
    ijk[2 - axis] += offset
    click = Click(tuple(grid.affine[:3, :3] @ ijk + grid.affine[:3, 3]))
    try:
        index = grid.ras_to_index(click.position_ras)
    except ImageError:
        return
    numbers = np.zeros(grid.shape)
    numbers += np.arange(grid.shape[axis]).reshape([-1 if a == axis else 1 for a in range(3)])
    window = patch_grid(grid, click, PatchGeometry(size=2, pixel_mm=1e-3, slice_mm=1e-3))
    values = numbers[window.box.slices]
    assert values.size > 0
    assert (values == index[axis]).all()


def test_click_outside_the_image_is_refused():
    with pytest.raises(ImageError, match="R 99.0, A 0.0, S 4.0 mm lies outside the image; click inside it"):
        patch_grid(Grid(SHAPE, AXIAL), Click((99.0, 0.0, 4.0)), SMALL)


def test_click_at_the_corner_of_the_image_sees_zero_beyond_it():
    cut = cut_of(np.ones(SHAPE), ras=(20.0, 20.0, 0.0))[0]
    # Pixels at -3.5, -2.5, ... 3.5 mm from the corner voxel's centre, the fourth half way out.
    edge = np.array([0, 0, 0, 0.5, 1, 1, 1, 1])
    assert np.allclose(cut, np.outer(edge, edge))


@pytest.fixture
def case():
    grid = Grid(SHAPE, AXIAL)
    # A few voxels at 0 and at 1000 pin the robust range; the rest lies at a quarter and at a half.
    t1ce, t2 = np.full(SHAPE, 250.0), np.full(SHAPE, 500.0)
    for array in (t1ce, t2):
        array[0, :20], array[4, :20] = 0.0, 1000.0
    return Case(Volume(t1ce, grid), Volume(t2, grid))


def test_channels_are_t1ce_t2_and_mask(case):
    mask = np.zeros(SHAPE, bool)
    mask[2] = True
    click = Click((0.0, 0.0, 4.0))
    cut = extract_patch(case, ArrayMask(case.grid, mask), patch_grid(case.grid, click, SMALL), SMALL, click)
    assert cut.dtype == np.float32
    assert cut.shape == (3, 1, 8, 8)
    for channel, value in zip(cut, (0.25, 0.5, 1.0), strict=True):
        assert np.allclose(channel, value, atol=1e-6)


@pytest.mark.parametrize("missing", ["t1ce", "t2"])
def test_missing_sequence_is_a_channel_of_zeros(case, missing):
    case = Case(None, case.t2) if missing == "t1ce" else Case(case.t1ce, None)
    click = Click((0.0, 0.0, 4.0))
    cut = extract_patch(case, ArrayMask(case.grid), patch_grid(case.grid, click, SMALL), SMALL, click)
    absent = 0 if missing == "t1ce" else 1
    assert not cut[absent].any()
    assert cut[1 - absent].all()


def test_click_map_is_the_fourth_channel_where_the_corrector_has_one(case):
    geometry = PatchGeometry(size=8, pixel_mm=1.0, slice_mm=2.0, click_map=True)
    click = Click((0.0, 0.0, 4.0), ClickKind.INCLUDE)
    mask = ArrayMask(case.grid)
    cut = extract_patch(case, mask, patch_grid(case.grid, click, geometry), geometry, click)
    assert cut.shape == (4, 1, 8, 8)
    # The nearest pixels lie half a millimetre off in rows and columns: exp(-(0.5² + 0.5²) / (2 × 1.5²)).
    assert cut[3, 0, 3, 3] == pytest.approx(np.exp(-0.5 / 4.5))
    assert cut[3, 0, 4, 6] == pytest.approx(np.exp(-(0.25 + 6.25) / 4.5))


def map_of(click, geometry=SMALL):
    return click_map(patch_grid(Grid(SHAPE, AXIAL), Click((0.0, 0.0, 4.0)), geometry), click)[0]


def test_exclude_clicks_are_negative_and_boundary_clicks_leave_no_trace():
    place = (0.5, 0.5, 4.0)  # the pixel (3, 3)
    assert map_of(Click(place, ClickKind.INCLUDE))[3, 3] == pytest.approx(1.0)
    assert map_of(Click(place, ClickKind.EXCLUDE))[3, 3] == pytest.approx(-1.0)
    assert not map_of(Click(place)).any()


def test_click_in_another_slice_is_fainter_by_its_distance():
    above = Click((0.5, 0.5, 6.0), ClickKind.INCLUDE)
    assert map_of(above)[3, 3] == pytest.approx(np.exp(-4.0 / 4.5))


def test_click_appears_to_the_right_where_it_was_to_the_patients_left():
    left = map_of(Click((-2.5, 0.5, 4.0), ClickKind.INCLUDE))
    assert np.unravel_index(left.argmax(), left.shape) == (3, 6)


def test_sequences_are_between_their_extremes_where_the_geometry_says_so():
    values = np.random.default_rng(0).integers(-50, 3000, (6, 12, 12)).astype(np.int16)
    # One bright voxel moves the extremes, and no robust bound.
    values[0, 0, 0] = 9000
    case = Case(Volume(values, Grid(values.shape, np.diag([1.0, 1.0, 2.0, 1.0]))))
    click = Click(tuple(case.grid.center_ras))
    plain = PatchGeometry(size=8, pixel_mm=1.0, slice_mm=2.0, intensities="min-max")
    window = patch_grid(case.grid, click, plain)
    t1ce, t2, _ = extract_patch(case, ArrayMask(case.grid), window, plain, click)
    scaled = (values - float(values.min())) / (float(values.max()) - values.min())
    assert np.allclose(t1ce, window.resample(scaled[window.source_box.slices]), atol=1e-5)
    assert not t2.any()
    robust = extract_patch(case, ArrayMask(case.grid), window, SMALL, click)[0]
    assert np.abs(robust - t1ce).max() > 0.1
