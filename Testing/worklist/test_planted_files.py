"""Files that somebody has put into a shared folder: they lead nowhere else and stop nobody."""

import json
import os
import signal
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest
from volume_files import PLAIN, blob
from VSClickCorrectLib.errors import CaseLockedError, ImageError, StorageError, VSClickError
from VSClickCorrectLib.io.images import read_mask
from VSClickCorrectLib.worklist.locks import STALE_S, CaseLock, holder_of
from VSClickCorrectLib.worklist.records import CaseRecord, CaseState

MASK = blob()
THESIS = b"three years of work"
needs_pipes = pytest.mark.skipif(
    sys.platform == "win32", reason="named pipes are files on Linux and macOS only"
)


@contextmanager
def at_once(seconds=20):
    """Fail where something waits or turns round for ever."""

    def ring(*_):
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def own(tmp_path):
    """The worklist's own folder."""
    folder = tmp_path / "out" / "sourcedata" / "worklist"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def victim(tmp_path):
    """A folder beside the worklist's, with files named as a worklist names them."""
    folder = tmp_path / "victim"
    (folder / "anat").mkdir(parents=True)
    for name in ("thesis.jsonl", "thesis.json", "anat/sub-VS2_dseg.nii.gz", "anat/sub-VS2_dseg.json"):
        (folder / name).write_bytes(THESIS)
    return folder


def untouched(folder):
    files = {path for path in folder.rglob("*") if path.is_file()}
    return len(files) == 4 and all(path.read_bytes() == THESIS for path in files)


def record(**values):
    return json.dumps({**CaseRecord("VS-2", "VS2", CaseState.IN_WORK, clicks=3).to_json(), **values})


def work(worklist):
    """Do everything that writes files of the first case."""
    worklist.go_to("VS-2")
    worklist.opened.keep(MASK, PLAIN)
    worklist.opened.journal()
    worklist.done(MASK, PLAIN)
    worklist.go_to("VS-2")
    worklist.opened.start_over()
    worklist.done(MASK, PLAIN)
    worklist.go_to("VS-2")
    worklist.skip("unclear")
    worklist.go_to("VS-2")
    return worklist.done(MASK, PLAIN)


@pytest.mark.parametrize("name", ["sub-VS2.json", "sub-q.json"])
@pytest.mark.parametrize(
    "label", ["q/../../../../victim/thesis", "..", "VS2/../VS9", "", "VS2_ses-../x", "Ä"]
)
def test_a_label_that_leads_elsewhere_is_not_believed(open_list, own, victim, tmp_path, name, label):
    (own / name).write_text(record(label=label), encoding="utf-8")
    label = work(open_list())
    assert label == tmp_path / "out/derivatives/vsclickcorrect/sub-VS2/anat/sub-VS2_dseg.nii.gz"
    assert untouched(victim)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cases", "out", "victim"]


def test_a_record_under_another_label_s_name_is_not_believed(open_list, own):
    (own / "sub-VS2.json").write_text(record(label="VS9"), encoding="utf-8")
    worklist = open_list()
    assert [case.label for case in worklist.cases] == ["VS2", "VS9", "VS10"]
    assert worklist.record("VS-2").state.value == "todo"


def test_a_sidecar_of_another_label_is_not_believed(open_list, own):
    worklist = open_list()
    worklist.go_to("VS-2")
    label = worklist.done(MASK, PLAIN)
    sidecar = label.with_name("sub-VS2_dseg.json")
    said = json.loads(sidecar.read_text())
    said["VSClickCorrect"]["label"] = "q/../../../../victim/thesis"
    sidecar.write_text(json.dumps(said))
    (own / "sub-VS2.json").unlink()
    assert open_list().record("VS-2").label == "VS2"


@pytest.mark.parametrize(
    "values",
    [
        {"seconds": "long"},
        {"seconds": 10**400},
        {"volume_mm3": 10**400},
        {"clicks": None},
        {"files": ["a"]},
        {"models": 3},
        {"changed": 7},
        {"state": "unreadable"},
        {"case": ["VS-2"]},
    ],
)
def test_a_record_of_other_values_stops_nobody(open_list, own, values):
    (own / "sub-VS2.json").write_text(record(**values), encoding="utf-8")
    assert open_list().resume().name == "VS-2"


@pytest.mark.parametrize("place", ["sub-VS2", "sub-VS2/anat", "", "sourcedata"])
def test_a_folder_that_leads_elsewhere_is_refused(open_list, own, victim, tmp_path, place):
    root = tmp_path / "out" / "derivatives" / "vsclickcorrect"
    link = tmp_path / "out" / "sourcedata" if place == "sourcedata" else root / place
    if place == "sourcedata":
        own.rmdir()
        own.parent.rmdir()
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(victim / "anat" if place.endswith("anat") else victim, target_is_directory=True)
    with pytest.raises(StorageError, match="leads out of .*, to .*victim.*; remove the link that does so"):
        work(open_list())
    assert untouched(victim)


def test_a_journal_that_leads_elsewhere_is_neither_read_nor_written(open_list, own, victim):
    (own / "sub-VS2.jsonl").symlink_to(victim / "thesis.jsonl")
    worklist = open_list()
    assert {row.case.name: row.record.state.value for row in worklist.rows()}["VS-2"] == "unreadable"
    with pytest.raises(StorageError, match=r"sub-VS2.jsonl leads out of"):
        worklist.go_to("VS-2")
    assert worklist.next().name == "VS-9"
    assert untouched(victim)


def test_a_record_that_leads_elsewhere_is_not_written(open_list, own, victim):
    (own / "sub-VS2.json").symlink_to(victim / "thesis.json")
    with pytest.raises(StorageError, match=r"sub-VS2.json leads out of"):
        open_list().go_to("VS-2")
    assert untouched(victim)


def test_links_within_the_folder_are_followed(open_list, tmp_path):
    (tmp_path / "out" / "elsewhere").mkdir(parents=True)
    (tmp_path / "out" / "derivatives").symlink_to(tmp_path / "out" / "elsewhere", target_is_directory=True)
    np.testing.assert_array_equal(read_mask(work(open_list()), PLAIN), MASK)


LOCKS = {
    "a folder": lambda path: path.mkdir(),
    "a dangling link": lambda path: path.symlink_to(path.with_name("nowhere")),
    "a loop": lambda path: path.symlink_to(path),
    "a pipe": os.mkfifo,
    "no text": lambda path: path.write_bytes(b"\xff\xfe\x00\xd8"),
    "numbers": lambda path: path.write_text('{"annotator": 1, "host": "x", "process": 1, "token": "t"}'),
    "a strange process": lambda path: path.write_text(
        '{"annotator": "AB", "host": "x", "process": "all", "token": "t"}'
    ),
    "a strange time": lambda path: path.write_text(
        '{"annotator": "AB", "host": "x", "process": 3, "token": "t", "since": 1e300}'
    ),
    "brackets": lambda path: path.write_text("[" * 100_000),
}


@needs_pipes
@pytest.mark.parametrize("what", LOCKS)
def test_a_lock_that_cannot_be_read_holds_until_it_is_old(open_list, own, what):
    path = own / "sub-VS2.lock"
    LOCKS[what](path)
    with at_once():
        worklist = open_list()
        assert worklist.rows()[0].holder
        with pytest.raises(CaseLockedError, match="case VS-2 is open with "):
            worklist.go_to("VS-2")
        assert worklist.resume().name == "VS-9"
        os.utime(path, (0, 0), follow_symlinks=False)
        worklist.go_to("VS-2")
        worklist.update(clicks=1)
    assert holder_of(path).annotator == "AB"


@needs_pipes
@pytest.mark.parametrize("what", LOCKS)
def test_a_lock_that_cannot_be_read_is_taken_over_on_purpose(open_list, own, what):
    LOCKS[what](own / "sub-VS2.lock")
    with at_once():
        worklist = open_list()
        worklist.go_to("VS-2", take_over=True)
    assert worklist.current.name == "VS-2"


def refused(what, error):
    """Let opening a file whose name ends so fail, as another user's or a bad sector would."""

    def fails(path, *arguments, **named):
        if isinstance(path, (str, os.PathLike)) and os.fspath(path).endswith(what):
            raise OSError(error, os.strerror(error), os.fspath(path))
        return OPEN(path, *arguments, **named)

    return fails


OPEN = os.open


def test_a_lock_of_another_user_s_mask_holds_and_says_why(open_list, monkeypatch):
    theirs, mine = open_list("CD"), open_list("AB")
    theirs.go_to("VS-2")
    monkeypatch.setattr(os, "open", refused(".lock", 13))
    with (
        at_once(),
        pytest.raises(CaseLockedError, match=r"somebody whose lock cannot be read \(Permission denied\)"),
    ):
        mine.go_to("VS-2")
    assert theirs.current.name == "VS-2"


def test_who_cannot_read_the_own_lock_is_told_and_loses_nothing(open_list, monkeypatch):
    worklist = open_list()
    worklist.go_to("VS-2")
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refused(".lock", 5))
        for call in (lambda: worklist.update(clicks=1), worklist.opened.check_held, worklist.close):
            with pytest.raises(
                VSClickError, match=r"the lock of case VS-2 cannot be read \(Input/output error\)"
            ):
                call()
    worklist.update(clicks=1)
    worklist.close()
    assert open_list().record("VS-2").clicks == 1


def test_a_lock_that_comes_and_goes_is_not_waited_for(tmp_path, monkeypatch):
    lock = CaseLock(tmp_path / "case.lock", "AB")
    monkeypatch.setattr(lock, "_made", lambda: False)
    with at_once(), pytest.raises(CaseLockedError, match="others who take and leave it all the time"):
        lock.take("VS-2")


def test_a_lock_s_age_is_told_by_the_drive_and_not_by_a_computer_s_clock(tmp_path, monkeypatch):
    theirs, mine = (CaseLock(tmp_path / "case.lock", name) for name in ("CD", "AB"))
    theirs.take("VS-2")
    path = tmp_path / "case.lock"
    path.write_text(json.dumps({**json.loads(path.read_text()), "host": "elsewhere"}))
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 6 * STALE_S)
    with pytest.raises(CaseLockedError, match="case VS-2 is open with CD"):
        mine.take("VS-2")


@needs_pipes
def test_a_pipe_in_the_place_of_a_record_is_not_waited_for(open_list, own):
    os.mkfifo(own / "sub-VS2.json")
    with at_once():
        worklist = open_list()
        with pytest.raises(ImageError, match="it is a pipe or a device"):
            worklist.go_to("VS-2")
        assert worklist.next().name == "VS-9"
