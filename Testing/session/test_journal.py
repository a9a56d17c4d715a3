"""The journal: what it says, that it is on the disk, and what becomes of it when something goes wrong."""

import hashlib
import json
import os
from contextlib import contextmanager
from errno import EIO, ENOSPC

import numpy as np
import pytest
from session_doubles import BOUNDARY, EXCLUDE, INCLUDE, click_at
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.errors import CorrectionError, LockLostError, WorklistError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.session.journal import Journal, check_grid, history_of, replay, session_event
from written_journals import chained, events_of

EVENT = {"event": "round", "round": 2}


def lines_of(path):
    return events_of(path.read_text(encoding="utf-8"))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.jsonl"


@contextmanager
def failing_disk(code):
    def fail(_descriptor):
        raise OSError(code, os.strerror(code))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        yield


def test_first_line_says_which_image_model_and_merge(session_on, path):
    session_on(journal=Journal(path), merge="blend")
    (line,) = lines_of(path)
    assert len(bytes.fromhex(line.pop("id"))) == 16
    assert line == {
        "event": "session",
        "format": 3,
        "grid": {
            "shape": [12, 40, 40],
            "ijk_to_ras": [[-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1]],
        },
        "model": "oracle@000000000000",
        "merge": "blend",
        # Nothing is set: the hash is that of an empty list, as JSON writes it.
        "start": {
            "sha256": hashlib.sha256(b"[]").hexdigest(),
            "voxels": 0,
            "change": {"start": [0, 0, 0], "stop": [0, 0, 0], "voxels": ""},
        },
        "images": {"t1ce": hashlib.sha256(b"<i2(12, 40, 40)" + bytes(2 * 12 * 40 * 40)).hexdigest()},
    }


def test_line_of_an_edit_says_everything_about_it(session_on, grid, truth, path):
    session = session_on(truth, journal=Journal(path))
    session.next_round()
    # There is no tumour, so a disc of 1.2 mm is all that happens: one voxel to the left is 0.75 mm away,
    # those before and behind 1.03 mm, the one to the right 1.25 mm.
    edit = session.apply(Click((-30.25, -30.0, 10.0), INCLUDE))
    _, rounds, line = lines_of(path)
    assert rounds == {"event": "round", "round": 2}
    change = line.pop("change")
    assert line == {
        "event": "edit",
        "round": 2,
        "clicks": [{"ras": [-30.25, -30.0, 10.0], "kind": "include"}],
        "model": "oracle@000000000000",
        "merge": "progressive",
        "voxels_added": 4,
        "voxels_removed": 0,
        "milliseconds": round(edit.milliseconds, 2),
    }
    assert (change["start"], change["stop"]) == ([5, 29, 30], [6, 32, 32])
    assert edit.milliseconds > 0


def test_undo_and_redo_are_lines_of_their_own(session_on, grid, path):
    session = session_on(journal=Journal(path))
    session.apply(click_at(grid, (5, 30, 30), INCLUDE))
    session.undo()
    session.redo()
    assert [line["event"] for line in lines_of(path)] == ["session", "edit", "undo", "redo"]
    assert lines_of(path)[2]["change"]["start"] == [5, 29, 29]


def test_an_event_is_on_the_disk_before_append_returns(path, monkeypatch):
    synced, real = [], os.fsync

    def fsync(descriptor):
        real(descriptor)
        # The folder is brought to the disk too, once.
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            synced.append(path.read_text(encoding="utf-8"))

    monkeypatch.setattr(os, "fsync", fsync)
    journal = Journal(path)
    for number in (2, 3):
        journal.append({"event": "round", "round": number})
    assert [[event["round"] for event in events_of(text)] for text in synced] == [[2], [2, 3]]
    assert path.read_text(encoding="utf-8") == synced[-1] == journal.text


def test_positions_in_numpy_numbers_are_written(session_on, grid, path):
    session = session_on(journal=Journal(path))
    session.apply(Click(tuple(np.array([-30.25, -30, 10], np.float32)), INCLUDE))
    assert lines_of(path)[1]["clicks"][0]["ras"] == [-30.25, -30.0, 10.0]


def test_journal_without_a_path_lives_in_memory(session_on, grid):
    session = session_on()
    session.apply(click_at(grid, (5, 30, 30), INCLUDE))
    again = Journal(text=session.journal.text)
    assert again.events == json.loads(json.dumps(session.journal.events))


def test_lines_after_some_are_what_is_new(session_on, path):
    session = session_on(journal=Journal(path))
    known = len(session.journal.events)
    session.next_round()
    session.next_round()
    new = session.journal.lines_after(known)
    assert [event["round"] for event in map(json.loads, new.splitlines())] == [2, 3]
    assert path.read_text(encoding="utf-8") == session.journal.text == Journal(path).lines_after(0)


def test_saved_journal_is_the_whole_journal(session_on, path):
    session = session_on()
    session.next_round()
    session.journal.save(path)
    assert Journal(path).events == session.journal.events
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("torn", ['{"event": "ed', '{"event": "edit", "clicks": [{"ras": [1.', "{", '"'])
def test_last_line_that_a_crash_cut_short_is_left_out(path, torn):
    path.write_text(json.dumps(EVENT) + "\n" + torn, encoding="utf-8")
    assert Journal(path).events == [EVENT]


def test_reading_a_torn_journal_does_not_touch_the_file(path):
    path.write_text(json.dumps(EVENT) + "\n{", encoding="utf-8")
    Journal(path)
    assert path.read_text(encoding="utf-8") == json.dumps(EVENT) + "\n{"


def test_a_torn_journal_can_be_continued_and_read_again(path):
    path.write_text(json.dumps(EVENT) + '\n{"event": "edit", "cli', encoding="utf-8")
    Journal(path).append({"event": "round", "round": 3})
    assert [event["round"] for event in Journal(path).events] == [2, 3]


def test_a_last_line_that_lacks_only_its_end_is_kept_and_continued(path):
    path.write_text(json.dumps(EVENT), encoding="utf-8")
    journal = Journal(path)
    assert journal.events == [EVENT]
    journal.append({"event": "round", "round": 3})
    assert [event["round"] for event in Journal(path).events] == [2, 3]


@pytest.mark.parametrize(
    "damage",
    ['{"event": "ed', "[1, 2]", '{"round": 3}', "7", '"event"', "\x00\x00", "[" * 200_000, "9" * 9000],
)
def test_damage_before_the_last_line_is_refused(damage):
    with pytest.raises(CorrectionError, match="line 2 of the journal cannot be understood"):
        Journal(text=f"{json.dumps(EVENT)}\n{damage}\n{json.dumps(EVENT)}\n")


@pytest.mark.parametrize(
    "event",
    [
        {"event": "undo", "change": {"start": [0, 0, 0], "stop": [0, 0, 0], "voxels": ""}},
        {"event": "redo", "change": {"start": [0, 0, 0], "stop": [0, 0, 0], "voxels": ""}},
        {"event": "edit", "round": 1, "clicks": []},
        {"event": "round"},
    ],
)
def test_events_that_make_no_sense_are_refused(event):
    with pytest.raises(CorrectionError, match="journal cannot be understood"):
        history_of([event])


def test_file_that_is_no_text_is_refused(path):
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(CorrectionError, match="cannot be read"):
        Journal(path)


def test_journal_of_another_image_is_refused(session_on, grid):
    moved = grid.affine.copy()
    moved[0, 3] += 0.5
    for other in (Grid(grid.shape, moved), Grid((12, 40, 41), grid.affine)):
        journal = Journal(text=chained([session_event(other, "oracle", "blend", {})]))
        with pytest.raises(CorrectionError, match="belongs to another image"):
            session_on(journal=journal)
        with pytest.raises(CorrectionError, match="belongs to another image"):
            check_grid(journal.events, grid)


def busy_session(session_on, grid, journal):
    """Two clicks on a mask that lost a corner, an island removed, one undo; in round 3."""
    wrong = np.zeros(grid.shape, bool)
    wrong[4:9, 12:25, 12:20] = wrong[9:11, 32:36, 32:36] = True
    session = session_on(wrong, journal=journal)
    session.apply(click_at(grid, (6, 18, 24)))
    session.next_round()
    session.apply_together([click_at(grid, (8, 14, 22), INCLUDE), click_at(grid, (9, 33, 33), EXCLUDE)])
    session.next_round()
    session.apply(click_at(grid, (2, 5, 5), INCLUDE))
    session.undo()
    return session, wrong


def test_replay_on_the_first_mask_gives_the_present_mask(session_on, grid, path):
    session, wrong = busy_session(session_on, grid, Journal(path))
    again = ArrayMask(grid, wrong)
    replay(Journal(path).events, again)
    np.testing.assert_array_equal(again.values, session.mask.values)
    assert (session.mask.values != wrong).sum() > 200


def test_resumed_session_goes_on_where_the_last_one_stopped(session_on, grid, path):
    session, wrong = busy_session(session_on, grid, Journal(path))
    resumed = session_on(session.mask.values, journal=Journal(path))
    assert resumed.round == 3
    assert resumed.clicks == session.clicks
    assert [c.kind for c in resumed.clicks] == [BOUNDARY, INCLUDE, EXCLUDE]
    assert [e["event"] for e in lines_of(path)].count("session") == 1
    before = resumed.mask.values.copy()
    assert resumed.redo().clicks == (click_at(grid, (2, 5, 5), INCLUDE),)
    assert resumed.mask.values[2, 5, 5]
    resumed.undo()
    np.testing.assert_array_equal(resumed.mask.values, before)
    resumed.undo()
    resumed.undo()
    np.testing.assert_array_equal(resumed.mask.values, wrong)
    # The resumed journal itself can be resumed and replayed.
    again = ArrayMask(grid, wrong)
    replay(Journal(path).events, again)
    np.testing.assert_array_equal(again.values, wrong)
    assert len(history_of(Journal(path).events)[0].undone) == 3


@pytest.mark.parametrize("step", ["apply", "undo", "redo"])
def test_full_disk_leaves_everything_as_it_was_and_a_retry_works(session_on, grid, path, step):
    session, wrong = busy_session(session_on, grid, Journal(path))
    steps = {
        "apply": lambda: session.apply(click_at(grid, (6, 10, 18), INCLUDE)),
        "undo": session.undo,
        "redo": session.redo,
    }
    mask, text = session.mask.values.copy(), path.read_bytes()
    done, undone = list(session.history.done), list(session.history.undone)
    events = list(session.journal.events)
    sentence = r"the journal .* cannot be written \(No space left.*, so nothing was changed; make room"
    with failing_disk(ENOSPC), pytest.raises(CorrectionError, match=sentence):
        steps[step]()
    np.testing.assert_array_equal(session.mask.values, mask)
    assert (session.history.done, session.history.undone) == (done, undone)
    assert session.journal.events == events
    assert path.read_bytes() == text
    steps[step]()
    assert (session.mask.values != mask).any()
    again = ArrayMask(grid, wrong)
    replay(Journal(path).events, again)
    np.testing.assert_array_equal(again.values, session.mask.values)


def test_full_disk_does_not_begin_a_round(session_on, path):
    session = session_on(journal=Journal(path))
    with failing_disk(EIO), pytest.raises(CorrectionError, match="cannot be written"):
        session.next_round()
    assert session.round == 1
    assert session.next_round() == 2
    assert len(lines_of(path)) == 2


def test_line_half_written_on_a_full_disk_is_taken_back(path):
    resource = pytest.importorskip("resource")
    journal = Journal(path)
    journal.append(EVENT)
    size = path.stat().st_size
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The system itself stops the write after ten bytes of the next line.
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, limits[1]))
    try:
        with pytest.raises(CorrectionError, match="cannot be written"):
            journal.append({"event": "round", "round": 3})
        assert path.stat().st_size == size
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    journal.append({"event": "round", "round": 4})
    assert [event["round"] for event in Journal(path).events] == [2, 4]


def test_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(CorrectionError, match=r"nowhere.*cannot be written"):
        Journal(tmp_path / "nowhere" / "journal.jsonl").append(EVENT)


def test_edit_events_hold_small_boxes(session_on, grid):
    session, _ = busy_session(session_on, grid, Journal())
    for event in session.journal.events:
        if "change" in event:
            box = Box(tuple(event["change"]["start"]), tuple(event["change"]["stop"]))
            assert grid.box.contains(box)
            assert len(json.dumps(event)) < 2000


def test_a_guard_is_asked_before_every_event(path):
    def guard():
        if lost:
            raise WorklistError("lost")

    lost = []
    journal = Journal(path, guard=guard)
    journal.append(EVENT)
    lost.append(True)
    with pytest.raises(WorklistError):
        journal.append(EVENT)
    assert lines_of(path) == journal.events == [EVENT]


def failing_once_written(path, error):
    """A guard that raises as soon as the file is there."""

    def guard():
        if path.exists():
            raise error

    return guard


def test_an_event_that_was_written_while_somebody_took_the_case_over_is_not_told_to_be_done(path):
    journal = Journal(path, guard=failing_once_written(path, LockLostError("taken over")))
    with pytest.raises(LockLostError):
        journal.append(EVENT)
    assert (journal.events, journal.text) == ([], "")


def test_an_event_that_was_written_is_done_although_nobody_can_tell_any_more_whose_the_case_is(path):
    journal = Journal(path, guard=failing_once_written(path, WorklistError("cannot be read")))
    journal.append(EVENT)
    assert journal.events == lines_of(path) == [EVENT]
    with pytest.raises(WorklistError):
        journal.append(EVENT)
    assert journal.events == lines_of(path) == [EVENT]
