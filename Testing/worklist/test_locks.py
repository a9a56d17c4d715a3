"""Two people, one folder: who has a case, who may take it, and what the other one is told."""

import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from drives import as_nobody
from volume_files import PLAIN, blob
from VSClickCorrectLib.errors import CaseLockedError, LockLostError, StorageError, WorklistError
from VSClickCorrectLib.worklist.locks import STALE_S, CaseLock, holder_of


@pytest.fixture
def path(tmp_path):
    return tmp_path / "case.lock"


def taken(path, annotator="AB"):
    lock = CaseLock(path, annotator)
    lock.take("VS-2")
    return lock


def rewritten(path, **values):
    """Change what a lock says, and nothing of its age."""
    before = path.stat().st_mtime
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
    os.utime(path, (before, before))


def aged(path, seconds):
    then = time.time() - seconds
    os.utime(path, (then, then))


def ended_process():
    """The number of a process that has just ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_case_that_is_taken_cannot_be_taken_and_the_message_says_by_whom(path):
    taken(path)
    rewritten(path, since=datetime(2024, 5, 17, 9, 5).timestamp())
    with pytest.raises(
        CaseLockedError, match=r"AB on .* since 2024-05-17 09:05 \(last heard of at \d\d:\d\d\)"
    ) as told:
        taken(path, "CD")
    assert str(told.value).startswith("case VS-2 is open with AB on ")
    assert (told.value.case, told.value.holder) == ("VS-2", str(holder_of(path)))


def test_a_lock_of_an_earlier_version_is_known_since_it_was_heard_of(path):
    taken(path)
    content = json.loads(path.read_text())
    del content["since"]
    path.write_text(json.dumps(content))
    holder = holder_of(path)
    assert holder.since == holder.heard == path.stat().st_mtime


def test_a_lock_that_is_given_back_can_be_taken(path):
    taken(path).release()
    assert holder_of(path) is None
    assert taken(path, "CD").held


def test_the_lock_of_a_process_that_ended_is_taken_over(path):
    first = taken(path)
    rewritten(path, process=ended_process())
    second = taken(path, "CD")
    assert second.held
    assert not first.held


HOLDS = (
    "import sys; from pathlib import Path\n"
    "from VSClickCorrectLib.worklist.locks import CaseLock\n"
    "CaseLock(Path(sys.argv[1]), 'AB').take('VS-2')\n"
    "print('held', flush=True); sys.stdin.readline()"
)
TAKES = (
    "import sys; from pathlib import Path\n"
    "from VSClickCorrectLib.errors import CaseLockedError\n"
    "from VSClickCorrectLib.worklist.locks import CaseLock\n"
    "try:\n    CaseLock(Path(sys.argv[1]), 'CD').take('VS-2')\n"
    "except CaseLockedError:\n    print('locked')\n"
    "else:\n    print('taken over')"
)
APART = ("unshare", "--pid", "--fork", "--mount-proc")


def can_be_apart():
    try:
        return subprocess.run([*APART, "true"], check=False, capture_output=True).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(not can_be_apart(), reason="containers' own process numbers need Linux and rights")
@pytest.mark.parametrize("holds_apart", [False, True])
def test_a_living_holder_whose_number_another_container_does_not_know_is_not_gone(path, holds_apart):
    holding = [*(APART if holds_apart else ()), sys.executable, "-c", HOLDS, str(path)]
    taking = [*(() if holds_apart else APART), sys.executable, "-c", TAKES, str(path)]
    with subprocess.Popen(holding, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        if holds_apart:
            # No other process of this computer has the number that it has in its container.
            rewritten(path, process=ended_process())
        assert subprocess.run(taking, check=True, capture_output=True, text=True).stdout == "locked\n"
        holder.stdin.write("\n")


@pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere a computer's processes have one space of numbers"
)
@pytest.mark.parametrize("space", ["another boot pid:[4026531836]", ""])
def test_a_lock_of_another_space_of_process_numbers_holds_until_it_was_not_heard_of_for_long(path, space):
    # An earlier version wrote none.
    taken(path)
    rewritten(path, process=ended_process(), space=space)
    aged(path, STALE_S - 60)
    with pytest.raises(CaseLockedError):
        taken(path, "CD")
    aged(path, STALE_S + 60)
    assert taken(path, "CD").held


def test_a_lock_of_another_computer_holds_until_it_was_not_heard_of_for_long(path):
    taken(path)
    rewritten(path, host="elsewhere", process=ended_process())
    aged(path, STALE_S - 60)
    with pytest.raises(CaseLockedError):
        taken(path, "CD")
    aged(path, STALE_S + 60)
    assert taken(path, "CD").held


def test_a_beat_keeps_a_lock_young(path):
    lock = taken(path)
    aged(path, STALE_S + 60)
    lock.heartbeat()
    assert not holder_of(path).is_gone(time.time())


def test_a_beat_keeps_a_lock_young_where_nothing_new_can_be_made_beside_it(path):
    """As on a drive that has no more room for this user; the drive cannot be asked for its time then."""
    folder = path.parent / "theirs"

    def act():
        folder.mkdir()
        lock = taken(folder / path.name)
        aged(lock.path, STALE_S + 60)
        folder.chmod(0o555)
        lock.heartbeat()
        return str(lock.holder.is_gone(time.time()))

    for above in list(path.parents)[:4]:
        above.chmod(0o777)
    assert as_nobody(act) == "False"


@pytest.mark.parametrize("wrong", [-3600.0, 3600.0])
def test_a_beat_is_of_the_drive_s_clock_where_the_computer_s_is_wrong(path, monkeypatch, wrong):
    """Windows and SMB date what is touched by the computer's clock, what is made by the drive's."""
    really, clock = os.utime, time.time

    def by_the_computer(name, times=None, **more):
        really(name, times if times or more else (time.time(), time.time()), **more)

    monkeypatch.setattr(os, "utime", by_the_computer)
    monkeypatch.setattr(time, "time", lambda: clock() + wrong)
    lock = taken(path)
    lock.heartbeat()
    holder = holder_of(path)
    for told in (holder.heard, holder.since):
        assert told == pytest.approx(clock(), abs=60)
    rewritten(path, host="elsewhere")
    with pytest.raises(CaseLockedError):
        taken(path, "CD")
    aged(path, STALE_S + 60 + wrong)
    assert taken(path, "CD").held


def test_one_may_take_over_on_purpose_and_the_other_one_does_no_harm(path):
    first, second = taken(path), CaseLock(path, "CD")
    second.take("VS-2", take_over=True)
    assert not first.held
    aged(path, 100)
    first.heartbeat()
    assert time.time() - path.stat().st_mtime > 90
    first.release()
    assert second.held


@pytest.mark.parametrize("content", ["", '{"annotator": "AB"', "[]", '{"host": 3}'])
def test_a_lock_cut_short_counts_as_somebodys_until_it_is_old(path, content):
    path.write_text(content)
    with pytest.raises(CaseLockedError, match="somebody on another computer"):
        taken(path)
    aged(path, STALE_S + 60)
    assert taken(path).held


def test_of_many_who_try_at_once_one_gets_the_case_even_a_stale_one(path):
    program = (
        "import sys, time; from pathlib import Path\n"
        "from VSClickCorrectLib.worklist.locks import CaseLock\n"
        "from VSClickCorrectLib.errors import CaseLockedError\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "try:\n    CaseLock(Path(sys.argv[1]), 'AB').take('VS-2')\n"
        "except CaseLockedError:\n    print('taken', flush=True)\n"
        "else:\n    print('mine', flush=True)\n"
        "sys.stdin.readline()"
    )
    taken(path)
    rewritten(path, host="elsewhere")
    aged(path, STALE_S + 60)
    rivals = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    try:
        for rival in rivals:
            assert rival.stdout.readline() == "ready\n"
        for rival in rivals:
            rival.stdin.write("go\n")
            rival.stdin.flush()
        assert sorted(rival.stdout.readline() for rival in rivals) == ["mine\n", "taken\n", "taken\n"]
    finally:
        for rival in rivals:
            rival.communicate("end\n")


def test_a_stale_lock_is_taken_by_one_alone_however_often_many_try(path):
    """A second one must not remove what the first has just put in the stale lock's place."""
    rivals = 8
    start = threading.Barrier(rivals)

    def tries(number):
        start.wait()
        try:
            CaseLock(path, str(number)).take("VS-2")
        except CaseLockedError:
            return 0
        return 1

    with ThreadPoolExecutor(rivals) as pool:
        for _ in range(60):
            path.unlink(missing_ok=True)
            taken(path)
            rewritten(path, host="elsewhere")
            aged(path, STALE_S + 60)
            assert sum(pool.map(tries, range(rivals))) == 1
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_two_worklists_on_one_folder_share_the_cases_out(open_list):
    first, second = open_list("AB"), open_list("CD")
    assert [first.next().name, second.next().name] == ["VS-2", "VS-9"]
    holders = {row.case.name: row.holder for row in second.rows()}
    assert holders["VS-2"].startswith("AB on ")
    assert holders["VS-9"] == holders["VS-10"] == ""
    with pytest.raises(CaseLockedError, match="case VS-2 is open with AB"):
        second.go_to("VS-2")
    assert second.current.name == "VS-9"
    first.done(blob(), PLAIN)
    second.done(blob(), PLAIN)
    assert {first.next().name, second.next()} == {"VS-10", None}
    assert str(first.progress()) == "2 of 3 done, 1 in work"
    assert str(second.progress()) == "2 of 3 done, 1 in work; 1 open with others"


def test_who_was_taken_over_from_is_told_and_can_change_nothing_any_more(open_list):
    first, second = open_list("AB"), open_list("CD")
    first.go_to("VS-2")
    first.update(clicks=2)
    second.go_to("VS-2", take_over=True)
    second.update(clicks=3)
    for call in (
        lambda: first.update(clicks=9),
        lambda: first.opened.keep(blob(), PLAIN),
        lambda: first.done(blob(), PLAIN),
        first.skip,
        first.opened.start_over,
    ):
        with pytest.raises(LockLostError, match="case VS-2 was taken over by CD on "):
            call()
    first.close()
    assert second.record("VS-2").clicks == 3
    assert second.record("VS-2").annotator == "CD"
    second.done(blob(), PLAIN)
    assert first.record("VS-2").state.value == "done"


def test_a_journals_guard_raises_once_the_case_is_taken_over_or_closed(open_list):
    first, second = open_list("AB"), open_list("CD")
    first.go_to("VS-2")
    guard, journal = first.opened.check_held, first.opened.journal()
    guard()
    second.go_to("VS-2", take_over=True)
    for write in (guard, lambda: journal.append({"event": "round", "round": 2})):
        with pytest.raises(LockLostError, match="case VS-2 was taken over by CD on "):
            write()
    assert not first.opened.journal_path.exists()
    second_guard = second.opened.check_held
    second.close()
    # Nobody holds it now, and it is not taken again.
    with pytest.raises(WorklistError, match="case VS-2 was closed"):
        second_guard()
    assert holder_of(second.store.output / "sourcedata" / "worklist" / "sub-VS2.lock") is None


def test_a_lock_that_was_tidied_away_is_taken_again(open_list):
    worklist = open_list("AB")
    worklist.go_to("VS-2")
    lock = worklist.store.output / "sourcedata" / "worklist" / "sub-VS2.lock"
    lock.unlink()
    worklist.update(clicks=1)
    assert holder_of(lock).annotator == "AB"


def test_who_comes_back_after_somebody_else_has_finished_the_case_overwrites_nothing(open_list):
    first, second = open_list("AB"), open_list("CD")
    first.go_to("VS-2")
    second.go_to("VS-2", take_over=True)
    second.done(blob(), PLAIN)
    with pytest.raises(WorklistError, match="was worked on by somebody else"):
        first.update(clicks=9)
    assert second.record("VS-2").state.value == "done"


def test_a_network_that_is_gone_is_told_as_such_and_may_come_back(open_list):
    worklist = open_list()
    worklist.go_to("VS-2")
    away = worklist.store.output.with_name("away")
    worklist.store.output.rename(away)
    with pytest.raises(WorklistError, match="cannot be reached; check the disk or the network") as told:
        worklist.update(clicks=1)
    assert not isinstance(told.value, LockLostError)
    away.rename(worklist.store.output)
    worklist.update(clicks=1)
    assert open_list().record("VS-2").clicks == 1


def full_disk(_):
    raise OSError(28, "No space left on device")


def test_a_case_that_cannot_be_begun_is_not_left_locked(open_list, monkeypatch):
    worklist = open_list("AB")
    worklist.go_to("VS-2")
    with monkeypatch.context() as patched, pytest.raises(StorageError, match="cannot write"):
        patched.setattr("VSClickCorrectLib.io.files.os.fsync", full_disk)
        worklist.go_to("VS-9")
    assert worklist.current.name == "VS-2"
    assert open_list("CD").go_to("VS-9").name == "VS-9"


def test_a_folder_that_cannot_be_written_is_told(folder, tmp_path):
    from VSClickCorrectLib.worklist.worklist import Worklist

    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be made"):
        Worklist.open(folder, tmp_path / "file")


def test_where_the_drive_knows_no_links_one_alone_gets_the_case(path, monkeypatch):
    def no_links(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("VSClickCorrectLib.worklist.locks.os.link", no_links)
    first = taken(path)
    with pytest.raises(CaseLockedError, match="open with AB"):
        taken(path, "CD")
    assert first.held
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_taking_a_lock_leaves_no_file_beside_it(path):
    taken(path)
    with pytest.raises(CaseLockedError):
        taken(path, "CD")
    assert [file.name for file in path.parent.iterdir()] == [path.name]
