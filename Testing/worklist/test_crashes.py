"""What is left when a process is killed while it writes, or a file is damaged."""

import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import time

import numpy as np
import pytest
from volume_files import PLAIN, SHAPE, blob
from VSClickCorrectLib.errors import StorageError
from VSClickCorrectLib.io.images import read_mask

MASK = blob()
WORDS = "What an annotator writes about a case: " * 20


def files_in(folder):
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def work_without_end(open_list, pipe):
    """Go through the first case over and over: clicks, a kept mask, the label."""
    worklist = open_list()
    for clicks in range(1, 10**6):
        worklist.go_to("VS-2")
        worklist.update(clicks=clicks, comment=f"{WORDS}{clicks}")
        pipe.send(("clicks", clicks))
        values = np.zeros(SHAPE, bool)
        values.ravel()[: 1 + clicks % values.size] = True
        worklist.opened.keep(values, PLAIN)
        pipe.send(("kept", int(values.sum())))
        if clicks % 3 == 0:
            worklist.done(values, PLAIN)
            pipe.send(("done", int(values.sum())))


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and fork are there on Linux and macOS only")
def test_a_process_that_is_killed_while_it_writes_loses_nothing_that_it_had_told(open_list, tmp_path):
    chance = random.Random(7)
    context = multiprocessing.get_context("fork")
    for _ in range(12):
        receiver, sender = context.Pipe(duplex=False)
        child = context.Process(target=work_without_end, args=(open_list, sender))
        child.start()
        sender.close()
        told = dict([receiver.recv()])
        time.sleep(chance.uniform(0.0, 0.15))
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        try:
            while True:
                told.update([receiver.recv()])
        except EOFError:
            pass
        worklist = open_list()
        record = worklist.record("VS-2")
        # All that was told is there, or what came in the moment after.
        assert record.clicks - told["clicks"] in (0, 1)
        assert record.comment == f"{WORDS}{record.clicks}"
        for path in (tmp_path / "out").rglob("*.json"):
            if path.parent.name.startswith(".writing"):
                continue  # what was being written when the process died, beside its place
            assert isinstance(json.loads(path.read_text(encoding="utf-8")), dict)
        # The lock of the dead is no hindrance, and the last mask that was kept is there.
        worklist.go_to("VS-2")
        if "kept" in told:
            assert int(worklist.opened.saved_mask(PLAIN).sum()) - told["kept"] in (0, 1)
        if (label := worklist.label_path("VS-2")).exists():
            read_mask(label, PLAIN)
        worklist.close()


def deaths(action, before):
    """Let a process die at each change that an action makes of the disk, just before it and just after."""
    for number in range(200):
        for late in (False, True):
            before()
            if not dies(action, number, late):
                return
            yield number, late


def dies(action, number, late):
    """Whether a process dies at a change before it has done an action."""
    child = os.fork()
    if child == 0:
        counted = iter(range(10**6))

        def deadly(function):
            def call(*arguments, **named):
                if (now := next(counted) == number) and not late:
                    os._exit(9)
                function(*arguments, **named)
                if now:
                    os._exit(9)

            return call

        for name in ("replace", "rename", "unlink"):
            setattr(os, name, deadly(getattr(os, name)))
        try:
            action()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


WRITES = {
    "comment": lambda worklist: worklist.update(comment="seen by two"),
    "done": lambda worklist: worklist.done(~MASK, PLAIN),
    "skip": lambda worklist: worklist.skip("unclear"),
    "start over": lambda worklist: worklist.opened.start_over(),
    "click": lambda worklist: worklist.update(clicks=9),
    "close": lambda worklist: worklist.close(),
}


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="fork is there on Linux and macOS only")
@pytest.mark.parametrize("write", WRITES)
def test_record_sidecar_and_label_agree_on_opening_wherever_a_process_died(open_list, tmp_path, write):
    worklist = open_list()
    worklist.go_to("VS-2")
    worklist.update(clicks=4, comment="first")
    worklist.done(MASK, PLAIN)
    shutil.copytree(tmp_path / "out", tmp_path / "finished")

    def before():
        shutil.rmtree(tmp_path / "out")
        shutil.copytree(tmp_path / "finished", tmp_path / "out")

    def act():
        worklist = open_list()
        worklist.go_to("VS-2")
        WRITES[write](worklist)

    tried = 0
    for where in deaths(act, before):
        tried += 1
        agreeing(open_list(), where)
    assert tried > 2
    open_list().go_to("VS-2")


def agreeing(worklist, where):
    """Check that whatever is there of a case tells the same, once its worklist is opened."""
    record, label = worklist.record("VS-2"), worklist.label_path("VS-2")
    sidecar = label.with_name(label.name.replace(".nii.gz", ".json"))
    assert label.exists() or not sidecar.exists(), where
    said = json.loads(sidecar.read_text(encoding="utf-8"))["VSClickCorrect"] if sidecar.exists() else None
    if said is not None:
        assert read_mask(label, PLAIN).sum() * PLAIN.voxel_volume == pytest.approx(said["volume_mm3"]), where
    if record.state.value == "done":
        assert label.exists(), where
        assert said == {key: value for key, value in record.to_json().items() if key != "files"}, where


@pytest.mark.parametrize("share", [0.0, 0.4, 0.99])
def test_a_record_cut_short_is_made_anew_from_the_label_and_kept_aside(open_list, share):
    worklist = open_list()
    worklist.go_to("VS-2")
    worklist.update(clicks=7, comment="said before")
    worklist.done(MASK, PLAIN)
    path = worklist.store.output / "sourcedata" / "worklist" / "sub-VS2.json"
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    again = open_list()
    record = again.record("VS-2")
    assert (record.state.value, record.clicks, record.comment) == ("done", 7, "said before")
    again.go_to("VS-2")
    again.update(clicks=8)
    assert path.with_suffix(".damaged").read_bytes() == content[: int(share * len(content))]
    assert open_list().record("VS-2").clicks == 8


def test_a_case_in_work_whose_record_is_damaged_is_still_in_work(open_list):
    worklist = open_list()
    worklist.go_to("VS-2")
    worklist.opened.keep(MASK, PLAIN)
    worklist.close()
    (worklist.store.output / "sourcedata" / "worklist" / "sub-VS2.json").write_text("{", encoding="utf-8")
    again = open_list()
    assert again.record("VS-2").state.value == "in work"
    again.go_to("VS-2")
    np.testing.assert_array_equal(again.opened.saved_mask(PLAIN), MASK)


def test_what_a_crash_left_half_written_is_cleared_away_later(open_list):
    worklist = open_list()
    worklist.go_to("VS-2")
    label = worklist.done(MASK, PLAIN)
    left = [
        folder / ".writing-x" for folder in (label.parent, worklist.store.output / "sourcedata" / "worklist")
    ]
    for folder in left:
        folder.mkdir()
        (folder / "half").write_text("", encoding="utf-8")
    open_list()
    assert all(folder.exists() for folder in left)  # somebody may be writing
    for folder in left:
        os.utime(folder, (time.time() - 7200,) * 2)
    open_list()
    assert not any(folder.exists() for folder in left)
    assert label.exists()


def test_a_record_that_holds_something_else_is_not_believed(open_list):
    worklist = open_list()
    path = worklist.store.output / "sourcedata" / "worklist" / "sub-VS2.json"
    for text in ("[]", '{"case": "VS-2"}', '{"case": "VS-2", "label": "VS2", "state": "half"}', "\x00" * 80):
        path.write_text(text, encoding="utf-8")
        assert open_list().record("VS-2").state.value == "todo"


def test_a_full_disk_changes_nothing_and_the_case_stays_open(open_list, monkeypatch):
    worklist = open_list()
    worklist.go_to("VS-2")
    worklist.update(clicks=1)
    before = files_in(worklist.store.output)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("VSClickCorrectLib.io.files.os.replace", full)
        for call in (lambda: worklist.update(clicks=2), lambda: worklist.done(MASK, PLAIN)):
            with pytest.raises(StorageError, match="No space left on device"):
                call()
    assert files_in(worklist.store.output) == before
    assert worklist.record("VS-2").clicks == open_list().record("VS-2").clicks == 1
    assert worklist.done(MASK, PLAIN).exists()
