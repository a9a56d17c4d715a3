"""The journal on drives that really fill up, go away or come back empty; and beside another program."""

import numpy as np
import pytest
from session_doubles import INCLUDE, click_at
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.session.journal import Journal, replay

# What a click can do to the session.
STEPS = {
    "click": lambda session, grid: session.apply(click_at(grid, (6, 30, 30), INCLUDE)),
    "undo": lambda session, grid: session.undo(),
    "redo": lambda session, grid: session.redo(),
    "remove": lambda session, grid: session.remove(session.standing[0]),
    "round": lambda session, grid: session.next_round(),
}


@pytest.fixture
def drive(make_drive):
    return make_drive(64)


@pytest.fixture
def path(drive):
    folder = drive.folder / "results"
    folder.mkdir()
    return folder / "journal.jsonl"


@pytest.fixture
def session(session_on, grid, path):
    """A session with two clicks and an undone third."""
    session = session_on(journal=Journal(path))
    for voxel in ((5, 5, 5), (5, 10, 30), (6, 35, 10)):
        session.apply(click_at(grid, voxel, INCLUDE))
    session.undo()
    return session


def state(session):
    return (
        session.mask.values.tobytes(),
        list(session.history.done),
        list(session.history.undone),
        session.round,
        session.journal.text,
    )


def replayed(path, grid):
    mask = ArrayMask(grid)
    replay(Journal(path).events, mask)
    return mask.values


def fill_within_a_line(session, path, drive, page=4096):
    """Fill the drive so that the beginning of the next line fits, and no more."""
    while page - path.stat().st_size % page > 30:
        session.next_round()
    drive.fill()


@pytest.mark.parametrize("step", STEPS)
def test_on_a_full_disk_nothing_is_half_done_and_the_next_try_works(session, grid, path, drive, step):
    fill_within_a_line(session, path, drive)
    before, text = state(session), path.read_bytes()
    sentence = r"^the journal .* cannot be written \(No space left on device\), so nothing was changed"
    with pytest.raises(CorrectionError, match=sentence):
        STEPS[step](session, grid)
    assert (state(session), path.read_bytes()) == (before, text)
    drive.make_room()
    STEPS[step](session, grid)
    np.testing.assert_array_equal(replayed(path, grid), session.mask.values)
    assert path.read_text(encoding="utf-8") == session.journal.text


def test_half_a_line_that_a_full_disk_left_is_written_over(session, session_on, grid, path, drive):
    fill_within_a_line(session, path, drive)
    # What a program that was killed while it wrote has left: as much of the line as fitted.
    with path.open("ab", buffering=0) as stream:
        assert stream.write(b'{"event": "edit", "round": 9, "clicks": [{"ras"') < 47
    drive.make_room()
    again = session_on(session.mask.values.copy(), journal=Journal(path))
    again.apply(click_at(grid, (6, 30, 30), INCLUDE))
    assert path.read_text(encoding="utf-8") == again.journal.text
    np.testing.assert_array_equal(replayed(path, grid), again.mask.values)


def test_a_drive_that_vanished_refuses_clicks_until_it_is_back(session, grid, path, drive):
    drive.vanish()
    before = state(session)
    for step in STEPS.values():
        with pytest.raises(CorrectionError, match=r"cannot be written \(No such file or directory\)"):
            step(session, grid)
    assert state(session) == before
    drive.come_back()
    session.redo()
    np.testing.assert_array_equal(replayed(path, grid), session.mask.values)


def test_a_drive_that_becomes_read_only_refuses_clicks_until_it_can_be_written(session, grid, path, drive):
    drive.become_read_only()
    before = state(session)
    with pytest.raises(CorrectionError, match=r"cannot be written \(Read-only file system\)"):
        session.undo()
    assert state(session) == before
    drive.become_read_only(False)
    session.undo()
    np.testing.assert_array_equal(replayed(path, grid), session.mask.values)


@pytest.mark.parametrize("left", [0, 1, 100])
def test_a_journal_that_lost_what_it_held_is_written_anew_from_memory(session, grid, path, left):
    with path.open("r+b") as stream:
        stream.truncate(left)
    session.redo()
    assert path.read_text(encoding="utf-8") == session.journal.text
    np.testing.assert_array_equal(replayed(path, grid), session.mask.values)


def test_a_journal_that_was_deleted_is_written_anew_from_memory(session, grid, path):
    path.unlink()
    session.redo()
    np.testing.assert_array_equal(replayed(path, grid), session.mask.values)


def test_lines_of_another_program_are_not_written_over(session, session_on, grid, path):
    other = session_on(session.mask.values.copy(), journal=Journal(path))
    other.apply(click_at(grid, (6, 30, 30), INCLUDE))
    before, text = state(session), path.read_bytes()
    with pytest.raises(CorrectionError, match="was continued by somebody else, so nothing was changed"):
        session.redo()
    assert (state(session), path.read_bytes()) == (before, text)
