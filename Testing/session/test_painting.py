"""Painting by hand between clicks stands in the journal, and undo leaves it alone."""

import numpy as np
import pytest
from session_doubles import INCLUDE, click_at
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.errors import CorrectionError, WorklistError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.session.journal import Journal
from VSClickCorrectLib.session.start_mask import restored
from written_journals import chained, older

# Far from the tumour of the other fixtures.
PAINTED = Box((1, 30, 3), (2, 31, 6))
SITE = (6, 12, 18)


def paint(session, box=PAINTED, value=True):
    session.mask.write(box, np.full(box.shape, value))


def kinds(journal):
    return [event["event"] for event in journal.events]


def test_what_was_painted_is_noted_voxel_for_voxel(session_on):
    session = session_on()
    paint(session)
    change = session.note_painting()
    assert (change.box, change.count) == (PAINTED, (3, 0))
    paint(session, Box((1, 30, 4), (2, 31, 9)), value=False)
    # Of what was erased three voxels were not set.
    assert session.note_painting().count == (0, 2)
    assert kinds(session.journal) == ["session", "paint", "paint"]


@pytest.mark.parametrize("do", [lambda s, grid: None, lambda s, grid: s.apply(click_at(grid, SITE, INCLUDE))])
def test_nothing_is_noted_where_nobody_painted(session_on, grid, do):
    session = session_on()
    do(session, grid)
    before = kinds(session.journal)
    assert session.note_painting().box.empty
    assert kinds(session.journal) == before


def test_journal_gives_back_clicks_and_painting(session_on, grid):
    session = session_on()
    edit = session.apply(click_at(grid, SITE, INCLUDE))
    paint(session, edit.change.box, value=False)
    session.note_painting()
    paint(session)
    session.note_painting()
    session.undo()
    np.testing.assert_array_equal(np.argwhere(session.mask.values), [(1, 30, 3), (1, 30, 4), (1, 30, 5)])
    np.testing.assert_array_equal(restored(session.journal.events, grid), session.mask.values)
    session.redo()
    np.testing.assert_array_equal(restored(session.journal.events, grid), session.mask.values)


def test_painting_is_no_step_of_undo(session_on, grid):
    session = session_on()
    session.apply(click_at(grid, SITE, INCLUDE))
    session.undo()
    paint(session)
    session.note_painting()
    with pytest.raises(CorrectionError, match="nothing to undo"):
        session.undo()
    assert session.redo().clicks


def test_session_that_is_taken_up_notes_what_was_painted_meanwhile(session_on, grid):
    first = session_on()
    first.apply(click_at(grid, SITE, INCLUDE))
    paint(first)
    again = session_on(first.mask.values, journal=Journal(text=first.journal.text))
    assert kinds(again.journal) == ["session", "edit", "paint"]
    np.testing.assert_array_equal(restored(again.journal.events, grid), first.mask.values)
    assert len(again.standing) == 1


def test_without_its_start_a_journal_is_taken_as_it_is(session_on, grid):
    first = session_on()
    first.apply(click_at(grid, SITE, INCLUDE))
    paint(first)
    again = session_on(first.mask.values, journal=Journal(text=older(first.journal.text, 1)))
    assert kinds(again.journal) == ["session", "edit"]
    paint(again, value=False)
    assert again.note_painting().count == (0, 3)


def test_painting_that_cannot_be_written_stays_and_is_noted_the_next_time(session_on, grid, tmp_path):
    disk, away = tmp_path / "disk", tmp_path / "away"
    disk.mkdir()
    session = session_on(journal=Journal(disk / "journal.jsonl"))
    paint(session)
    disk.rename(away)
    with pytest.raises(CorrectionError, match="cannot be written"):
        session.note_painting()
    assert session.mask.read(PAINTED).all()
    away.rename(disk)
    assert session.note_painting().count == (3, 0)
    np.testing.assert_array_equal(restored(Journal(disk / "journal.jsonl").events, grid), session.mask.values)


def test_a_damaged_journal_is_not_taken_up(session_on, grid):
    first = session_on()
    paint(first)
    first.note_painting()
    events = [dict(event) for event in first.journal.events]
    events[1]["change"] = events[1]["change"] | {"voxels": "AAAA"}
    with pytest.raises(CorrectionError, match="damaged"):
        session_on(first.mask.values, journal=Journal(text=chained(events)))


@pytest.mark.parametrize("step", ["apply", "undo", "redo"])
def test_where_the_journal_is_guarded_a_step_is_taken_back(session_on, grid, step):
    def guard():
        if lost:
            raise WorklistError("lost")

    lost = []
    session = session_on(journal=Journal(guard=guard))
    click = click_at(grid, SITE, INCLUDE)
    session.apply(click)
    if step == "redo":
        session.undo()
    before, standing = session.mask.values.copy(), len(session.standing)
    lost.append(True)
    with pytest.raises(WorklistError):
        {"apply": lambda: session.apply(click), "undo": session.undo, "redo": session.redo}[step]()
    np.testing.assert_array_equal(session.mask.values, before)
    assert len(session.standing) == standing
    lost.clear()
    {"apply": session.undo, "undo": session.undo, "redo": session.redo}[step]()
    np.testing.assert_array_equal(restored(session.journal.events, grid), session.mask.values)


def test_on_an_image_of_another_size_nothing_is_noted(session_on, grid):
    session = session_on()
    larger = Grid(tuple(n + 10 for n in grid.shape), grid.affine)
    session.mask = ArrayMask(larger, np.ones(larger.shape, bool))
    with pytest.raises(CorrectionError, match="another size"):
        session.note_painting()
    assert kinds(session.journal) == ["session"]
