"""Windows against explicit loops, hand arithmetic and ramps, which they must reproduce in any orientation."""

from itertools import product

import numpy as np
import pytest
from any_grid import all_ras, axial_steps, grids
from example_counts import examples
from hypothesis import given
from hypothesis import strategies as st
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.resampling import (
    ResamplingGeometry,
    ResamplingGrid,
    axial_coordinates,
    distances,
    interpolation_matrix,
)

# Array axes run up, back and left, voxels of 1 mm: array indices are axial coordinates.
AXIAL = np.diag([-1.0, -1.0, 1.0, 1.0])


def three(numbers):
    return st.tuples(numbers, numbers, numbers)


def window_at(grid, ras, geometry):
    return ResamplingGrid(grid, axial_coordinates(grid, ras), geometry)


def geometry_of(grid, shape, factors):
    """Return a geometry whose samples lie ``factors`` native voxels apart, slices, rows and columns."""
    # Each axial step runs along one column of the affine and at right angles to the others.
    axial_sizes = [np.abs(step @ grid.affine[:3, :3]).max() for step in axial_steps(grid)]
    return ResamplingGeometry(shape, tuple(float(f * s) for f, s in zip(factors, axial_sizes, strict=True)))


def sample_ras(grid, ras, geometry):
    """RAS of every sample: the centre, and whole steps of the spacing up, back and left from it."""
    offsets = [
        (np.arange(n) - (n - 1) / 2) * mm for n, mm in zip(geometry.shape, geometry.spacing, strict=True)
    ]
    return np.stack(np.meshgrid(*offsets, indexing="ij"), axis=-1) @ axial_steps(grid) + ras


def near_the_middle(grid, offset):
    return grid.affine[:3, :3] @ ((np.array(grid.shape[::-1]) - 1) / 2 + offset) + grid.affine[:3, 3]


def rows(*targets, sources=6, width=1.0):
    return interpolation_matrix(np.array(targets, float), sources, width)


def test_linear_weights_are_shared_by_the_two_neighbours():
    assert rows(2.25).tolist() == [[0, 0, 0.75, 0.25, 0, 0]]
    assert rows(4.0).tolist() == [[0, 0, 0, 0, 1, 0]]


def test_triangle_of_two_samples_averages_one_half_and_two_quarters():
    assert rows(3.0, width=2.0).tolist() == [[0, 0, 0.25, 0.5, 0.25, 0]]
    assert rows(2.5, width=2.0).tolist() == [[0, 0.125, 0.375, 0.375, 0.125, 0]]


def test_triangle_never_gets_narrower_than_linear_interpolation():
    assert rows(2.25, width=0.3).tolist() == rows(2.25).tolist()


def test_weights_fall_to_zero_outside_where_nothing_is_known():
    assert rows(-0.25, -0.5, -1.0, 5.75, 6.0, -7.0).sum(axis=1).tolist() == [0.75, 0.5, 0, 0.25, 0, 0]
    assert rows(0.0, width=2.0).tolist() == [[0.5, 0.25, 0, 0, 0, 0]]


@given(st.floats(10.0, 30.0), st.floats(0.5, 8.0))
def test_weights_reproduce_constants_and_ramps_well_inside(target, width):
    weights = rows(target, sources=41, width=width)
    assert weights.min() >= -1e-6
    assert weights.sum() == pytest.approx(1.0, abs=1e-5)
    assert weights @ np.arange(41) == pytest.approx(target, abs=1e-4)


@given(grids(), three(st.floats(-10.0, 20.0)))
def test_axial_coordinates_count_steps_up_back_and_left_from_the_corner_voxel(grid, ijk):
    ras = grid.affine[:3, :3] @ ijk + grid.affine[:3, 3]
    along = axial_steps(grid)
    corner = min(all_ras(grid).reshape(-1, 3), key=lambda voxel: (along @ voxel).sum())
    sizes = geometry_of(grid, (1, 1, 1), (1, 1, 1)).spacing
    assert axial_coordinates(grid, ras) == pytest.approx(along @ (ras - corner) / sizes, abs=1e-6)


@given(grids(), three(st.floats(-10.0, 20.0)))
def test_distances_are_those_between_points_in_ras(grid, ijk):
    ras = grid.affine[:3, :3] @ ijk + grid.affine[:3, 3]
    box = Box((1, 0, 1), grid.shape)
    expected = np.linalg.norm(all_ras(grid)[box.slices] - ras, axis=-1)
    assert np.allclose(distances(grid, box, ras), expected, atol=1e-4)


def test_distance_is_counted_in_millimetres_along_each_axis():
    grid = Grid((4, 5, 6), np.diag([0.5, 2.0, 3.0, 1.0]))
    assert distances(grid, Box.of_voxel((1, 2, 4)), (0, 0, 0)).item() == pytest.approx(np.sqrt(4 + 16 + 9))


@given(grids(sides=st.integers(16, 18)), three(st.integers(1, 4)), three(st.floats(0.3, 2.5)), st.data())
def test_ramp_is_sampled_exactly_in_any_orientation(grid, shape, factors, data):
    slope = np.array(data.draw(three(st.floats(-1.0, 1.0))))
    ras = near_the_middle(grid, data.draw(three(st.floats(-0.3, 0.3))))
    geometry = geometry_of(grid, shape, factors)
    window = window_at(grid, ras, geometry)
    ramp = (all_ras(grid) - ras) @ slope
    expected = (sample_ras(grid, ras, geometry) - ras) @ slope
    assert np.allclose(window.resample(ramp[window.source_box.slices]), expected, atol=1e-3)


@given(grids(sides=st.integers(10, 12)), three(st.integers(7, 9)), three(st.floats(0.4, 2.5)), st.data())
def test_ramp_of_samples_is_restored_exactly_in_any_orientation(grid, shape, factors, data):
    slope = np.array(data.draw(three(st.floats(-1.0, 1.0))))
    ras = near_the_middle(grid, data.draw(three(st.floats(-3.0, 3.0))))
    geometry = geometry_of(grid, shape, factors)
    window = window_at(grid, ras, geometry)
    restored = window.resample_back((sample_ras(grid, ras, geometry) - ras) @ slope)
    assert restored.shape == window.box.shape
    voxels = all_ras(grid)[window.box.slices] - ras
    sample = voxels @ axial_steps(grid).T / geometry.spacing + (np.array(shape) - 1) / 2
    reach = np.maximum(1, 1 / np.array(factors))
    inside = ((sample >= reach) & (sample <= np.array(shape) - 1 - reach)).all(axis=-1)
    assert np.allclose(restored[inside], (voxels @ slope)[inside], atol=1e-3)


@given(grids(), three(st.integers(1, 5)), three(st.floats(0.4, 2.5)), st.data())
def test_what_is_constant_stays_constant_up_to_the_rim_of_the_window(grid, shape, factors, data):
    ras = near_the_middle(grid, data.draw(three(st.floats(-2.0, 2.0))))
    window = window_at(grid, ras, geometry_of(grid, shape, factors))
    assert np.allclose(window.resample_back(np.full(shape, 0.7)), 0.7, atol=1e-5)


@given(grids(), three(st.integers(1, 6)), three(st.floats(0.2, 1.0)), st.data())
def test_marked_voxel_appears_in_the_pixel_whose_place_is_nearest(grid, shape, factors, data):
    ras = near_the_middle(grid, data.draw(three(st.floats(-0.9, 0.9))))
    geometry = geometry_of(grid, shape, factors)
    window = window_at(grid, ras, geometry)
    index = tuple(
        data.draw(st.integers(a, b - 1)) for a, b in zip(window.box.start, window.box.stop, strict=True)
    )
    marked = np.zeros(grid.shape, np.uint8)
    marked[index] = 1
    sampled = window.resample(marked[window.source_box.slices])
    away = np.linalg.norm(sample_ras(grid, ras, geometry) - all_ras(grid)[index], axis=-1)
    assert sampled.max() > 0
    assert away.ravel()[sampled.argmax()] == pytest.approx(away.min(), abs=1e-3)


def test_left_of_the_patient_is_right_in_the_window_whichever_way_the_array_runs():
    for left in (-1, 1):
        grid = Grid(
            (9, 9, 9), np.array([[left, 0, 0, -4 * left], [0, 1, 0, -4], [0, 0, 1, -4], [0, 0, 0, 1]])
        )
        marked = np.zeros((9, 9, 9))
        marked[grid.ras_to_index((-3, 0, 0))] = 1  # patient's left
        window = window_at(grid, (0, 0, 0), ResamplingGeometry((1, 7, 7), (1, 1, 1)))
        assert np.argwhere(window.resample(marked[window.source_box.slices])).tolist() == [[0, 3, 6]]


@examples(1)
@given(
    grids(sides=st.integers(3, 6)),
    three(st.integers(1, 3)),
    three(st.sampled_from([0.3, 0.5, 0.8, 1.0, 2.0, 3.0])),
    st.data(),
)
def test_samples_are_those_of_an_explicit_loop_over_all_voxels(grid, shape, factors, data):
    ras = near_the_middle(grid, data.draw(three(st.floats(-4.0, 4.0))))
    geometry = geometry_of(grid, shape, factors)
    array = np.random.default_rng(0).random(grid.shape)
    places, steps = all_ras(grid), axial_steps(grid)
    widths = np.maximum(1, factors)
    sizes = np.array(geometry.spacing) / factors
    expected = np.zeros(shape)
    for sample, place in zip(np.ndindex(shape), sample_ras(grid, ras, geometry).reshape(-1, 3), strict=True):
        for voxel in product(*map(range, grid.shape)):
            apart = np.abs(steps @ (places[voxel] - place)) / sizes
            # A triangle as wide as a whole number of voxels sums to that number.
            expected[sample] += array[voxel] * np.prod(np.maximum(0, 1 - apart / widths) / widths)
    window = window_at(grid, ras, geometry)
    assert np.allclose(window.resample(array[window.source_box.slices]), expected, atol=1e-4)


@given(grids(), three(st.integers(1, 5)), three(st.floats(0.3, 2.5)), st.data())
def test_window_holds_the_voxels_whose_centres_it_covers(grid, shape, factors, data):
    ras = near_the_middle(grid, data.draw(three(st.floats(-0.9, 0.9))))
    geometry = geometry_of(grid, shape, factors)
    window = window_at(grid, ras, geometry)
    apart = np.abs((all_ras(grid) - ras) @ axial_steps(grid).T)
    # At least the voxel that holds the centre, though the window be smaller than a voxel.
    half = np.array(geometry.shape) * geometry.spacing / 2
    held = np.zeros(grid.shape, bool)
    held[window.box.slices] = True
    assert held[(apart < half - 1e-6).all(axis=-1)].all()
    nearest = np.array(geometry.spacing) / factors / 2
    assert not held[(apart > np.maximum(half, nearest) + 1e-6).any(axis=-1)].any()


def test_samples_outside_the_grid_are_zero():
    grid = Grid((5, 5, 5), AXIAL)
    window = ResamplingGrid(grid, (2.0, 2.0, 0.0), ResamplingGeometry((1, 1, 5), (1.0, 1.0, 0.5)))
    # Columns -1, -0.5, 0, 0.5 and 1: the second is half way out.
    assert window.resample(np.ones(window.source_box.shape)).ravel().tolist() == [0, 0.5, 1, 1, 1]


@pytest.mark.parametrize("center", [(-50, 2, 2), (2, 60, 2), (2, 2, -9)])
def test_window_wholly_outside_reads_zero_and_holds_no_voxel(center):
    array = np.ones((5, 5, 5))
    window = ResamplingGrid(Grid(array.shape, AXIAL), center, ResamplingGeometry((3, 4, 5), (1.0, 1.0, 1.0)))
    assert not window.resample(array[window.source_box.slices]).any()
    assert window.box.empty
    assert window.resample_back(np.ones((3, 4, 5))).size == 0
    assert array[window.box.slices].size == 0


def test_columns_between_samples_are_restored_by_their_distances():
    # Samples at columns 2.5 and 4.5; the window covers columns 1.5 to 5.5.
    window = ResamplingGrid(
        Grid((3, 3, 9), AXIAL), (1.0, 1.0, 3.5), ResamplingGeometry((1, 1, 2), (1.0, 1.0, 2.0))
    )
    assert window.box == Box((1, 1, 2), (2, 2, 6))
    assert window.resample_back(np.array([[[0.0, 10.0]]])).ravel().tolist() == [0.0, 2.5, 7.5, 10.0]


def test_thick_sample_speaks_for_every_native_slice_within_its_extent():
    window = ResamplingGrid(
        Grid((9, 3, 3), AXIAL), (4.0, 1.0, 1.0), ResamplingGeometry((1, 1, 1), (3.0, 1.0, 1.0))
    )
    restored = window.resample_back(np.array([[[0.6]]]))
    assert (window.box.start[0], window.box.stop[0]) == (3, 6)
    assert np.allclose(restored, 0.6)
    assert restored.shape[0] == 3


def test_window_smaller_than_a_voxel_still_holds_the_voxel_at_its_centre():
    window = ResamplingGrid(
        Grid((3, 3, 3), AXIAL), (1.3, 0.6, 1.0), ResamplingGeometry((1, 1, 1), (0.1, 0.1, 0.1))
    )
    assert window.box == Box((1, 1, 1), (2, 2, 2))


def test_any_real_type_of_voxel_can_be_sampled():
    grid = Grid((3, 3, 3), AXIAL)
    for dtype in (bool, np.uint8, np.int16, np.uint16, np.float64):
        window = ResamplingGrid(grid, (1, 1, 1), ResamplingGeometry((3, 3, 3), (1.0, 1.0, 1.0)))
        sampled = window.resample(np.ones((3, 3, 3), dtype))
        assert sampled.dtype == np.float32
        assert (sampled == 1).all()


@given(grids(sides=st.integers(4, 8)), st.integers(0, 2**32 - 1), st.sampled_from([1, 2]))
def test_each_voxel_gets_the_sample_that_lies_nearest(grid, seed, factor):
    order, shape = grid.axial_order(), np.array(grid.axial_shape)
    rng = np.random.default_rng(seed)
    samples = rng.random(-(-shape // factor))
    # The first sample lies in the middle of the first voxels along each axis.
    center = (factor * np.array(samples.shape) - 1) / 2
    spacing = tuple(factor * np.asarray(grid.axial_spacing))
    window = ResamplingGrid(grid, center, ResamplingGeometry(samples.shape, spacing))
    blown_up = samples.repeat(factor, 0).repeat(factor, 1).repeat(factor, 2)
    native = order.restored(blown_up[tuple(slice(0, n) for n in shape)])
    box = Box((1, 0, 2), tuple(n - 1 for n in grid.shape))
    np.testing.assert_array_equal(window.nearest(samples, box), native[box.slices])


@pytest.mark.parametrize("spacing", [0.3, 0.4, 0.6, 0.9, 1.2])
def test_no_rounding_of_positions_decides_of_the_voxels_at_the_rim(spacing):
    # 48 samples of 0.6 mm around the centre of a voxel end in the centres of others.
    affine, reach = np.diag([spacing] * 3 + [1.0]), round(14.4 / spacing)
    for first in np.arange(-90, 90, 7.37):
        affine[:3, 3] = first, -first, first / 3
        grid = Grid((121,) * 3, affine)
        center = axial_coordinates(grid, grid.index_to_ras((60, 60, 60)))
        window = ResamplingGrid(grid, center, ResamplingGeometry((48,) * 3, (0.6,) * 3))
        assert window.box == Box((60 - reach,) * 3, (61 + reach,) * 3)


@pytest.mark.parametrize("spacing", [0.3, 0.4, 0.6, 0.9, 1.2])
def test_of_two_samples_that_are_as_near_the_farther_on_is_taken_however_that_is_rounded(spacing):
    # Eight samples around the centre of a voxel: each voxel's centre lies half-way between two.
    affine = np.diag([-spacing, -spacing, spacing, 1.0])
    for first in np.arange(-90, 90, 7.37):
        affine[:3, 3] = first, -first, first / 3
        grid = Grid((21,) * 3, affine)
        center = axial_coordinates(grid, grid.index_to_ras((10, 10, 10)))
        window = ResamplingGrid(grid, center, ResamplingGeometry((8,) * 3, (spacing,) * 3))
        taken = window.nearest(np.arange(512).reshape(8, 8, 8), Box((7, 7, 7), (13, 13, 13)))
        np.testing.assert_array_equal(taken, np.arange(512).reshape(8, 8, 8)[1:7, 1:7, 1:7])
