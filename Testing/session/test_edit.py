"""Changes and edits: what flipped, and back."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_doubles import BOUNDARY, EXCLUDE, INCLUDE, boxes_in, with_blocks
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.session.edit import Change, Edit

SHAPE = (3, 5, 6)
WHOLE = Box((0, 0, 0), SHAPE)


def mask_of(values):
    return ArrayMask(Grid(values.shape, np.eye(4)), values)


def random_mask(seed, shape=SHAPE):
    return np.random.default_rng(seed).random(shape) < 0.5


def test_change_keeps_the_smallest_box_of_what_flipped():
    before = with_blocks((4, 4, 4), ((0, 4), (0, 4), (0, 1)))
    after = before.copy()
    after[1, 2, 3], after[2, 2, 0] = True, False
    change = Change.between(Box((10, 20, 30), (14, 24, 34)), before, after)
    assert change.box == Box((11, 22, 30), (13, 23, 34))
    assert change.count == (1, 1)
    added, removed = change.voxels()
    assert np.argwhere(added).tolist() == [[0, 0, 3]]
    assert np.argwhere(removed).tolist() == [[1, 0, 0]]


@pytest.mark.parametrize(
    ("stop", "packed"),
    [
        # 90 voxels, added and removed, are 180 bits: 23 bytes.
        (SHAPE, zlib.compress(bytes(22))),
        (SHAPE, zlib.compress(bytes(24))),
        (SHAPE, zlib.compress(bytes(1_000_000))),
        (SHAPE, zlib.compress(bytes(23))[:-4]),
        ((1 << 20, 1 << 20, 1 << 20), zlib.compress(bytes(23))),
    ],
)
def test_a_change_that_holds_more_or_fewer_voxels_than_its_box_is_refused(stop, packed):
    with pytest.raises(ValueError, match="voxels take"):
        Change(Box((0, 0, 0), stop), packed).voxels()


def test_change_of_nothing_is_empty_and_does_nothing():
    values = random_mask(0)
    change = Change.between(WHOLE, values, values.copy())
    assert change.box.empty
    assert change.packed == b""
    assert change.count == (0, 0)
    mask = mask_of(values)
    assert change.apply(mask).count == (0, 0)
    assert change.revert(mask).count == (0, 0)
    np.testing.assert_array_equal(mask.values, values)


def test_apply_reports_only_what_flipped_now():
    before, after = np.zeros(SHAPE, bool), with_blocks(SHAPE, ((1, 2), (1, 2), (1, 4)))
    change = Change.between(WHOLE, before, after)
    mask = mask_of(with_blocks(SHAPE, ((1, 2), (1, 2), (3, 4))))
    flipped = change.apply(mask)
    np.testing.assert_array_equal(mask.values, after)
    assert (flipped.box, flipped.count) == (Box((1, 1, 1), (2, 2, 3)), (2, 0))


def test_revert_leaves_voxels_that_no_longer_hold_the_changes_value():
    change = Change.between(WHOLE, np.zeros(SHAPE, bool), with_blocks(SHAPE, ((1, 2), (1, 2), (1, 4))))
    mask = mask_of(np.ones(SHAPE, bool))
    mask.values[1, 1, 2] = False
    flipped = change.revert(mask)
    assert np.argwhere(~mask.values).tolist() == [[1, 1, 1], [1, 1, 2], [1, 1, 3]]
    assert flipped.count == (0, 2)


@given(st.integers(0, 99), st.integers(100, 199), boxes_in(SHAPE))
def test_apply_and_revert_are_exact(first, second, box):
    before, after = random_mask(first), random_mask(first)
    after[box.slices] = random_mask(second)[box.slices]
    mask = mask_of(before)
    change = Change.between(box, before[box.slices], after[box.slices])
    change.apply(mask)
    np.testing.assert_array_equal(mask.values, after)
    change.revert(mask)
    np.testing.assert_array_equal(mask.values, before)


@given(st.integers(0, 99), st.integers(100, 199), st.integers(200, 299), boxes_in(SHAPE))
def test_imposed_a_change_gives_what_applied_it_gives(first, second, third, box):
    change = Change.between(box, random_mask(first)[box.slices], random_mask(second)[box.slices])
    applied, imposed = mask_of(random_mask(third)), mask_of(random_mask(third))
    change.apply(applied)
    change.overwrite(imposed)
    np.testing.assert_array_equal(imposed.values, applied.values)


@given(st.integers(0, 99), st.integers(0, 99), boxes_in(SHAPE))
def test_change_survives_json(first, second, box):
    change = Change.between(box, random_mask(first)[box.slices], random_mask(second)[box.slices])
    assert Change.from_json(change.to_json()) == change


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        ([BOUNDARY], "boundary click, round 3 (+1 −0 voxels)"),
        ([EXCLUDE, BOUNDARY, EXCLUDE], "3 boundary and exclude clicks, round 3 (+1 −0 voxels)"),
        ([INCLUDE, INCLUDE], "2 include clicks, round 3 (+1 −0 voxels)"),
    ],
)
def test_description_names_clicks_round_and_voxels(kinds, words):
    change = Change.between(WHOLE, np.zeros(SHAPE, bool), with_blocks(SHAPE, ((1, 2), (1, 2), (1, 2))))
    clicks = tuple(Click((float(n), 0.0, 0.0), kind) for n, kind in enumerate(kinds))
    assert Edit(clicks, 3, change, 12.0).description == words
