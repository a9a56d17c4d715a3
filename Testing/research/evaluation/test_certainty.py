"""Certainty: coefficients of a logistic regression, learnt from candidates that are right or wrong."""

import numpy as np
import pytest
from bright_ball import GRID, ball, ball_case
from handmade_models import read_manifest
from scipy import ndimage
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.initial_mask import chance_of
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.evaluation.certainty import (
    Candidate,
    candidates_of,
    fit_certainty,
    write_certainty,
)

# Of a hundred with a T1ce nine in ten are right, of a hundred without one three in ten.
WITH_AND_WITHOUT = [(True, n % 10 != 0) for n in range(100)] + [(False, n % 10 < 3) for n in range(100)]


def drawn(count, rng):
    """Candidates whose chance to be right is known: logit 8 confidence - 5, whatever the volume."""
    for confidence in rng.uniform(0.3, 1.0, count):
        chance = 1 / (1 + np.exp(5 - 8 * confidence))
        yield Candidate(confidence, float(rng.uniform(20, 5000)), 0.5, True, bool(rng.random() < chance))


def chance_by_hand(certainty, confidence, volume):
    logit = (
        certainty["intercept"]
        + certainty["t1ce"]
        + certainty["confidence"] * confidence
        + certainty["log_volume"] * np.log(volume / 100)
        + certainty["located_log_odds"] * 0.0  # of one half
    )
    return 1 / (1 + np.exp(-logit))


def test_confidence_decides_where_the_volume_says_nothing():
    certainty = fit_certainty(list(drawn(3000, np.random.default_rng(0))))
    assert chance_by_hand(certainty, 0.95, 500) > 0.8
    assert chance_by_hand(certainty, 0.35, 500) < 0.35
    # Half of them are right at 5 / 8.
    assert chance_by_hand(certainty, 0.625, 500) == pytest.approx(0.5, abs=0.1)
    assert abs(certainty["log_volume"]) < 0.1


def test_what_the_locator_saw_decides_where_the_rest_is_alike():
    # Right are those in which it saw 0.99 or more.
    located = 1 / (1 + np.exp(-np.linspace(2.2, 7.0, 40)))
    certainty = fit_certainty([Candidate(0.8, 500.0, float(p), True, bool(p > 0.99)) for p in located])
    coefficient = certainty["located_log_odds"]
    assert coefficient > 3 > abs(certainty["confidence"])
    middle = certainty["intercept"] + certainty["t1ce"]
    middle += 0.8 * certainty["confidence"] + np.log(5) * certainty["log_volume"]
    assert -middle / coefficient == pytest.approx(np.log(99), abs=0.2)


def test_small_specks_are_less_sure_where_they_were_wrong():
    candidates = [Candidate(0.8, volume, 0.5, True, volume > 100) for volume in np.geomspace(5, 5000, 40)]
    certainty = fit_certainty(candidates)
    assert chance_by_hand(certainty, 0.8, 3000) > 0.75
    assert chance_by_hand(certainty, 0.8, 10) < 0.25


@pytest.mark.parametrize("right", [[True] * 12, [False] * 12, [True, False]])
def test_too_few_or_one_sided_candidates_are_refused(right):
    with pytest.raises(ModelError, match="too few to calibrate"):
        fit_certainty([Candidate(0.5, 100.0, 0.5, True, one) for one in right])


def test_a_candidate_is_right_where_the_truth_is(bright_models):
    segmenter = InitialSegmenter.load(ModelFolder(bright_models))
    found, *_ = candidates_of(LabelledCase("ball", ball_case(), ball()), segmenter)
    assert found.right
    assert found.volume_mm3 == pytest.approx(ball().sum() * GRID.voxel_volume, rel=0.15)
    elsewhere = np.roll(ball(), 20, axis=2)
    found, *_ = candidates_of(LabelledCase("ball", ball_case(), elsewhere), segmenter)
    assert not found.right


def test_a_candidate_is_right_where_it_is_the_smaller_of_two_tumours(bright_models):
    segmenter = InitialSegmenter.load(ModelFolder(bright_models))
    truth = ball()
    # Away from the ball that is seen, a block of three times its size: a DSC of 0.4 with both together.
    truth.reshape(-1)[np.flatnonzero(~ndimage.binary_dilation(truth, iterations=4))[: 3 * truth.sum()]] = True
    found, *_ = candidates_of(LabelledCase("two", ball_case(), truth), segmenter)
    assert found.right


def test_a_case_is_looked_at_with_each_sequence_alone_too(bright_models):
    segmenter = InitialSegmenter.load(ModelFolder(bright_models))
    case = ball_case()
    assert set(case.present) == {"t1ce", "t2"}
    # The ball is seen in both sequences together, in the T2 and in the T1ce.
    found = list(candidates_of(LabelledCase("ball", case, ball()), segmenter))
    assert [one.t1ce for one in found] == [True, False, True]
    alone = LabelledCase("ball", Case(case.t1ce), ball())
    assert [one.t1ce for one in candidates_of(alone, segmenter)] == [True]


def test_features_tell_right_from_wrong_where_numbers_cannot_with_a_t1ce_and_without():
    """Right are those whose second feature is high with a T1ce, low without one."""
    seen = [
        (t1ce, (50.0, 3.0 + sign * away))
        for t1ce in (True, False)
        for sign in (-1, 1)
        for away in np.linspace(0.02, 0.1, 120)
    ]
    candidates = [Candidate(0.8, 500.0, 0.5, t1ce, t1ce == (one[1] > 3), one) for t1ce, one in seen]
    certainty = fit_certainty(candidates)
    chances = np.array([chance_of(one.measured, certainty) for one in candidates])
    right = np.array([one.right for one in candidates])
    np.testing.assert_array_equal(chances > 0.5, right)
    assert chances[right].mean() > 0.75 and chances[~right].mean() < 0.25
    # A feature that is always the same tells nothing.
    assert certainty["features"][0] == certainty["features_with_t1ce"][0] == 0


def test_what_lies_beyond_all_that_was_seen_counts_no_more_than_that():
    """Of a hundred and one candidates the 2nd and the 100th say how far features count."""
    values = np.linspace(0.0, 10.0, 101)
    candidates = [Candidate(0.8, 500.0, 0.5, True, value > 5, (value,)) for value in values]
    certainty = fit_certainty(candidates)
    assert certainty["features_least"] == [0.1] and certainty["features_most"] == [9.9]

    def chance(value):
        return chance_of(Candidate(0.8, 500.0, 0.5, True, True, (value,)).measured, certainty)

    assert chance(9.0) < chance(9.9) == chance(12.0) == chance(1000.0) < 1
    assert chance(1.0) > chance(0.1) == chance(-1000.0) > 0


def test_what_is_seen_without_a_t1ce_is_less_sure_where_it_was_wrong():
    candidates = [Candidate(0.8, 500.0, 0.5, t1ce, right) for t1ce, right in WITH_AND_WITHOUT]
    certainty = fit_certainty(candidates)
    chance = chance_by_hand(certainty, 0.8, 500)
    assert chance == pytest.approx(0.9, abs=0.03)
    without = np.log(chance / (1 - chance)) - certainty["t1ce"]
    assert 1 / (1 + np.exp(-without)) == pytest.approx(0.3, abs=0.03)


def test_the_manifest_gets_it_and_nothing_else_changes(own_models):
    before = read_manifest(own_models)
    certainty = {"intercept": -1.0, "confidence": 2.0, "log_volume": 0.5, "located_log_odds": 1.0}
    write_certainty(ModelFolder(own_models), "first", certainty)
    assert ModelFolder(own_models).entries["first"].certainty == certainty
    after = read_manifest(own_models)
    assert [{k: v for k, v in e.items() if k != "certainty"} for e in after] == before
