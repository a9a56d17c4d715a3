"""Strokes and tools are steps of undo among clicks, and stand in the journal."""

import numpy as np
import pytest
from session_doubles import INCLUDE, click_at
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.triples import index3
from VSClickCorrectLib.session.edit import Change
from VSClickCorrectLib.session.journal import Journal, holds_work
from VSClickCorrectLib.session.start_mask import restored

SITE = (6, 12, 18)
FAR = Box((1, 30, 3), (2, 31, 6))


def painted(box, adds=True):
    full, none = np.ones(box.shape, bool), np.zeros(box.shape, bool)
    return Change.of(box, full, none) if adds else Change.of(box, none, full)


def test_clicks_and_strokes_are_undone_in_order(session_on, grid):
    session, masks = session_on(), []
    for do in (
        lambda: session.apply(click_at(grid, SITE, INCLUDE)),
        lambda: session.edit_by_hand("brush stroke", painted(FAR)),
        lambda: session.edit_by_hand("eraser stroke", painted(Box.of_voxel(SITE), adds=False)),
    ):
        masks.append(session.mask.values.copy())
        do()
    last = session.mask.values.copy()
    assert session.history.done[1].description == "brush stroke, round 1 (+3 −0 voxels)"
    for mask in reversed(masks):
        session.undo()
        np.testing.assert_array_equal(session.mask.values, mask)
        np.testing.assert_array_equal(restored(session.journal.events, grid), mask)
    for _ in masks:
        session.redo()
    np.testing.assert_array_equal(session.mask.values, last)
    np.testing.assert_array_equal(restored(session.journal.events, grid), last)


def test_a_session_that_goes_on_can_undo_strokes(session_on, grid, tmp_path):
    session = session_on(journal=Journal(tmp_path / "journal.jsonl"))
    session.edit_by_hand("brush stroke", painted(FAR))
    session.edit_by_hand("eraser stroke", painted(Box.of_voxel(FAR.start), adds=False))
    session.undo()
    # As after a crash: nothing but the file is left.
    journal = Journal(tmp_path / "journal.jsonl")
    again = session_on(restored(journal.events, grid), journal=journal)
    assert [event["event"] for event in journal.events] == ["session", "tool", "tool", "undo"]
    assert again.mask.values.sum() == 3
    again.redo()
    assert again.mask.values.sum() == 2
    again.undo(), again.undo()
    assert not again.mask.values.any()


def test_a_click_that_is_taken_back_leaves_what_was_painted_over_it(session_on, grid):
    session = session_on()
    edit = session.apply(click_at(grid, SITE, INCLUDE))
    erased = Box.of_voxel(index3(np.argwhere(session.mask.values)[0]))
    session.edit_by_hand("eraser stroke", painted(erased, adds=False))
    session.edit_by_hand("brush stroke", painted(FAR))
    session.remove(session.standing[0])
    assert np.argwhere(session.mask.values).tolist() == [[1, 30, 3], [1, 30, 4], [1, 30, 5]]
    session.undo()
    assert session.mask.values.sum() == edit.change.count[0] - 1 + 3


def test_a_later_click_leaves_strokes_over_earlier_clicks_alone(session_on, grid):
    session = session_on()
    session.apply(click_at(grid, SITE, INCLUDE))
    session.edit_by_hand("eraser stroke", painted(Box.of_voxel(SITE), adds=False))
    session.apply(click_at(grid, (6, 14, 20), INCLUDE))
    assert not session.mask.values[SITE]


def test_what_changes_nothing_is_no_step(session_on):
    session = session_on()
    with pytest.raises(CorrectionError, match="nothing was changed"):
        session.edit_by_hand("eraser stroke", painted(FAR, adds=False))
    assert [event["event"] for event in session.journal.events] == ["session"]


def test_where_the_journal_cannot_be_written_the_mask_is_as_it_was(session_on, monkeypatch):
    session = session_on()

    def fail(_event):
        raise CorrectionError("the disk is full.")

    monkeypatch.setattr(session.journal, "append", fail)
    with pytest.raises(CorrectionError, match="full"):
        session.edit_by_hand("brush stroke", painted(FAR))
    assert not session.mask.values.any() and not session.history.done


def test_a_stroke_is_work_until_it_is_undone(session_on):
    session = session_on()
    assert not holds_work(session.journal.events)
    session.edit_by_hand("brush stroke", painted(FAR))
    assert holds_work(session.journal.events)
    session.undo()
    assert not holds_work(session.journal.events)


def test_an_image_that_was_moved_is_not_painted_in(session_on, grid):
    session = session_on()
    moved = grid.affine.copy()
    moved[0, 3] += 5
    session.mask.grid = type(grid)(grid.shape, moved)
    with pytest.raises(CorrectionError, match="moved"):
        session.edit_by_hand("brush stroke", painted(FAR))
    assert isinstance(session.mask, ArrayMask) and not session.mask.values.any()
