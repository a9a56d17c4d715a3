"""Slabs of the head against the thesis's words (4.2): crop, resize, fill up with zeros, min-max."""

import numpy as np
import pytest
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.preprocessing import head_box, sample_sequences
from VSClickCorrectLib.geometry.slab import sample_slab, slab_grid
from VSClickCorrectLib.geometry.volume import Case, Volume

ROWS, COLUMNS = slice(8, 40), slice(16, 56)
AXIAL = np.diag([-0.5, -0.5, 1.5, 1.0])


def head(slices, seed=0):
    """A scan of air around a head of 32 rows and 40 columns, in which every voxel has a value of its own."""
    rng = np.random.default_rng(seed)
    values = np.zeros((slices, 48, 64), np.int16)
    values[:, ROWS, COLUMNS] = rng.integers(200, 1000, (slices, 32, 40))
    return values


def case_of(*arrays, affine=AXIAL):
    return Case(*(Volume(values, Grid(values.shape, affine)) for values in arrays))


def thesis(values, middle, shape):
    """Crop the background and slices, fill up with zeros, scale by minimum and maximum."""
    cropped = values[:, ROWS, COLUMNS].astype(float)
    missing = shape[0] - len(cropped)
    if missing >= 0:
        cropped = np.pad(cropped, [(missing // 2, missing - missing // 2), (0, 0), (0, 0)])
    else:
        first = min(max(0, round(middle - (shape[0] - 1) / 2)), -missing)
        cropped = cropped[first : first + shape[0]]
    return (cropped - cropped.min()) / (cropped.max() - cropped.min())


@pytest.mark.parametrize("slices", [40, 20, 21, 70, 80])
@pytest.mark.parametrize("middle", [0.0, 9.5, 25.0, 60.0])
def test_slab_is_what_the_thesis_makes_of_a_scan(slices, middle):
    t1ce, t2 = head(slices), head(slices, seed=1)
    case = case_of(t1ce, t2)
    assert head_box(case.reference).slices[1:] == (ROWS, COLUMNS)
    window = slab_grid(case, middle, (40, 32, 40))
    found = sample_slab(case, window, "min-max")
    assert found.dtype == np.float32
    for channel, values in zip(found, (t1ce, t2), strict=True):
        assert np.allclose(channel, thesis(values, middle, (40, 32, 40)), atol=1e-5)


def test_twenty_slices_get_ten_of_zeros_at_either_end():
    window = slab_grid(case_of(head(20)), 3.0, (40, 32, 40))
    found = sample_slab(case_of(head(20)), window, "min-max")[0]
    assert [k for k in range(40) if found[k].any()] == list(range(10, 30))


def test_rows_and_columns_are_resized_to_the_number_asked_for():
    smooth = head(40)
    smooth[:, ROWS, COLUMNS] = 200 + 10 * np.arange(32)[None, :, None] + np.arange(40)[None, None, :]
    window = slab_grid(case_of(smooth), 0.0, (40, 64, 20))
    found = sample_slab(case_of(smooth), window, "min-max")[0]
    # Half as far apart and twice as far apart as voxels, from the head's first edge to its last.
    assert window.geometry.spacing == (1.5, 0.25, 1.0)
    rows = (np.arange(64) + 0.5) / 2 - 0.5
    columns = (np.arange(20) + 0.5) * 2 - 0.5
    expected = 200 + 10 * rows[:, None] + columns
    inner = (slice(2, -2), slice(1, -1))
    scaled = found[5][inner] * (found_range(found, expected)) + expected[inner].min()
    assert np.allclose(scaled - scaled.min(), expected[inner] - expected[inner].min(), atol=0.05)


def found_range(found, expected):
    """How much one unit of the slab is, by two of its inner samples."""
    return (expected[40, 10] - expected[20, 10]) / (found[5, 40, 10] - found[5, 20, 10])


def test_robust_values_are_those_of_every_other_network_and_a_missing_sequence_is_empty():
    case = Case(None, case_of(head(50)).t1ce)
    window = slab_grid(case, 20.0, (40, 32, 40))
    assert np.array_equal(sample_slab(case, window), sample_sequences(case, window))
    t1ce, t2 = sample_slab(case, window, "min-max")
    assert not t1ce.any()
    assert t2.max() == 1.0


def test_slab_without_any_contrast_is_empty():
    case = case_of(np.full((30, 48, 64), 7, np.int16))
    assert not sample_slab(case, slab_grid(case, 0.0, (24, 32, 40)), "min-max").any()


def test_slab_that_begins_where_a_sequence_ends_is_empty_there_and_no_number_is_missing():
    t2 = head(60, seed=1)
    # As a T2 is resampled that ends below the slab, whose first slice is the 20th.
    t2[20:] = 0
    case = case_of(head(60), t2)
    t1ce, found = sample_slab(case, slab_grid(case, 31.5, (24, 32, 40)), "min-max")
    np.testing.assert_array_equal(found, np.zeros((24, 32, 40)))
    np.testing.assert_allclose(t1ce, thesis(head(60), 31.5, (24, 32, 40)), atol=2e-6)


def test_slices_are_axial_in_whatever_order_they_are_stored():
    values = head(60)
    stored = np.ascontiguousarray(values.transpose(2, 0, 1)[::-1])
    affine = np.zeros((4, 4))
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = (0, -0.5, 0), (0, 0, 1.5), (0.5, 0, 0)
    affine[:, 3] = (-0.5 * 63, 0, 0, 1)
    case = case_of(stored, affine=affine)
    found = sample_slab(case, slab_grid(case, 30.0, (40, 32, 40)), "min-max")[0]
    assert np.allclose(found, thesis(values, 30.0, (40, 32, 40)), atol=1e-5)


def test_what_is_seen_in_a_slab_comes_back_to_its_voxels():
    case = case_of(head(20))
    window = slab_grid(case, 0.0, (40, 32, 40))
    mask = np.zeros(case.grid.shape, np.float32)
    mask[3:9, 12:30, 20:33] = 1.0
    back = window.resample_back(window.resample(mask[window.source_box.slices]))
    assert np.allclose(back, mask[window.box.slices], atol=1e-5)
