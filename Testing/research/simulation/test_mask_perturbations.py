"""Simulated errors of a mask."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from session_doubles import with_blocks
from VSClickCorrectResearch.simulation.mask_perturbations import (
    SPOILERS,
    grow_or_shrink,
    lobe,
    perturb_mask,
    shifted,
    signed_distance,
    slices_missing,
    uneven_border,
)

SHAPE = (12, 40, 40)
SPACING = np.array([2.0, 1.0, 1.0])
SEEDS = range(30)


@pytest.fixture(scope="module")
def ball():
    k, j, i = np.indices(SHAPE, sparse=True)
    return ((k - 5.5) * 2) ** 2 + (j - 19) ** 2 + (i - 20) ** 2 <= 8.0**2


def outcomes(spoiler, mask, spacing=SPACING):
    return [spoiler(mask, spacing, np.random.default_rng(seed)) for seed in SEEDS]


def test_signed_distance_is_in_millimetres_and_negative_inside():
    row = np.array([[[0, 0, 1, 1, 1, 0, 0]]], bool)
    distance = signed_distance(row, np.array([3.0, 3.0, 0.5]))
    assert distance.dtype == np.float32
    assert distance.ravel().tolist() == [1.0, 0.5, -0.5, -1.0, -0.5, 0.5, 1.0]


def test_whole_mask_grows_or_shrinks_by_half_to_two_and_a_half_millimetres(ball):
    grown = 0
    for spoiled in outcomes(grow_or_shrink, ball):
        outer, inner = (spoiled, ball) if (spoiled & ~ball).any() else (ball, spoiled)
        grown += outer is spoiled
        assert not (inner & ~outer).any()
        # As far as the border moves anywhere: distance from what was gained or lost to what stayed.
        moved = ndimage.distance_transform_edt(~inner, sampling=SPACING)[outer & ~inner]
        assert moved.max(initial=0.0) <= 2.5 + 1.0
    assert 0 < grown < len(SEEDS)


def test_small_masks_shrink_less_and_never_vanish():
    small = with_blocks(SHAPE, ((5, 6), (18, 21), (18, 21)))
    assert all(spoiled.any() for spoiled in outcomes(grow_or_shrink, small))


def test_uneven_border_is_here_too_large_and_there_too_small(ball):
    spoiled = outcomes(uneven_border, ball)
    assert all(mask.any() for mask in spoiled)
    both = [(mask & ~ball).any() and (ball & ~mask).any() for mask in spoiled]
    # Some fields are so smooth or so weak that the whole ball goes one way.
    assert np.mean(both) > 0.4


def test_shifted_mask_keeps_its_shape_and_moves_no_farther_than_two_and_a_half_millimetres(ball):
    before = np.argwhere(ball)
    offsets = []
    for spoiled in outcomes(shifted, ball):
        after = np.argwhere(spoiled)
        offset = after[0] - before[0]
        np.testing.assert_array_equal(after, before + offset)
        offsets.append(np.abs(offset * SPACING).max())
    # Rounding to whole voxels adds half a voxel.
    assert 0 < max(offsets) <= 2.5 + 1.0


def test_shifted_mask_does_not_come_back_in_on_the_other_side():
    at_the_rim = with_blocks(SHAPE, ((10, 12), (0, 6), (34, 40)))
    for spoiled in outcomes(shifted, at_the_rim):
        assert not spoiled[:5].any()
        assert not spoiled[:, 20:].any()
        assert not spoiled[:, :, :20].any()


def test_lost_slices_are_a_third_at_one_end_at_most(ball):
    # The ball takes the slices 2 to 9.
    ends = set()
    for spoiled in outcomes(slices_missing, ball):
        left = np.flatnonzero(spoiled.any(axis=(1, 2)))
        np.testing.assert_array_equal(spoiled[left], ball[left])
        assert left.tolist() == list(range(left[0], left[-1] + 1))
        ends.add((int(left[0]), int(left[-1])))
    assert ends == {(3, 9), (4, 9), (2, 8), (2, 7)}


@pytest.mark.parametrize("axis", [1, 2])
def test_lost_slices_are_those_that_were_acquired_in_whatever_order_they_are_stored(ball, axis):
    """As of a coronal or sagittal scan that was stored anew as an axial one."""
    stored, spacing = np.moveaxis(ball, 0, axis), np.insert((1.0, 1.0), axis, 2.0)
    for spoiled, expected in zip(
        outcomes(slices_missing, stored, spacing), outcomes(slices_missing, ball), strict=True
    ):
        np.testing.assert_array_equal(np.moveaxis(spoiled, axis, 0), expected)


def test_lobe_is_a_ball_lost_or_gained_at_the_border(ball):
    gained = 0
    for spoiled in outcomes(lobe, ball):
        changed = np.argwhere(spoiled ^ ball)
        gained += bool((spoiled & ~ball).any())
        assert not ((spoiled & ~ball).any() and (ball & ~spoiled).any())
        assert (np.ptp(changed, axis=0) * SPACING <= 14.0).all()
    assert 0 < gained < len(SEEDS)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (1.5, 1.5, 1.5), (5.0, 1.2, 1.2)])
def test_lobes_are_found_on_coarse_grids_too(ball, spacing):
    assert all((mask ^ ball).any() for mask in outcomes(lobe, ball, np.array(spacing)))


def test_a_fifth_of_the_masks_stays_right(ball):
    crop = ball[:, 8:31, 8:32]
    same = [
        np.array_equal(perturb_mask(crop, SPACING, np.random.default_rng(seed)), crop) for seed in range(400)
    ]
    # 0.2 with a standard error of 0.02; now and then an error is too small to show on the grid.
    assert 0.15 <= np.mean(same) <= 0.27


def test_errors_are_repeatable_and_leave_the_true_mask_alone(ball):
    untouched = ball.copy()
    for seed in SEEDS:
        first, second = (perturb_mask(ball, SPACING, np.random.default_rng(seed)) for _ in range(2))
        np.testing.assert_array_equal(first, second)
        assert not np.shares_memory(first, ball)
    np.testing.assert_array_equal(ball, untouched)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_any_mask_on_any_grid_can_be_spoiled_and_something_is_left(data):
    shape = tuple(data.draw(st.integers(1, n)) for n in (6, 12, 12))
    spacing = np.array([data.draw(st.sampled_from((0.4, 0.6, 1.0, 1.5, 3.0))) for _ in range(3)])
    mask = np.zeros(shape, bool)
    for _ in range(data.draw(st.integers(1, 2))):
        mask[tuple(slice(data.draw(st.integers(0, n - 1)), None) for n in shape)] = True
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    for spoiler in SPOILERS:
        assert spoiler(mask, spacing, rng).shape == shape
    spoiled = perturb_mask(mask, spacing, rng)
    assert spoiled.dtype == bool
    assert spoiled.any()
