"""A case that is open while its drive fills up, becomes read-only or goes away: told, and tried again."""

import os
import time

import numpy as np
import pytest
from drives import as_nobody
from volume_files import PLAIN, SHAPE, blob
from VSClickCorrectLib.errors import VSClickError
from VSClickCorrectLib.io.images import read_mask
from VSClickCorrectLib.worklist.records import CaseState
from VSClickCorrectLib.worklist.worklist import Worklist

MASK = blob()
OTHER = ~MASK


def failed(worklist):
    worklist.opened.decide(CaseState.FAILED, "unreadable")
    worklist.close()


ACTIONS = {
    "update": lambda worklist: worklist.update(clicks=2, comment="more"),
    "keep": lambda worklist: worklist.opened.keep(OTHER, PLAIN),
    "done": lambda worklist: worklist.done(OTHER, PLAIN),
    "skip": lambda worklist: worklist.skip("unclear"),
    "fail": failed,
    "start over": lambda worklist: worklist.opened.start_over(),
    "next": lambda worklist: worklist.next(),
    "go to": lambda worklist: worklist.go_to("VS-9"),
    "close": lambda worklist: worklist.close(),
}
# The label's sidecar goes, so the record fits even on a full disk.
FREES_ROOM = {"skip", "fail", "start over"}
AWAY = {
    "full": (lambda drive: drive.fill(), lambda drive: drive.make_room()),
    "read-only": (lambda drive: drive.become_read_only(), lambda drive: drive.become_read_only(False)),
    "gone": (lambda drive: drive.vanish(), lambda drive: drive.come_back()),
}


@pytest.fixture
def drive(make_drive):
    return make_drive(96)


@pytest.fixture
def worklist(folder, drive, clock):
    """On the drive, with the first case open: one click, a label, and a mask that was kept after it."""
    worklist = Worklist.open(folder, drive.folder / "out", "AB", clock)
    worklist.go_to("VS-2")
    worklist.update(clicks=1)
    worklist.done(np.zeros(SHAPE, bool), PLAIN)
    worklist.go_to("VS-2")
    worklist.opened.keep(MASK, PLAIN)
    worklist.update(clicks=1, volume_mm3=3.0)
    return worklist


def files_in(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name != "ballast"}


def the_sentence(action, worklist):
    """Do what must fail; return what is said."""
    with pytest.raises(VSClickError) as told:
        ACTIONS[action](worklist)
    sentence = str(told.value)
    assert sentence.endswith(".") and "\n" not in sentence
    return sentence


@pytest.mark.parametrize("away", AWAY)
@pytest.mark.parametrize("action", [name for name in ACTIONS if name != "close"])
def test_what_fails_is_told_and_works_once_the_drive_does(worklist, drive, action, away):
    leave, come_back = AWAY[away]
    record = worklist.record("VS-2")
    leave(drive)
    if away == "full" and action in FREES_ROOM:
        ACTIONS[action](worklist)
        return
    the_sentence(action, worklist)
    assert worklist.current.name == "VS-2"
    assert worklist.record("VS-2") == record
    come_back(drive)
    np.testing.assert_array_equal(worklist.opened.saved_mask(PLAIN), MASK)
    ACTIONS[action](worklist)
    left = Worklist.open(worklist.cases[0].t1ce.parents[1], worklist.store.output, "CD")
    states = {"done": "done", "skip": "skipped", "fail": "failed"}
    assert left.record("VS-2").state.value == states.get(action, "in work")
    if action == "done":
        np.testing.assert_array_equal(read_mask(worklist.label_path("VS-2"), PLAIN), OTHER)


@pytest.mark.parametrize("away", AWAY)
def test_a_case_whose_time_cannot_be_written_stays_ours_or_is_free(worklist, drive, away):
    leave, come_back = AWAY[away]
    leave(drive)
    if away == "gone":
        # Whoever cannot be reached holds nothing.
        worklist.close()
        assert worklist.current is None
        come_back(drive)
        return
    the_sentence("close", worklist)
    assert worklist.current.name == "VS-2"
    come_back(drive)
    worklist.close()
    assert worklist.current is None


def test_work_goes_on_in_a_folder_that_was_emptied(worklist):
    for path in files_in(worklist.store.output):
        path.unlink()
    worklist.opened.keep(OTHER, PLAIN)
    worklist.update(clicks=5)
    assert worklist.record("VS-2").clicks == 5
    np.testing.assert_array_equal(read_mask(worklist.done(OTHER, PLAIN), PLAIN), OTHER)


def test_somebody_without_permission_is_told(folder, tmp_path, clock):
    Worklist.open(folder, tmp_path / "out", "AB", clock).close()
    for place in [tmp_path, *list(tmp_path.parents)[:3]]:
        place.chmod(0o755)

    def act():
        try:
            Worklist.open(folder, tmp_path / "out", "CD", clock).go_to("VS-2")
        except VSClickError as error:
            return str(error)
        return "opened"

    assert as_nobody(act).startswith(f"cannot write into {tmp_path / 'out'}")


def test_clicks_that_follow_each_other_do_not_ask_a_slow_drive_for_its_time_each(worklist, clock):
    lock = worklist.store.lock_path(worklist.current.label)

    def age_after_a_click(seconds):
        """Let time pass and a click be told; return how long ago the lock says that its holder was there."""
        then = time.time() - 300
        os.utime(lock, (then, then))
        clock.now += seconds
        worklist.update(clicks=worklist.record("VS-2").clicks + 1)
        return time.time() - lock.stat().st_mtime

    assert age_after_a_click(31) < 60
    assert age_after_a_click(5) > 200
    # At work or not, others hear of it as often.
    assert age_after_a_click(25) < 60
