"""Scores worked out by hand, and distances against every pair of surface voxels."""

from itertools import product
from math import inf, sqrt

import numpy as np
import pytest
from any_grid import all_ras, grids
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial.distance import cdist
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectResearch.evaluation.metrics import dice, score, surface_distances


def mask(*indices, shape=(3, 4, 5)):
    values = np.zeros(shape, bool)
    for index in indices:
        values[index] = True
    return values


FOUR = mask((0, 0, 0), (0, 0, 1), (1, 2, 3), (2, 3, 4))
SPACING = np.array([3.0, 0.5, 2.0])


@pytest.mark.parametrize(
    "other, expected",
    [
        (FOUR, 1.0),
        (mask(), 0.0),
        (mask((2, 0, 0)), 0.0),
        (mask((0, 0, 0)), 2 / 5),
        (mask((0, 0, 0), (0, 0, 1), (0, 0, 2), (0, 0, 3)), 4 / 8),
        (np.ones((3, 4, 5), bool), 8 / 64),
    ],
)
def test_dice_is_twice_the_common_part_over_both_and_symmetric(other, expected):
    assert dice(FOUR, other) == pytest.approx(expected)
    assert dice(other, FOUR) == pytest.approx(expected)


def test_two_empty_masks_agree():
    assert dice(mask(), mask()) == 1.0


def test_dice_of_a_large_mask_does_not_overflow():
    large = np.ones((300, 300), np.uint8) != 0
    assert dice(large, large) == 1.0


@pytest.mark.parametrize(
    "one, other, expected",
    [
        # One slice of 3 mm, one row of 0.5 mm, one column of 2 mm.
        ((0, 0, 0), (1, 0, 0), 3.0),
        ((0, 3, 0), (0, 0, 0), 1.5),
        ((2, 1, 4), (2, 1, 2), 4.0),
        ((0, 0, 0), (1, 2, 1), sqrt(9 + 1 + 4)),
    ],
)
def test_single_voxels_are_as_far_apart_as_their_centres(one, other, expected):
    distances = surface_distances(mask(one), mask(other), SPACING)
    assert distances.hd95 == pytest.approx(expected)
    assert distances.mean == pytest.approx(expected)


def test_hausdorff_distance_is_the_greater_direction_and_the_mean_is_over_both_surfaces():
    # Voxels at 0 mm, and at 0 and 8 mm: distances 0 there, 0 and 8 back, whose 95th percentile is 7.6.
    distances = surface_distances(mask((0, 0, 0)), mask((0, 0, 0), (0, 0, 4)), SPACING)
    assert distances.hd95 == pytest.approx(7.6)
    assert distances.mean == pytest.approx(8 / 3)
    back = surface_distances(mask((0, 0, 0), (0, 0, 4)), mask((0, 0, 0)), SPACING)
    assert (back.hd95, back.mean) == (pytest.approx(7.6), pytest.approx(8 / 3))


def test_surface_is_what_touches_the_outside_with_a_face_or_lies_at_the_rim_of_the_image():
    block = np.zeros((7, 7, 7), bool)
    block[1:6, 1:6, 1:6] = True
    # A block of 125 voxels has 27 inside; a corner that is missing uncovers no voxel behind it by a face.
    block[1, 1, 1] = False
    distances = surface_distances(block, block, np.ones(3))
    assert distances.there.size == 125 - 1 - 27
    whole = np.ones((4, 4, 4), bool)
    assert surface_distances(whole, whole, np.ones(3)).there.size == 64 - 8


def test_distances_between_empty_masks_are_0_and_to_an_empty_one_infinite():
    assert surface_distances(mask(), mask(), SPACING).hd95 == 0.0
    assert surface_distances(mask(), mask(), SPACING).mean == 0.0
    for one, other in ((FOUR, mask()), (mask(), FOUR)):
        assert surface_distances(one, other, SPACING).hd95 == inf
        assert surface_distances(one, other, SPACING).mean == inf


def by_every_pair(grid, one, other):
    """HD95 and mean distance from every surface voxel's position in the patient to every other's."""
    places = [all_ras(grid)[surface_by_hand(values)] for values in (one, other)]
    every = cdist(*places)
    there, back = every.min(axis=1), every.min(axis=0)
    return max(np.percentile(there, 95), np.percentile(back, 95)), np.concatenate([there, back]).mean()


def surface_by_hand(values):
    padded = np.pad(values, 1)
    inner = np.ones_like(values)
    for axis, step in product(range(3), (-1, 1)):
        inner &= np.roll(padded, step, axis)[1:-1, 1:-1, 1:-1]
    return values & ~inner


@given(grids(spacings=st.floats(0.3, 4.0)), st.integers(0, 999))
def test_distances_are_those_of_every_pair_on_any_grid(grid, seed):
    rng = np.random.default_rng(seed)
    one, other = (rng.random(grid.shape) < share for share in (0.15, 0.6))
    one[tuple(rng.integers(grid.shape))] = True
    other[tuple(rng.integers(grid.shape))] = True
    scores = score(grid, one, other)
    assert (scores.hd95_mm, scores.assd_mm) == pytest.approx(by_every_pair(grid, one, other), rel=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_scores_are_those_of_monai(seed):
    import torch
    from monai.metrics import (
        compute_average_surface_distance,
        compute_dice,
        compute_hausdorff_distance,
    )

    rng = np.random.default_rng(seed)
    grid = Grid((9, 14, 12), np.diag([0.5, 0.75, 2.0, 1.0]))
    smooth = ndimage.gaussian_filter(rng.standard_normal((2, *grid.shape)), (0, 1, 2, 2))
    one, other = smooth > smooth.std()
    ours = score(grid, one, other)
    masks = [torch.from_numpy(values[None, None].astype(np.float32)) for values in (one, other)]
    measures = {"include_background": True, "spacing": list(grid.spacing[::-1])}
    assert ours.dice == pytest.approx(compute_dice(*masks).item(), rel=1e-5)
    hd95 = compute_hausdorff_distance(*masks, percentile=95, **measures).item()
    assd = compute_average_surface_distance(*masks, symmetric=True, **measures).item()
    assert (ours.hd95_mm, ours.assd_mm) == pytest.approx((hd95, assd), rel=1e-5)


def test_volume_error_is_signed_in_cubic_millimetres_and_per_cent_of_the_truth():
    grid = Grid((3, 4, 5), np.diag([2.0, 0.5, 3.0, 1.0]))
    smaller, larger = mask((0, 0, 0), (0, 0, 1)), FOUR
    scores = score(grid, smaller, larger)
    assert (scores.volume_error_mm3, scores.volume_error_percent) == (pytest.approx(-6.0), pytest.approx(-50))
    scores = score(grid, larger, smaller)
    assert (scores.volume_error_mm3, scores.volume_error_percent) == (pytest.approx(6.0), pytest.approx(100))
    scores = score(grid, mask(), larger)
    assert (scores.dice, scores.hd95_mm, scores.volume_error_percent) == (0.0, inf, pytest.approx(-100))
