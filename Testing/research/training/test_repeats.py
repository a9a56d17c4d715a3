"""Experiments of several seeds: each trained once, each scored on cases that chose nothing."""

import json
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
from bright_ball import GRID, ball, ball_case
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectResearch.training.experiments import Course, Examples, Experiment, Objective
from VSClickCorrectResearch.training.repeats import Cohorts, Repeated, trials
from VSClickCorrectResearch.training.schedule import Machine
from VSClickCorrectResearch.training.train import held_back_of, network_of

CUTS = Experiment(
    name="cuts",
    role="corrector",
    network={"name": "attention_unet2d", "in_channels": 3, "channels": [8, 16]},
    geometry={"size": 16, "pixel_mm": 1.5},
    loss=Objective("dice"),
    examples=Examples(masks=1, missing_t1ce=0.0, missing_t2=0.0),
    course=Course(batch=2, steps=2, val_every=1),
)
# The same network for other cuts.
LATER = replace(CUTS, name="later", init_from="cuts", examples=replace(CUTS.examples, clicks="drawn"))


def cohort(folder, count, radius):
    folder.mkdir()
    case = ball_case()
    for n in range(count):
        arrays = {
            "t1ce": case.t1ce.array,
            "t2": case.t2.array,
            "truth": ball(radius=radius),
            "affine": GRID.affine,
        }
        np.savez(folder / f"case-{n:05d}.npz", **arrays)
    return folder


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    """Balls of other sizes for the test."""
    folder = tmp_path_factory.mktemp("cohorts")
    learnt, chosen = (cohort(folder / name, 1, 7.0) for name in ("training", "validation"))
    return Cohorts(learnt, chosen, cohort(folder / "test", 2, 9.0))


@pytest.fixture(scope="module")
def done(cohorts, tmp_path_factory):
    runs = tmp_path_factory.mktemp("runs")
    rows = [Repeated(CUTS, CUTS), Repeated(CUTS, LATER), Repeated(LATER, LATER)]
    return rows, runs, list(trials(rows, (0, 1), cohorts, runs, machine=Machine(1)))


def forget(runs, copy, *names):
    """Copy trainings whose results do not tell what stands there by these names, one within the other."""
    shutil.copytree(runs, copy, dirs_exist_ok=True)
    for path in copy.rglob("result.json"):
        result = told = json.loads(path.read_text())
        for name in names[:-1]:
            told = told[name]
        del told[names[-1]]
        path.write_text(json.dumps(result))


def test_every_row_has_every_seed(done):
    _, _, found = done
    names = ["cuts", "cuts on later", "later"]
    assert [(one.name, one.seed) for one in found] == [(name, seed) for seed in (0, 1) for name in names]
    assert all([step for step, _ in one.course] == [1, 2] for one in found)
    assert all((one.steps, one.batch) == (2, 2) for one in found)


def test_scores_are_those_of_the_kept_weights_on_the_test_cases(done, cohorts):
    _, runs, found = done
    network = network_of(CUTS, runs / "train-cuts-1" / "best.safetensors").eval()
    for trial, scored in ((found[3], CUTS), (found[4], LATER)):
        expected = held_back_of(scored, cohorts.test).dice(network)
        assert list(trial.dice) == ["case-00000", "case-00001"]
        for name, values in trial.dice.items():
            assert values == pytest.approx(expected[name].mean(axis=0), abs=1e-4)
    assert found[3].dice != found[4].dice


def test_what_goes_on_from_another_begins_with_its_weights_of_the_same_seed(done, cohorts, tmp_path):
    """Without the other's weights there is nothing to begin with."""
    with pytest.raises(Exception, match="train-cuts-0"):
        list(trials([Repeated(LATER, LATER)], (0,), cohorts, tmp_path, machine=Machine(1)))


def test_called_again_it_trains_and_writes_nothing(done, cohorts):
    rows, runs, found = done
    written = {path: os.stat(path).st_mtime_ns for path in runs.rglob("*") if path.is_file()}
    assert list(trials(rows, (0, 1), cohorts, runs, machine=Machine(1))) == found
    assert {path: os.stat(path).st_mtime_ns for path in runs.rglob("*") if path.is_file()} == written


def test_results_of_an_experiment_that_was_changed_since_are_refused(done, cohorts):
    _, runs, _ = done
    changed = replace(CUTS, loss=Objective("correction"))
    with pytest.raises(ModelError, match="train-cuts-0 holds a training of another 'cuts'"):
        list(trials([Repeated(changed, changed)], (0,), cohorts, runs, machine=Machine(1)))


@pytest.mark.parametrize(
    "change",
    [
        {"network": {**CUTS.network, "dropout": 0.4}},
        {"geometry": {**CUTS.geometry, "slice_mm": 2.0}},
        {"loss": Objective("dice", parameters={"smooth": 2.0})},
    ],
)
def test_what_a_file_says_besides_makes_it_another_experiment(done, cohorts, change):
    _, runs, _ = done
    changed = replace(CUTS, **change)
    with pytest.raises(ModelError, match="train-cuts-0 holds a training of another 'cuts'"):
        list(trials([Repeated(changed, changed)], (0,), cohorts, runs, machine=Machine(1)))


def test_a_later_addition_must_say_what_was_done_before(done, cohorts, tmp_path):
    rows, runs, _ = done
    forget(runs, tmp_path, "experiment", "examples", "missing_t1ce")
    with pytest.raises(ModelError, match="train-cuts-0 holds a training of another 'cuts'"):
        list(trials(rows, (0, 1), cohorts, tmp_path, machine=Machine(1)))


@pytest.mark.parametrize("which", ["training", "validation"])
def test_results_of_other_cases_are_refused(done, cohorts, tmp_path, which):
    rows, runs, _ = done
    other = replace(cohorts, **{which: cohort(tmp_path / "other", 2, 7.0)})
    with pytest.raises(ModelError, match=f"another 'cuts': its {which} was another"):
        list(trials(rows, (0, 1), other, runs, machine=Machine(1)))


def test_results_of_another_precision_are_refused(done, cohorts):
    rows, runs, _ = done
    with pytest.raises(ModelError, match="another 'cuts': its precision was another"):
        list(trials(rows, (0, 1), cohorts, runs, machine=Machine(1, "bfloat16")))


def test_results_that_do_not_tell_of_their_cases_are_kept(done, cohorts, tmp_path):
    rows, runs, found = done
    forget(runs, tmp_path, "made_of")
    assert list(trials(rows, (0, 1), cohorts, tmp_path, machine=Machine(1))) == found


def test_what_was_scored_on_other_cases_is_scored_anew(done, cohorts, tmp_path):
    rows, runs, found = done
    shutil.copytree(runs, tmp_path / "runs")
    other = replace(cohorts, test=cohort(tmp_path / "other", 3, 8.0))
    again = list(trials(rows, (0, 1), other, tmp_path / "runs", machine=Machine(1)))
    assert all(list(one.dice) == [f"case-{n:05d}" for n in range(3)] for one in again)
    assert [one.course for one in again] == [one.course for one in found]


def test_what_was_scored_as_another_experiment_is_scored_anew(done, cohorts, tmp_path):
    """Of the row whose examples are another's the training is the same."""
    _, runs, found = done
    shutil.copytree(runs, tmp_path, dirs_exist_ok=True)
    fewer = replace(LATER, examples=replace(LATER.examples, apart_mm=9.0))
    (again,) = trials([Repeated(CUTS, fewer)], (0,), cohorts, tmp_path, machine=Machine(1))
    assert again.name == found[1].name and again.dice != found[1].dice


def test_results_that_do_not_tell_of_a_later_addition_are_kept(done, cohorts, tmp_path):
    rows, runs, found = done
    forget(runs, tmp_path, "experiment", "examples", "cubes")
    assert list(trials(rows, (0, 1), cohorts, tmp_path, machine=Machine(1))) == found
