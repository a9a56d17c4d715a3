"""The thesis's user against Algorithm 1, written out line by line."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from VSClickCorrectLib.clicks.click import ClickKind
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectResearch.simulation.thesis_user import thesis_clicks, weighted_border

# Voxel (k, j, i) lies at R -0.5 i, A -0.5 j, S 2 k mm: an axial stack.
GRID = Grid((6, 24, 24), np.diag([-0.5, -0.5, 2.0, 1.0]))


def algorithm_1(y_true, y_pred):
    """Return ``click_coordinates``, in the words of the thesis."""
    border = y_true - ndimage.binary_erosion(y_true).astype(int)
    if y_true[y_true == 1].size > y_pred[y_pred == 1].size:
        dst = ndimage.distance_transform_edt(1 - y_pred)
    else:
        dst = ndimage.distance_transform_edt(y_pred)
    weighted_border = dst * border
    return np.argwhere(weighted_border == weighted_border.max())


def blob(seed, shape=(24, 24), radius=6.0):
    """A shape with a border of its own, of ones and zeros."""
    rng = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(rng.standard_normal(shape), 2)
    distance = np.linalg.norm(np.indices(shape) - np.array(shape).reshape(-1, *[1] * len(shape)) / 2, axis=0)
    return (distance - 12 * noise < radius).astype(int)


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.floats(2, 9), st.floats(2, 9))
def test_places_are_those_of_the_algorithm(one, other, true_radius, found_radius):
    y_true, y_pred = blob(one, radius=true_radius), blob(other, radius=found_radius)
    if not (y_true.any() and y_pred.any()):
        return
    weighted = weighted_border(y_true > 0, y_pred > 0)
    if weighted.any():
        assert np.array_equal(np.argwhere(weighted == weighted.max()), algorithm_1(y_true, y_pred))


def test_places_of_a_volume_are_those_of_the_algorithm():
    y_true, y_pred = blob(1, (8, 24, 24), 7.0), blob(2, (8, 24, 24), 5.0)
    weighted = weighted_border(y_true > 0, y_pred > 0)
    assert np.array_equal(np.argwhere(weighted == weighted.max()), algorithm_1(y_true, y_pred))


@pytest.fixture(scope="module")
def masks():
    """Truth and mask, some slices too large, some too small, one right, one lost, one invented."""
    true = np.stack([blob(n, radius=6.0) for n in range(6)])
    mask = np.stack([blob(n, radius=r) for n, r in enumerate((8.0, 4.0, 6.0, 6.0, 7.0, 5.0))])
    mask[3] = 0
    true[5] = 0
    return true, mask


def test_every_slice_of_the_tumour_gets_a_click_of_the_algorithm(masks):
    true, mask = masks
    clicks = thesis_clicks(GRID, true > 0, mask > 0, np.random.default_rng(0))
    places = {k: (j, i) for k, j, i in (GRID.ras_to_index(click.position_ras) for click in clicks)}
    assert sorted(places) == [0, 1, 2, 3, 4]
    assert {click.kind for click in clicks} == {ClickKind.BOUNDARY}
    for k in (0, 1, 2, 4):
        assert list(places[k]) in algorithm_1(true[k], mask[k]).tolist()
    # Every place of a border is as far from a mask that is not there.
    assert true[3][places[3]]


def test_largest_distances_come_first_and_a_lost_slice_before_all(masks):
    true, mask = masks
    clicks = thesis_clicks(GRID, true > 0, mask > 0, np.random.default_rng(0))
    order = [GRID.ras_to_index(click.position_ras)[0] for click in clicks]
    assert order[0] == 3
    farthest = [weighted_border(true[k] > 0, mask[k] > 0).max() for k in order]
    assert farthest == sorted(farthest, reverse=True)


def test_a_right_mask_is_clicked_all_the_same_and_a_border_without_distance_is_not():
    true = np.zeros(GRID.shape, bool)
    true[2, 5:15, 5:15] = true[4, 5:15, 5:15] = True
    mask = true.copy()
    # Only the middle is missing: of what is missed nothing is on the border.
    mask[4, 9:11, 9:11] = False
    (click,) = thesis_clicks(GRID, true, mask, np.random.default_rng(0))
    assert GRID.ras_to_index(click.position_ras)[0] == 2


def test_ties_are_drawn_by_their_seed_and_kept_apart():
    true = np.zeros(GRID.shape, bool)
    true[2, 4:20, 4:20] = True
    lost = np.zeros_like(true)
    clicks = thesis_clicks(GRID, true, lost, np.random.default_rng(3), a_slice=4, apart_mm=3.0)
    again = thesis_clicks(GRID, true, lost, np.random.default_rng(3), a_slice=4, apart_mm=3.0)
    assert clicks == again
    assert len(clicks) == 4
    places = np.array([click.position_ras for click in clicks])
    between = np.linalg.norm(places[:, None] - places[None], axis=-1)[~np.eye(4, dtype=bool)]
    assert between.min() >= 3.0
    first = {thesis_clicks(GRID, true, lost, np.random.default_rng(seed))[0] for seed in range(8)}
    assert len(first) > 1


def test_slices_are_axial_in_whatever_order_they_are_stored(masks):
    true, mask = masks
    # Axes (column, slice, row), columns backward: the same patient, stored another way.
    stored = [array.transpose(2, 0, 1)[::-1] > 0 for array in (true, mask)]
    affine = np.zeros((4, 4))
    affine[:3, 0] = (0, -0.5, 0)
    affine[:3, 1] = (0, 0, 2.0)
    affine[:3, 2] = (0.5, 0, 0)
    affine[:, 3] = (-0.5 * 23, 0, 0, 1)
    grid = Grid(stored[0].shape, affine)
    found = thesis_clicks(grid, *stored, np.random.default_rng(1))
    for click, expected in zip(
        found, thesis_clicks(GRID, true > 0, mask > 0, np.random.default_rng(1)), strict=True
    ):
        assert click.position_ras == pytest.approx(expected.position_ras)
