"""Experiments on bright balls: who plays, on what, from where, and that nothing is played twice."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from bright_ball import GRID, SHAPE, ball, ball_case, dice
from made_results import SETTINGS
from VSClickCorrectLib.clicks.merging import Proposal
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.evaluation.baselines import Disc, Unchanged
from VSClickCorrectResearch.evaluation.experiment import (
    EvaluationRun,
    click_anywhere_inside,
    click_in_the_middle,
    given_mask,
    initial_mask,
    perturbed_truth,
)
from VSClickCorrectResearch.evaluation.records import RecordFolder
from VSClickCorrectResearch.evaluation.rounds import Method, Play, Start
from VSClickCorrectResearch.simulation.hand import Hand

START = np.roll(ball(), 3, axis=2)
CASE = LabelledCase("a", ball_case(), ball(), START)
METHODS = [Method("disc", Disc(), "replace"), Method("none", Unchanged(), "replace")]


def lazy(case, loaded=None, files=None, kind=None):
    """A case that writes down when it is loaded."""

    def load():
        if loaded is not None:
            loaded.append(case.name)
        return case

    return SimpleNamespace(name=case.name, load=load, files=files or {}, kind=kind)


def experiment(start_of=given_mask, sequences="both", **play):
    return EvaluationRun(METHODS, start_of, sequences, Play(**({"rounds": 2, "clicks": 3} | play)))


def recorded(run, cases, folder):
    """Yield the record of each case in turn."""
    return (run.record(case, folder) for case in cases)


@pytest.fixture
def folder(tmp_path):
    return RecordFolder(tmp_path, SETTINGS)


def test_every_method_plays_from_the_same_start(folder):
    (record,) = recorded(experiment(), [lazy(CASE)], folder)
    assert record.volume_mm3 == pytest.approx(ball().sum() * 0.75 * 0.75 * 1.5)
    assert list(record.rounds) == ["disc", "none"]
    for rounds in record.rounds.values():
        assert len(rounds) == 3
        assert rounds[0].scores.dice == pytest.approx(dice(START, ball()))
    assert record.rounds["disc"][-1].scores.dice > record.rounds["none"][-1].scores.dice + 0.02


def test_finished_cases_are_not_played_or_even_read_again(folder):
    loaded = []
    cases = [lazy(replace(CASE, name=name), loaded) for name in "abc"]
    first = recorded(experiment(), cases, folder)
    stopped = [next(first), next(first)]
    assert loaded == ["a", "b"]
    again = list(recorded(experiment(), cases, folder))
    assert loaded == ["a", "b", "c"]
    assert again[:2] == stopped


def test_case_without_a_tumour_is_not_played(folder):
    healthy = replace(CASE, truth=np.zeros(SHAPE, bool))
    (record,) = recorded(experiment(start_of=lambda case: pytest.fail("played")), [lazy(healthy)], folder)
    assert (record.volume_mm3, record.rounds) == (0.0, {})


@pytest.mark.parametrize(
    "sequences, shown", [("both", (True, True)), ("t1ce", (True, False)), ("t2", (False, True))]
)
def test_only_the_chosen_sequences_are_shown(sequences, shown, folder):
    seen = []

    def start_of(case):
        seen.append((case.case.t1ce is not None, case.case.t2 is not None))
        return Start(START)

    list(recorded(experiment(start_of, sequences), [lazy(CASE)], folder))
    assert seen == [shown]


def test_sequence_or_mask_that_a_case_lacks_is_refused_by_name(folder):
    alone = replace(CASE, case=type(CASE.case)(CASE.case.t1ce))
    with pytest.raises(ImageError, match="case a has no t2"):
        next(recorded(experiment(sequences="t2"), [lazy(alone)], folder))
    with pytest.raises(ImageError, match="case a has no mask to begin with"):
        next(recorded(experiment(), [lazy(replace(CASE, start=None))], folder))


def test_spoiled_start_depends_on_seed_and_name_alone():
    starts = [
        perturbed_truth(seed)(replace(CASE, name=name)).mask for seed, name in ((0, "a"), (0, "b"), (1, "a"))
    ]
    assert np.array_equal(starts[0], perturbed_truth(0)(CASE).mask)
    assert not np.array_equal(starts[0], starts[1])
    assert not np.array_equal(starts[0], starts[2])
    assert all(start.any() and start.shape == SHAPE for start in starts)


def test_first_clicks_are_those_in_the_middle_and_anywhere_inside(folder):
    def initial_proposer(case, click, *_):
        box = case.grid.box_around(click.position_ras, 3.0)
        return Proposal(click, box, np.ones(box.shape, np.float32))

    methods = [replace(method, initial_proposer=initial_proposer) for method in METHODS]
    anywhere = click_anywhere_inside(4)
    play = Play(rounds=1, clicks=3)
    played = EvaluationRun(methods, click_in_the_middle, "both", play, anywhere)
    (record,) = recorded(played, [lazy(CASE)], folder)
    assert list(record.first) == ["in the middle", "anywhere inside"]
    assert record.first["in the middle"] == record.rounds["disc"][0]
    assert record.rounds["none"][0].scores == record.rounds["disc"][0].scores
    # A cube around the click: in the middle it lies within the ball, anywhere else maybe not.
    assert record.first["anywhere inside"].scores.dice <= record.first["in the middle"].scores.dice
    voxels = GRID.ras_to_index(anywhere(CASE).click.position_ras)
    assert ball()[voxels]
    assert anywhere(CASE).click == click_anywhere_inside(4)(CASE).click
    assert anywhere(CASE).click != click_anywhere_inside(5)(CASE).click
    assert anywhere(CASE).click != anywhere(replace(CASE, name="b")).click
    assert not anywhere(CASE).mask.any()


def test_kind_and_confidence_are_recorded(folder):
    found = SimpleNamespace(on=lambda grid: START, certainty=0.75)
    network = SimpleNamespace(segment=lambda case: found)
    cases = [lazy(replace(CASE, kind="real")), lazy(replace(CASE, name="b"))]
    first, second = recorded(experiment(initial_mask(network), rounds=1), cases, folder)
    assert (first.kind, first.confidence, second.kind) == ("real", 0.75, "")
    assert first.first == {}


def test_kind_is_what_the_list_says_now_though_nothing_is_played_again(folder):
    loaded = []
    (first,) = recorded(experiment(), [lazy(CASE, loaded, kind="")], folder)
    (again,) = recorded(experiment(), [lazy(CASE, loaded, kind="phantom")], folder)
    assert loaded == ["a"]
    assert (first.kind, again.kind) == ("", "phantom")
    assert again.rounds == first.rounds


def test_hand_shakes_in_the_rounds(folder):
    exact, shaky = (
        experiment(rounds=1, hand=hand).replay(lazy(CASE))[1][1].clicks
        for hand in (Hand(), Hand(jitter_mm=1.0))
    )
    assert len(exact) == len(shaky)
    assert not set(exact) & set(shaky)


def test_replay_shows_what_was_recorded(folder):
    (record,) = recorded(experiment(), [lazy(CASE)], folder)
    case, rounds = experiment().replay(lazy(CASE))
    assert case.grid.matches(GRID)
    assert [one.scores for one in rounds] == [one.scores for one in record.rounds["disc"]]
    assert np.array_equal(rounds[0].mask, START)


def test_a_case_whose_files_changed_is_played_again(folder, tmp_path):
    loaded, path = [], tmp_path / "label"
    case = lazy(CASE, loaded, {"label": path})
    path.write_text("one")
    for _ in range(2):
        list(recorded(experiment(), [case], folder))
    assert loaded == ["a"]
    path.write_text("another")
    list(recorded(experiment(), [case], folder))
    assert loaded == ["a", "a"]
