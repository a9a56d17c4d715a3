"""Rounds of the simulated user, with a corrector that knows the truth and with one that knows nothing."""

import numpy as np
import pytest
from bright_ball import GRID, ball, ball_case, dice
from VSClickCorrectLib.evaluation.baselines import Unchanged
from VSClickCorrectLib.evaluation.rounds import Play, play_rounds
from VSClickCorrectLib.simulation.oracle import Oracle
from VSClickCorrectLib.simulation.user import border_clicks

TRUTH = ball()
START = np.roll(ball(), (2, 3, 0), axis=(0, 1, 2))


@pytest.fixture(scope="module")
def case():
    return ball_case()


def played(case, corrector=None, start=START, **play):
    return list(play_rounds(case, TRUTH, start, corrector or Oracle(TRUTH), Play(**play)))


def test_scores_are_those_of_the_masks_and_round_0_is_the_start(case):
    rounds = played(case, rounds=2, clicks=3)
    assert len(rounds) == 3
    assert np.array_equal(rounds[0].mask, START)
    assert (rounds[0].clicks, rounds[0].dice, rounds[0].milliseconds) == ((), (), ())
    assert [r.scores.dice for r in rounds] == pytest.approx([dice(r.mask, TRUTH) for r in rounds])
    assert rounds[1].scores.dice > rounds[0].scores.dice + 0.1


def test_clicks_of_a_round_are_placed_on_the_mask_before_it(case):
    for together in (True, False):
        rounds = played(case, rounds=2, clicks=3, together=together)
        for before, after in zip(rounds, rounds[1:], strict=False):
            assert after.clicks == tuple(border_clicks(GRID, TRUTH, before.mask, 3))


def test_one_by_one_there_is_a_score_and_a_time_for_each_click(case):
    _, first = played(case, rounds=1, clicks=4, together=False)
    assert len(first.clicks) == len(first.dice) == len(first.milliseconds) == 4
    assert first.dice[-1] == first.scores.dice
    assert sorted(first.dice) == list(first.dice)
    _, at_once = played(case, rounds=1, clicks=4)
    assert (len(at_once.clicks), len(at_once.dice), len(at_once.milliseconds)) == (4, 1, 1)


def test_user_who_finds_nothing_wrong_does_not_click(case):
    rounds = played(case, start=TRUTH, rounds=2)
    assert all(r.clicks == r.dice == r.milliseconds == () for r in rounds)
    assert [r.scores.dice for r in rounds] == [1.0] * 3


def test_start_is_not_changed_and_masks_are_not_shared(case):
    start = START.copy()
    rounds = played(case, start=start, rounds=2)
    assert np.array_equal(start, START)
    assert not np.array_equal(rounds[1].mask, rounds[0].mask)
    same = played(case, Unchanged(), rounds=2, merge="replace")
    assert all(np.array_equal(r.mask, START) for r in same)
    assert [len(r.clicks) for r in same] == [0, 5, 5]
