"""Volumes and cases: what is refused, and the intensities that networks see."""

import hashlib

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import INTENSITIES, MIN_MAX, Case, Volume, robust_range, without_fill

SHAPE = (3, 4, 5)
GRID = Grid(SHAPE, np.eye(4))


@pytest.mark.parametrize(
    "bad", [[np.nan], [np.inf], [-np.inf], [np.inf, -np.inf]], ids=["NaN", "Inf", "-Inf", "both infinities"]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_that_are_not_finite_are_refused(bad, dtype):
    array = np.ones(SHAPE, dtype)
    array.flat[: len(bad)] = bad
    with pytest.raises(ImageError, match="holds NaN or infinite values; export it again or replace them"):
        Volume(array, GRID)


def test_values_whose_single_precision_sum_overflows_are_finite():
    assert Volume(np.full(SHAPE, 3e38, np.float32), GRID).array.max() > 2e38


def test_values_that_single_precision_does_not_hold_are_refused():
    with pytest.raises(ImageError, match=r"holds values as large as 1e\+300; export it again"):
        Volume(np.full(SHAPE, -1e300), GRID)


def test_the_widest_range_that_single_precision_holds_is_normalised_without_overflow():
    volume = Volume(np.linspace(-3e38, 3e38, 60, dtype=np.float32).reshape(SHAPE), GRID)
    values = volume.normalised(GRID.box)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values.ravel(), np.linspace(0, 1, 60), atol=0.01)


@pytest.mark.parametrize("shape", [(4, 5), (1, 3, 4, 5), (5, 4, 3)])
def test_array_that_does_not_fit_the_grid_is_refused(shape):
    with pytest.raises(ImageError, match="a single three-dimensional volume is needed"):
        Volume(np.zeros(shape), GRID)


def test_case_without_any_sequence_is_refused():
    with pytest.raises(ImageError, match="no image was given; a T1ce or a T2 volume is needed"):
        Case(None, None)


def test_sequences_on_different_grids_are_refused():
    moved = np.eye(4)
    moved[2, 3] = 1.0
    with pytest.raises(ImageError, match="lie on different grids; resample the T2 to the T1ce first"):
        Case(Volume(np.zeros(SHAPE), GRID), Volume(np.zeros(SHAPE), Grid(SHAPE, moved)))


def test_native_grid_is_the_t1ces_or_that_of_a_t2_alone():
    t1ce, t2 = Volume(np.zeros(SHAPE), GRID), Volume(np.ones(SHAPE), Grid(SHAPE, np.eye(4)))
    assert Case(t1ce, t2).grid is t1ce.grid
    assert Case(None, t2).grid is t2.grid
    assert list(Case(None, t2).sequences.items()) == [("t1ce", None), ("t2", t2)]


def test_range_runs_from_nearly_the_darkest_to_nearly_the_brightest_of_the_head():
    # Half air at 0, the head at 1, 2, ..., 1000: of those above the mean, 250.25, the 99.8th percentile.
    array = np.concatenate([np.zeros(1000), np.arange(1.0, 1001.0)]).reshape(10, 10, 20)
    low, high = robust_range(array)
    assert low == 0.0
    # 251, 252, ..., 1000 are 750 values; the percentile lies 0.998 × 749 = 747.502 steps up.
    assert high == pytest.approx(251 + 747.502)


@pytest.mark.parametrize("fill", [-1, -1000, -1024, -32768])
def test_what_a_program_has_filled_in_takes_no_contrast(fill):
    # A head of 0 to 1999, a third of whose field of view was never acquired.
    acquired = np.arange(2000, dtype=np.int16).reshape(10, 10, 20)
    array = np.concatenate([acquired, np.full((5, 10, 20), fill, np.int16)])
    low, high = robust_range(array)
    # Of the fill that lies near to what was acquired nothing is lost.
    assert low == (fill if fill == -1 else pytest.approx(0.005 * 1999))
    # Of 1000, 1001, ..., 1999 the 99.8th percentile; with the fill among them the mean is 666.
    expected = 1000 + 0.998 * 999 if fill != -1 else 667 + 0.998 * 1332
    assert high == pytest.approx(expected)
    values = Volume(array, Grid(array.shape, np.eye(4))).normalised(Box((0, 0, 0), array.shape))
    assert not values[10:].any() and np.ptp(values[:10]) > 0.99


def test_a_normalised_image_that_runs_from_below_zero_keeps_its_darkest_voxels():
    values = np.random.default_rng(0).normal(0.0, 1.0, 5000)
    assert without_fill(values) is values
    # A stripped skull is as dark as the darkest of the brain.
    stripped = np.where(np.arange(5000) < 2500, values.min(), values)
    assert without_fill(stripped) is stripped


def test_one_bright_voxel_hardly_moves_the_range():
    array = np.random.default_rng(0).normal(100.0, 5.0, (20, 20, 20))
    array[:10] = 0.0
    _, calm = robust_range(array)
    array[15, 5, 5] = 32767.0
    assert robust_range(array)[1] == pytest.approx(calm, rel=0.05)


def test_large_image_is_looked_at_in_strides():
    array = np.zeros((40, 40, 40))
    array[::2, ::2, ::2] = np.linspace(0.0, 1.0, 8000).reshape(20, 20, 20)
    assert robust_range(array, samples=8000) == robust_range(array[::2, ::2, ::2])


def test_the_range_of_a_large_image_is_that_of_the_patient_however_the_file_stores_it():
    # 3.3 million voxels, of which every second one along each axis is looked at.
    counts, rng = (150, 149, 148), np.random.default_rng(3)
    head = rng.gamma(2.0, 100.0, counts).astype(np.float32)
    expected = Volume(head, Grid(counts, np.diag([-1.0, -1.0, 1.0, 1.0]))).intensity_range
    assert expected == robust_range(head)
    for affine, stored in (
        (np.diag([1.0, -1.0, 1.0, 1.0]), head[:, :, ::-1]),
        (np.diag([-1.0, 1.0, -1.0, 1.0]), head[::-1, ::-1]),
        (np.diag([-1.0, -1.0, 1.0, 1.0])[:, [2, 0, 1, 3]], head.transpose(1, 2, 0)),
    ):
        assert Volume(stored, Grid(stored.shape, affine)).intensity_range == expected


@pytest.mark.parametrize("value", [0, 7, -3])
def test_image_without_contrast_becomes_zero_not_a_division_by_zero(value):
    volume = Volume(np.full(SHAPE, value, np.int16), GRID)
    low, high = volume.intensity_range
    assert high > low
    assert not volume.normalised(GRID.box).any()


def test_normalised_voxels_run_from_zero_to_one_and_are_cut_off_there():
    array = np.zeros(SHAPE)
    array[0, 0] = (100, 200, 300, 400, 500)
    volume = Volume(array, GRID)
    low, high = volume.intensity_range
    part = volume.normalised(Box((0, 0, 1), (1, 1, 5)))
    assert part.dtype == np.float32
    assert part.ravel().tolist() == pytest.approx(
        [min(1.0, v / high) for v in (200, 300, 400, 500)], abs=1e-6
    )
    assert low == 0.0
    assert part.max() == 1.0


@given(
    st.lists(st.integers(-2000, 4000), min_size=60, max_size=60),
    st.floats(0.01, 1000.0),
    st.floats(-500, 500),
)
def test_scale_and_offset_of_the_scanner_do_not_matter(values, scale, offset):
    array = np.array(values, float).reshape(SHAPE)
    plain, scaled = Volume(array, GRID), Volume(array * scale + offset, GRID)
    if np.ptp(plain.intensity_range) < 50:  # hardly any contrast: rounding would show
        return
    # What fills an image is known by its sign.
    assume(all(without_fill(one.array.ravel()).size == array.size for one in (plain, scaled)))
    assert np.allclose(scaled.normalised(GRID.box), plain.normalised(GRID.box), atol=1e-3)


@pytest.mark.parametrize("intensities", INTENSITIES)
@pytest.mark.parametrize("value", [1e16, -1e17, 3e38, np.float32(1e30)])
def test_image_of_one_value_becomes_zero_however_large_that_is(value, intensities):
    volume = Volume(np.full((4, 5, 6), value), Grid((4, 5, 6), np.eye(4)))
    np.testing.assert_array_equal(volume.normalised(volume.grid.box, intensities), np.zeros((4, 5, 6)))


@pytest.mark.parametrize(
    ("offset", "step"), [(10**9, 1), (-(2**31), 5), (2**40, 3), (1e8, 1e-3), (0.0, 1e-45), (5.0, 1e-9)]
)
def test_contrast_far_from_zero_is_kept(offset, step):
    count = 6 * 7 * 8
    values = offset + step * np.arange(count).reshape(6, 7, 8)
    volume = Volume(values, Grid(values.shape, np.eye(4)))
    expected = np.arange(count).reshape(values.shape) / (count - 1)
    np.testing.assert_allclose(volume.normalised(volume.grid.box, MIN_MAX), expected, atol=1e-4)


def test_normalising_leaves_the_volume_as_it_was():
    array = np.arange(60, dtype=np.float32).reshape(SHAPE)
    volume = Volume(array.copy(), GRID)
    volume.normalised(GRID.box)
    assert np.array_equal(volume.array, array)


def test_an_image_is_known_by_its_voxels_their_type_and_shape_wherever_it_lies():
    values = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    known = Volume(values, Grid(values.shape, np.eye(4))).fingerprint
    assert known == hashlib.sha256(b"<i2(2, 3, 4)" + values.astype("<i2").tobytes()).hexdigest()
    turned = np.asfortranarray(values.astype(">i2"))
    assert Volume(turned, Grid(values.shape, np.diag([2.0, 2.0, 2.0, 1.0]))).fingerprint == known
    for other in (values.astype(np.int32), values.reshape(2, 4, 3), np.flip(values), values + np.int16(1)):
        assert Volume(other, Grid(other.shape, np.eye(4))).fingerprint != known
