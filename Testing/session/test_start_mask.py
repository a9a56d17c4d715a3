"""The mask with which a journal began, in the journal."""

import copy
import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_doubles import INCLUDE, click_at, grids, masks_on
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.session import start_mask as start_module
from VSClickCorrectLib.session.journal import Journal
from VSClickCorrectLib.session.start_mask import fingerprint, restored, start_json, start_of


@pytest.fixture
def played(session_on, grid, truth):
    """Events of a session on a mask, and the mask that it left."""

    def play(values):
        session = session_on(values, journal=Journal())
        for voxel in ((6, 12, 18), (5, 25, 20), (2, 2, 2)):
            session.apply(click_at(grid, voxel, INCLUDE))
        session.undo()
        return session.journal.events, session.mask.values

    return play


def smaller(truth):
    values = truth.copy()
    values[:, :16] = False
    return values


@given(st.data())
def test_any_mask_comes_back_from_what_is_kept_of_it(data):
    grid = data.draw(grids())
    values = data.draw(masks_on(grid))
    events = [{"event": "session", "start": start_json(ArrayMask(grid, values))}]
    np.testing.assert_array_equal(start_of(events, grid), values)


def test_the_hash_is_of_the_box_and_its_bits():
    # Bits 1, 0, 1, 0 and four of padding.
    expected = hashlib.sha256(b"[[1, 2, 3], [2, 3, 7]]" + bytes([0b10100000])).hexdigest()
    values = np.array([[[True, False, True, False]]])
    assert fingerprint(Box((1, 2, 3), (2, 3, 7)), values) == expected


def test_the_journal_alone_gives_the_mask_back(played, truth, grid):
    events, left = played(smaller(truth))
    np.testing.assert_array_equal(restored(events, grid), left)
    # Its own start given besides is no matter.
    np.testing.assert_array_equal(restored(events, grid, smaller(truth)), left)


def test_a_session_on_an_empty_mask_comes_back_too(played, grid):
    events, left = played(None)
    assert left.any()
    np.testing.assert_array_equal(restored(events, grid), left)


def test_another_mask_than_the_one_it_began_with_is_refused(played, truth, grid):
    events, _ = played(smaller(truth))
    with pytest.raises(CorrectionError, match="not the one with which the journal began"):
        restored(events, grid, truth)


def test_an_older_journal_needs_its_mask(played, truth, grid):
    events, left = played(smaller(truth))
    older = copy.deepcopy(events)
    del older[0]["start"]
    with pytest.raises(CorrectionError, match="does not hold the mask with which it began"):
        restored(older, grid)
    np.testing.assert_array_equal(restored(older, grid, smaller(truth)), left)


def test_of_a_large_mask_only_the_hash_is_kept_and_checked(played, truth, grid, monkeypatch):
    monkeypatch.setattr(start_module, "LARGEST_BYTES", 10)
    events, left = played(smaller(truth))
    assert set(events[0]["start"]) == {"sha256", "voxels"}
    with pytest.raises(CorrectionError, match="give that mask as well"):
        restored(events, grid)
    np.testing.assert_array_equal(restored(events, grid, smaller(truth)), left)
    with pytest.raises(CorrectionError, match="not the one"):
        restored(events, grid, truth)


def test_a_mask_all_over_a_large_image_takes_no_time_and_no_room(monkeypatch):
    monkeypatch.setattr(start_module, "LARGEST_BOX", 100)
    kept = start_json(ArrayMask(Grid((5, 5, 5), np.eye(4)), np.ones((5, 5, 5))))
    assert set(kept) == {"sha256", "voxels"}


@pytest.mark.parametrize("spoil", ["AAAA", "no base64!", None])
def test_a_damaged_start_or_change_is_told(played, truth, grid, spoil):
    events, _ = played(smaller(truth))
    start = copy.deepcopy(events)
    start[0]["start"]["change"]["voxels"] = spoil
    with pytest.raises(CorrectionError, match="damaged"):
        restored(start, grid)
    change = copy.deepcopy(events)
    change[1]["change"]["voxels"] = spoil
    with pytest.raises(CorrectionError, match="damaged"):
        restored(change, grid)


def test_a_start_whose_bits_were_changed_is_told(played, truth, grid):
    events, _ = played(smaller(truth))
    other = start_json(ArrayMask(grid, truth))["change"]
    spoiled = copy.deepcopy(events)
    spoiled[0]["start"]["change"] = other
    with pytest.raises(CorrectionError, match="start of the journal is damaged"):
        restored(spoiled, grid)


def test_a_journal_of_another_image_is_refused(played, truth):
    events, _ = played(smaller(truth))
    with pytest.raises(CorrectionError, match="another image"):
        restored(events, Grid((12, 40, 40), np.diag([1.0, 1.0, 2.0, 1.0])))
