"""Rounds of the simulated user, with a corrector that knows the truth and with one that knows nothing."""

from itertools import pairwise

import numpy as np
import pytest
from bright_ball import CENTER, GRID, ball, ball_case, dice
from made_results import settings
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.clicks.merging import Proposal
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.resampling import ResamplingGeometry, ResamplingGrid
from VSClickCorrectLib.inference.doubt_map import DoubtMap
from VSClickCorrectLib.inference.doubtful_places import doubtful_places
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectLib.session.oracle import Oracle
from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.evaluation.baselines import Unchanged
from VSClickCorrectResearch.evaluation.groups import by_kind
from VSClickCorrectResearch.evaluation.records import PlayedCase, RoundRecord
from VSClickCorrectResearch.evaluation.results import EvaluationResults
from VSClickCorrectResearch.evaluation.rounds import LED, USERS, Method, Play, Start, play_rounds
from VSClickCorrectResearch.simulation.hand import Hand
from VSClickCorrectResearch.simulation.led_user import clicks_near
from VSClickCorrectResearch.simulation.user import border_clicks

TRUTH = ball()
START = np.roll(ball(), (2, 3, 0), axis=(0, 1, 2))


@pytest.fixture(scope="module")
def case():
    return LabelledCase("ball", ball_case(), TRUTH)


def played(case, corrector=None, start=START, merge="progressive", first=None, initial_proposer=None, **play):
    method = Method("it", corrector or Oracle(TRUTH), merge, initial_proposer)
    return list(play_rounds(case, Start(start, click=first), method, Play(**play)))


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


class Noting(Oracle):
    """An oracle that notes which clicks it was asked about together."""

    def __init__(self, truth):
        super().__init__(truth)
        self.asked = []

    def propose(self, case, mask, clicks):
        self.asked.append(tuple(clicks))
        return super().propose(case, mask, clicks)


@pytest.mark.parametrize("together", [True, False])
def test_refused_clicks_are_counted_and_do_not_hold_up_the_others(together, case, monkeypatch):
    def check(self, clicks):
        if any(click.position_ras[2] < CENTER[2] for click in clicks):
            raise CorrectionError("there is no border here.")

    monkeypatch.setattr(CorrectionSession, "check", check)
    noting = Noting(TRUTH)
    start, first = played(case, noting, rounds=1, clicks=5, together=together)
    accepted = tuple(click for click in first.clicks if click.position_ras[2] >= CENTER[2])
    # What is applied at once stays so where one of them was refused.
    assert noting.asked == ([accepted] if together else [(click,) for click in accepted])
    monkeypatch.undo()
    refused = [click for click in first.clicks if click.position_ras[2] < CENTER[2]]
    assert 0 < first.refused == len(refused) < len(first.clicks) == 5
    assert first.scores.dice > start.scores.dice
    alone = played(case, Oracle(TRUTH), rounds=1, clicks=5, together=False)[1]
    assert first.clicks == alone.clicks


def test_first_click_is_part_of_the_start_and_stands_in_the_rounds_after_it(case):
    asked = []

    def initial_proposer(case, click, *_):
        asked.append(click)
        box = case.grid.box_around(click.position_ras, 4.0)
        return Proposal(click, box, np.ones(box.shape, np.float32))

    click = Click(CENTER, ClickKind.INCLUDE)
    start, first = played(
        case, start=np.zeros_like(TRUTH), first=click, initial_proposer=initial_proposer, rounds=1
    )
    assert asked == [click]
    assert start.clicks == (click,)
    assert len(start.dice) == len(start.milliseconds) == 1
    assert start.scores.dice == pytest.approx(dice(start.mask, TRUTH))
    assert start.scores.dice > 0.3
    # The next clicks are placed on what the first one made.
    assert first.clicks == tuple(border_clicks(GRID, TRUTH, start.mask, 5))
    assert first.scores.dice > start.scores.dice


def test_first_click_that_is_refused_leaves_the_mask_empty(case):
    outside = Click((1000.0, 0.0, 0.0), ClickKind.INCLUDE)
    (start,) = played(case, start=np.zeros_like(TRUTH), first=outside, rounds=0)
    assert (start.refused, start.scores.dice, start.mask.any()) == (1, 0.0, False)


def test_clicks_are_made_by_the_hand(case):
    exact = played(case, rounds=1)[1].clicks
    hand = Hand(jitter_mm=1.5, seed=3)
    shaky = [played(case, rounds=1, hand=hand)[1].clicks for _ in range(2)]
    assert shaky[0] == shaky[1]
    rng = hand.errors("ball")
    assert shaky[0] == tuple(hand.clicked(GRID, click, rng) for click in exact)
    first = Click(CENTER, ClickKind.INCLUDE)
    (start,) = played(case, start=np.zeros_like(TRUTH), first=first, hand=hand, rounds=0)
    assert start.clicks == (hand.clicked(GRID, first, hand.errors("ball")),) != (first,)


def doubter(case, mask, clicks):
    """Doubts what is wrong."""
    window = ResamplingGrid(
        GRID,
        (np.array(GRID.axial_shape) - 1) / 2,
        ResamplingGeometry(GRID.axial_shape, tuple(map(float, GRID.axial_spacing))),
    )
    wrong = (mask.values != TRUTH).astype(np.float32)
    return DoubtMap(window, *(GRID.axial_order().arranged(one) for one in (mask.values, wrong)))


@pytest.mark.parametrize("user", USERS)
def test_every_user_mends_the_mask_with_a_corrector_that_knows_the_truth(case, user):
    method = Method("it", Oracle(TRUTH), doubter=doubter)
    rounds = list(play_rounds(case, Start(START), method, Play(rounds=2, clicks=3, user=user)))
    assert all(1 <= len(one.clicks) <= 3 for one in rounds[1:2])
    assert rounds[2].scores.dice >= rounds[1].scores.dice > rounds[0].scores.dice + 0.05


def test_who_is_led_clicks_near_what_the_networks_doubt(case):
    method = Method("it", Oracle(TRUTH), doubter=doubter)
    _, first = play_rounds(case, Start(START), method, Play(rounds=1, clicks=3, user=LED))
    places = doubtful_places(doubter(None, ArrayMask(GRID, START), ()))[:3]
    assert first.clicks == tuple(clicks_near(GRID, TRUTH, START, [place.position_ras for place in places]))


def test_without_doubts_who_is_led_clicks_nothing(case):
    _, first = play_rounds(case, Start(START), Method("it", Oracle(TRUTH)), Play(rounds=1, user=LED))
    assert first.clicks == ()
    np.testing.assert_array_equal(first.mask, START)


class Spoiling(Oracle):
    """An oracle that says the opposite of the truth."""

    def __init__(self):
        super().__init__(~TRUTH)


@pytest.mark.parametrize("together", [True, False])
def test_rounds_and_clicks_that_were_refused_are_not_counted_as_harmless(together):
    far = np.zeros_like(TRUTH)
    far[-2:, -3:, -3:] = True
    records = []
    for name, start in (("near", TRUTH & START), ("far", far)):
        case = LabelledCase(name, ball_case(), TRUTH)
        rounds = played(case, Spoiling(), start, "replace", rounds=1, clicks=3, together=together)
        numbers = tuple(
            RoundRecord(len(r.clicks), r.scores, r.dice, r.milliseconds, r.refused) for r in rounds
        )
        records.append(PlayedCase(name, 1000.0, {"it": numbers}))
    near, nothing = (record.rounds["it"][1] for record in records)
    assert (near.clicks, near.applied, nothing.clicks, nothing.applied) == (3, 3, 3, 0)
    results = EvaluationResults(settings(rounds=1, one_by_one=not together), records)
    # Of two rounds in which somebody clicked one was corrected, and that one did harm.
    assert results.worsened("it").rounds == 1.0
    fell = [b - a < -0.001 for a, b in pairwise([records[0].rounds["it"][0].scores.dice, *near.dice])]
    assert results.worsened("it").clicks == (None if together else sum(fell) / 3)
    assert [one.worse for one in by_kind(results, "it")] == [1.0]
