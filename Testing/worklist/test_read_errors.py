"""What cannot be read today is not damaged: it is told, and everything stays as it is."""

import errno
import os
import time
from pathlib import Path

import numpy as np
import pytest
from volume_files import PLAIN, blob
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.errors import CorrectionError, ImageError, VSClickError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.io.images import read_mask
from VSClickCorrectLib.session.chain import JournalPoint
from VSClickCorrectLib.session.edit import Change, Edit
from VSClickCorrectLib.session.journal import change_event, edit_event, session_event
from VSClickCorrectLib.session.start_mask import start_json
from VSClickCorrectLib.worklist.worklist import Worklist

MASK = blob()
ERRORS = [errno.EIO, errno.ESTALE, errno.EACCES]


@pytest.fixture
def failing(monkeypatch):
    """Let reading, or even looking for, what ends so fail until the returned function is called."""
    really = {name: getattr(os, name) for name in ("open", "stat", "lstat", "listdir")}

    def fail(what, number, functions=tuple(really)):
        def fails(name):
            def call(path, *arguments, **named):
                if isinstance(path, (str, os.PathLike)) and os.fspath(path).endswith(what):
                    raise OSError(number, os.strerror(number), os.fspath(path))
                return really[name](path, *arguments, **named)

            return call

        for name in functions:
            monkeypatch.setattr(os, name, fails(name))
        return lambda: [monkeypatch.setattr(os, name, function) for name, function in really.items()]

    return fail


@pytest.fixture
def finished(open_list):
    """A worklist whose first case is done; returned as somebody else opens it."""
    worklist = open_list()
    worklist.go_to("VS-2")
    worklist.update(clicks=7, comment="sharp")
    worklist.done(MASK, PLAIN)
    return open_list


def files_in(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def states(worklist):
    return {row.case.name: row.record.state.value for row in worklist.rows()}


@pytest.mark.parametrize("number", ERRORS)
@pytest.mark.parametrize("functions", [("open",), ("open", "stat", "lstat")])
def test_a_record_that_cannot_be_read_once_is_kept(finished, tmp_path, failing, number, functions):
    before = files_in(tmp_path / "out")
    work_again = failing("sub-VS2.json", number, functions)
    worklist = finished("CD")
    assert states(worklist) == {"VS-2": "unreadable", "VS-9": "todo", "VS-10": "todo"}
    assert str(worklist.progress()) == "0 of 3 done, 1 unreadable"
    sentence = (
        rf"sub-VS2.json cannot be read \({os.strerror(number)}\), so nothing was changed; check the disk"
    )
    with pytest.raises(ImageError, match=sentence):
        worklist.go_to("VS-2")
    assert worklist.resume().name == "VS-9"
    assert worklist.next().name == "VS-10"
    worklist.done(MASK, PLAIN)
    work_again()
    after = files_in(tmp_path / "out")
    assert {path: after[path] for path in before if path.name != "summary.csv"} == {
        path: content for path, content in before.items() if path.name != "summary.csv"
    }
    assert states(worklist)["VS-2"] == "done"
    record = worklist.record("VS-2")
    assert (record.clicks, record.comment) == (7, "sharp")
    assert not list(tmp_path.rglob("*.damaged"))


def test_where_a_case_may_wait_that_cannot_be_read_the_list_does_not_say_that_none_does(finished, failing):
    worklist = finished("CD")
    for name in ("VS-9", "VS-10"):
        worklist.go_to(name)
        worklist.skip("unclear")
    failing("sub-VS2.json", errno.EIO)
    with pytest.raises(ImageError, match="sub-VS2.json cannot be read"):
        worklist.next()


@pytest.mark.parametrize("number", ERRORS)
def test_a_sidecar_that_cannot_be_read_does_not_make_a_finished_case_one_to_do(
    finished, tmp_path, failing, number
):
    (tmp_path / "out" / "sourcedata" / "worklist" / "sub-VS2.json").unlink()
    work_again = failing("sub-VS2_dseg.json", number)
    worklist = finished("CD")
    assert states(worklist)["VS-2"] == "unreadable"
    with pytest.raises(ImageError, match="cannot be read"):
        worklist.go_to("VS-2")
    work_again()
    assert states(worklist)["VS-2"] == "done"


def test_a_folder_that_cannot_be_listed_hides_no_kept_mask(open_list, failing):
    worklist = open_list()
    worklist.go_to("VS-2")
    worklist.opened.keep(MASK, PLAIN)
    work_again = failing("sourcedata/worklist", errno.EIO, ("listdir",))
    with pytest.raises(ImageError, match="cannot be read"):
        worklist.opened.saved_mask(PLAIN)
    work_again()
    np.testing.assert_array_equal(worklist.opened.saved_mask(PLAIN), MASK)


def test_a_case_whose_painting_cannot_be_read_is_not_to_do_again(open_list, failing):
    worklist = open_list()
    worklist.go_to("VS-9")
    journal, one = worklist.opened.journal(), np.ones((1, 1, 1), bool)
    journal.append(session_event(PLAIN, "model@1", "progressive", start_json(ArrayMask(PLAIN))))
    journal.append(change_event("paint", Change.of(Box.of_voxel((0, 0, 0)), one, ~one)))
    work_again = failing("sub-VS9.jsonl", errno.EIO, ("stat",))
    worklist.close()
    work_again()
    assert states(worklist)["VS-9"] == "in work"


BROKEN = {
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:100]),
    "empty": lambda path: path.write_bytes(b""),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_finished_case_whose_image_cannot_be_read_keeps_label_and_state(finished, folder, how):
    worklist = finished("CD")
    label = worklist.label_path("VS-2")
    before = label.read_bytes()
    BROKEN[how](folder / "VS-2" / "T1ce.nii.gz")
    worklist.go_to("VS-2")
    with pytest.raises(VSClickError) as told:
        worklist.opened.load()
    worklist.give_up(told.value)
    assert worklist.current is None
    assert (states(worklist)["VS-2"], worklist.record("VS-2").comment) == ("done", "sharp")
    assert label.read_bytes() == before


@pytest.mark.parametrize("work", ["clicks", "mask", "label", "painting", "skipped"])
def test_work_on_a_case_is_not_called_failed_for_an_image_that_cannot_be_read(open_list, work):
    worklist = open_list()
    worklist.go_to("VS-9")
    if work == "clicks":
        worklist.update(clicks=1)
    elif work == "mask":
        worklist.opened.keep(MASK, PLAIN)
    elif work == "skipped":
        worklist.skip("motion")
    elif work == "label":
        worklist.done(MASK, PLAIN)
        worklist.go_to("VS-9")
        worklist.update(clicks=1, mask="another one")
    else:
        journal, one = worklist.opened.journal(), np.ones((1, 1, 1), bool)
        journal.append(session_event(PLAIN, "model@1", "progressive", start_json(ArrayMask(PLAIN))))
        journal.append(change_event("paint", Change.of(Box.of_voxel((0, 0, 0)), one, ~one)))
    worklist.close()
    worklist.go_to("VS-9")
    worklist.give_up(ImageError("the T1ce is damaged."))
    assert states(worklist)["VS-9"] == ("skipped" if work == "skipped" else "in work")
    if work == "label":
        np.testing.assert_array_equal(read_mask(worklist.label_path("VS-9"), PLAIN), MASK)


def test_a_case_on_which_nothing_was_done_is_failed_with_the_reason(open_list):
    worklist = open_list()
    worklist.go_to("VS-9")
    worklist.give_up(ImageError("the T1ce is damaged."))
    record = worklist.record("VS-9")
    assert (worklist.current, record.state.value, record.comment) == (None, "failed", "the T1ce is damaged.")


def test_a_finished_case_of_which_a_crash_took_the_label_is_in_work_once_it_is_opened(finished):
    worklist = finished("CD")
    worklist.go_to("VS-2")
    worklist.store.withdraw("VS2", JournalPoint())  # killed while it was to be skipped
    worklist = finished("EF")
    worklist.go_to("VS-2", take_over=True)
    assert states(worklist)["VS-2"] == "in work"
    np.testing.assert_array_equal(worklist.opened.saved_mask(PLAIN), MASK)


def test_what_others_write_this_moment_may_be_gone_when_it_is_looked_at(open_list, tmp_path, monkeypatch):
    open_list()
    (tmp_path / "out" / "sourcedata" / "worklist" / ".writing-x").mkdir()
    walk = os.walk

    def moment_later(top, *arguments, **named):
        for found in walk(top, *arguments, **named):
            for name in found[1]:
                if name.startswith(".writing-"):
                    os.rmdir(os.path.join(found[0], name))
            yield found

    monkeypatch.setattr(os, "walk", moment_later)
    assert open_list().next().name == "VS-2"


def test_a_clock_that_is_ahead_removes_nothing_that_is_being_written(open_list, tmp_path, monkeypatch):
    open_list()
    left = tmp_path / "out" / "sourcedata" / "worklist" / ".writing-x"
    left.mkdir()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 7200)
    open_list()
    assert left.exists()


def test_locks_that_a_crash_left_beside_their_place_are_cleared_away_later(open_list, tmp_path):
    open_list()
    own = tmp_path / "out" / "sourcedata" / "worklist"
    young, old = own / ".sub-VS2.lock.young", own / ".sub-VS2.lock.old"
    for path in (young, old):
        path.write_text("{}")
    os.utime(old, (0, 0))
    open_list()
    assert (young.exists(), old.exists()) == (True, False)


def test_the_record_tells_of_the_clicks_that_the_journal_holds_when_a_mask_is_kept_or_done(open_list):
    worklist = open_list()
    for name, finish in (("VS-2", lambda: worklist.opened.keep), ("VS-9", lambda: worklist.done)):
        worklist.go_to(name)
        journal, one = worklist.opened.journal(), np.ones((1, 1, 1), bool)
        journal.append(session_event(PLAIN, "model@1", "progressive", start_json(ArrayMask(PLAIN))))
        change = Change.of(Box.of_voxel((0, 0, 0)), one, ~one)
        journal.append(edit_event(Edit((Click((1.0, 1.0, 1.0)),), 1, change, 1.0), "model@1", "progressive"))
        finish()(MASK, PLAIN)
        assert (worklist.record(name).clicks, worklist.record(name).rounds) == (1, 1)


@pytest.mark.parametrize("number", ERRORS)
@pytest.mark.parametrize("what", ["VS-9/T1ce.nii.gz", "VS-9/T2.nii.gz", "VS-2/mask.nii.gz", "sub-VS9.jsonl"])
@pytest.mark.parametrize("functions", [("open",), ("stat",), ("lstat",)])
def test_a_case_to_do_is_not_called_failed_for_what_cannot_be_read_once(
    open_list, failing, what, number, functions
):
    worklist = open_list()
    name = "VS-2" if what.startswith("VS-2") else "VS-9"
    worklist.go_to(name)
    if what.endswith("jsonl"):
        worklist.opened.journal().append(
            session_event(PLAIN, "model@1", "progressive", start_json(ArrayMask(PLAIN)))
        )
    work_again = failing(what, number, functions)
    try:
        worklist.opened.saved_mask(worklist.opened.load().grid)
    except VSClickError as error:
        work_again()
        worklist.give_up(error)
        assert states(worklist)[name] == "todo"
        assert os.strerror(number) in str(error)


@pytest.mark.parametrize("function", ["stat", "lstat"])
def test_a_journal_that_cannot_be_read_is_not_one_without_events(open_list, failing, function):
    worklist = open_list()
    worklist.go_to("VS-9")
    worklist.opened.journal().append(
        session_event(PLAIN, "model@1", "progressive", start_json(ArrayMask(PLAIN)))
    )
    work_again = failing("sub-VS9.jsonl", errno.EIO, (function,))
    with pytest.raises(CorrectionError, match="Input/output error"):
        worklist.opened.saved_mask(PLAIN)
    work_again()
    assert len(worklist.opened.journal().events) == 1


@pytest.mark.parametrize("method", ["open", "read_bytes", "read_text"])
def test_a_drive_that_fails_amid_reading_is_told_in_a_sentence(open_list, folder, monkeypatch, method):
    """At whichever of its openings a file fails: once, twice, and so on."""
    listed = folder / "list.csv"
    listed.write_text("case,t1ce\nVS-9,VS-9/T1ce.nii.gz\n", encoding="utf-8")
    worklist = Worklist.open(listed, folder / "out", "AB")
    worklist.go_to("VS-9")
    worklist.opened.journal().append(
        session_event(PLAIN, "model@1", "progressive", start_json(ArrayMask(PLAIN)))
    )
    really, left = getattr(Path, method), [0]

    def fails(path, *arguments, **named):
        left[0] -= 1
        if left[0] == 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return really(path, *arguments, **named)

    monkeypatch.setattr(Path, method, fails)
    for count in range(1, 30):
        left[0] = count
        try:
            Worklist.open(listed, folder / "out", "CD")
            worklist.opened.saved_mask(worklist.opened.load().grid)
        except VSClickError as error:
            assert "Input/output error" in str(error)
        if left[0] > 0:
            break
    assert left[0] > 0
