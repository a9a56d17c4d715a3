"""A session that is killed loses at most the click in flight, and its journal alone gives the mask back."""

import random
import sys

import numpy as np
import pytest
from killed_session import GRID, START, TRUTH, actions, killed, session_on, states
from session_doubles import OracleCorrector, case_on
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectLib.session.edit import Change
from VSClickCorrectLib.session.journal import Journal
from VSClickCorrectLib.session.start_mask import restored


@pytest.fixture(scope="module")
def expected():
    return states()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and fork are there on Linux and macOS only")
def test_a_killed_session_is_there_again_up_to_the_click_in_flight(expected, tmp_path):
    chance = random.Random()
    for number in range(12):
        path = tmp_path / f"{number}.jsonl"
        kill = killed(path, chance.uniform(0.0, 0.4))
        events = Journal(path).events
        assert len(events) - kill.told in (0, 1)
        np.testing.assert_array_equal(restored(events, GRID), expected[len(events)])


def test_a_journal_cut_anywhere_gives_the_mask_of_its_whole_lines(expected, tmp_path):
    session = session_on(Journal(tmp_path / "journal.jsonl"))
    for _ in zip(range(40), actions(session), strict=False):
        pass
    content = (tmp_path / "journal.jsonl").read_bytes()
    first = content.index(b"\n") + 1
    chance = random.Random()
    for cut in (first, len(content) - 1, *(chance.randrange(first, len(content)) for _ in range(25))):
        events = Journal(text=content[:cut].decode("utf-8")).events
        # A line of which only its end is missing is whole.
        assert len(events) - content[:cut].count(b"\n") in (0, 1)
        np.testing.assert_array_equal(restored(events, GRID), expected[len(events)])


def test_what_was_restored_goes_on_and_can_be_undone_to_the_start(tmp_path):
    path = tmp_path / "journal.jsonl"
    for _ in zip(range(60), actions(session_on(Journal(path))), strict=False):
        pass
    journal = Journal(path)
    mask = ArrayMask(GRID, restored(journal.events, GRID))
    session = CorrectionSession(case_on(GRID), mask, OracleCorrector(TRUTH), journal=journal)
    assert len(session.history.done) > 10
    while session.history.done:
        session.undo()
    painted = np.zeros(START.shape, bool)
    for event in journal.events:
        if event["event"] == "paint":
            painted[Change.from_json(event["change"]).box.slices] = True
    assert 0 < painted.sum() < 1000
    np.testing.assert_array_equal(session.mask.values[~painted], START[~painted])
