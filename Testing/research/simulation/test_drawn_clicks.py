"""Clicks drawn around a truth: on its border, in it and just outside, apart from each other."""

import numpy as np
import pytest
from bright_ball import GRID, ball
from scipy import ndimage
from VSClickCorrectLib.clicks.click import ClickKind
from VSClickCorrectResearch.simulation.drawn_clicks import DrawnClicks, drawn_clicks, selected

TRUTH = ball()


def drawn(seed=0, **wanted):
    """Return array indices by kind."""
    found = {kind: [] for kind in ClickKind}
    for click in drawn_clicks(GRID, TRUTH, DrawnClicks(**wanted), np.random.default_rng(seed)):
        found[click.kind].append(GRID.ras_to_index(click.position_ras))
    return found


def regions():
    """The thesis's words, slice by slice: mask - erosion, the mask, dilation - mask."""
    mask = TRUTH.astype(int)
    eroded = np.stack([ndimage.binary_erosion(one) for one in mask]).astype(int)
    dilated = np.stack([ndimage.binary_dilation(one) for one in mask]).astype(int)
    return {
        ClickKind.BOUNDARY: mask - eroded,
        ClickKind.INCLUDE: mask,
        ClickKind.EXCLUDE: dilated - mask,
    }


def test_each_kind_lies_where_the_thesis_puts_it_and_as_often_as_asked():
    found = drawn(border=4, foreground=3, background=2)
    slices = np.flatnonzero(TRUTH.any(axis=(1, 2)))
    for (kind, places), count in zip(found.items(), (4, 3, 2), strict=True):
        region = regions()[kind]
        assert all(region[place] == 1 for place in places)
        per_slice = np.bincount([k for k, _, _ in places], minlength=len(TRUTH))
        assert per_slice.max() == count
        assert set(np.flatnonzero(per_slice)) == set(slices)


@pytest.mark.parametrize("apart", [2.0, 4.0, 6.5])
def test_clicks_of_a_slice_are_apart_and_none_is_left_out_that_would_be(apart):
    places = np.array(drawn(border=1000, apart_mm=apart)[ClickKind.BOUNDARY])
    border = regions()[ClickKind.BOUNDARY]
    for k in np.unique(places[:, 0]):
        chosen = places[places[:, 0] == k][:, 1:] * 0.75
        between = np.linalg.norm(chosen[:, None] - chosen[None], axis=-1)
        assert between[~np.eye(len(chosen), dtype=bool)].min(initial=np.inf) >= apart
        candidates = np.argwhere(border[k]) * 0.75
        nearest = np.linalg.norm(candidates[:, None] - chosen[None], axis=-1).min(axis=1)
        assert nearest.max() < apart


def test_without_distance_every_place_may_be_drawn_and_the_seed_decides():
    assert len(drawn(border=10_000, apart_mm=0.0)[ClickKind.BOUNDARY]) == regions()[ClickKind.BOUNDARY].sum()
    assert drawn(seed=1) == drawn(seed=1) != drawn(seed=2)


def test_nothing_is_selected_of_nothing():
    assert selected(np.zeros((0, 2), int), np.ones(2), 5, 1.0, np.random.default_rng(0)) == []
    assert drawn_clicks(GRID, np.zeros_like(TRUTH), DrawnClicks(), np.random.default_rng(0)) == []
