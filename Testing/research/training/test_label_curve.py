"""Pipelines of few and of many labelled cases: the same cases for both networks, nothing trained twice."""

import json
import os
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from bright_ball import GRID, ball, ball_case
from safetensors.torch import load_file, save_file
from small_experiments import experiment_text, write_balls
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.plain_segmenter import Model, PlainSegmenter
from VSClickCorrectResearch.datasets.cases import list_cases
from VSClickCorrectResearch.evaluation.metrics import dice
from VSClickCorrectResearch.training.experiments import read_experiment
from VSClickCorrectResearch.training.label_curve import label_curve
from VSClickCorrectResearch.training.repeats import Cohorts
from VSClickCorrectResearch.training.schedule import Machine
from VSClickCorrectResearch.training.train import chosen_cases


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return write_balls(tmp_path_factory.mktemp("cohort"), 3)


@pytest.fixture(scope="module")
def experiments(tmp_path_factory):
    folder = tmp_path_factory.mktemp("experiments")
    (folder / "start.toml").write_text(experiment_text("initial", geometry={"spacing": [1.0, 1.0, 1.0]}))
    (folder / "mend.toml").write_text(experiment_text("corrector"))
    return read_experiment(folder / "start.toml"), read_experiment(folder / "mend.toml")


def test_fewer_cases_are_a_part_of_more(cohort):
    cases = list_cases(cohort)
    names = [[case.name for case in chosen_cases(cases, n, seed=4)] for n in (1, 2, 0)]
    assert names[0] == names[1][:1]
    assert names[2] == [case.name for case in cases]
    assert len({tuple(c.name for c in chosen_cases(cases, 2, seed)) for seed in range(20)}) > 1


def test_every_pipeline_is_played_on_every_test_case_and_kept(cohort, experiments, tmp_path):
    cohorts, runs = Cohorts(cohort, cohort, cohort), tmp_path / "curve"
    arguments = ([experiments[0]], experiments[1], (1, 2), (0,), cohorts, runs, Machine(1))
    points = list(label_curve(*arguments))
    assert [(p.cases, p.seed) for p in points] == [(1, 0), (2, 0)]
    assert all(list(p.dice) == [f"case-{n:05d}" for n in range(3)] for p in points)
    assert all(len(rounds) == 4 for p in points for rounds in p.dice.values())
    assert all(list(p.courses) == ["start", "mend"] for p in points)
    for point, name in product(points, ("start", "mend")):
        log = (runs / f"train-{name}-{point.cases}-0" / "log.jsonl").read_text(encoding="utf-8").splitlines()
        looks = [json.loads(line) for line in log if "score" in line]
        assert point.courses[name] == [[one["step"], round(one["score"], 4)] for one in looks] != []
    written = {path: os.stat(path).st_mtime_ns for path in runs.rglob("*") if path.is_file()}
    assert list(label_curve(*arguments)) == points
    assert {path: os.stat(path).st_mtime_ns for path in written} == written


def test_what_was_played_with_other_weights_or_on_other_cases_is_played_anew(cohort, experiments, tmp_path):
    cohorts = Cohorts(cohort, cohort, cohort)
    arguments = ([experiments[0]], experiments[1], (1,), (0,))
    (first,) = label_curve(*arguments, cohorts, tmp_path, Machine(1))
    best = tmp_path / "train-start-1-0" / "best.safetensors"
    # What was outside is inside, and the other way round.
    tensors = {name: -one if name.startswith("head") else one for name, one in load_file(best).items()}
    save_file(tensors, best)
    (second,) = label_curve(*arguments, cohorts, tmp_path, Machine(1))
    assert second.dice["case-00000"][0] != first.dice["case-00000"][0]
    (tmp_path / "two").mkdir()
    (third,) = label_curve(
        *arguments, replace(cohorts, test=write_balls(tmp_path / "two", 2)), tmp_path, Machine(1)
    )
    assert third.dice == {name: second.dice[name] for name in ("case-00000", "case-00001")}


def test_more_cases_than_there_are_are_refused_before_anything_is_trained(cohort, experiments, tmp_path):
    cohorts = Cohorts(cohort, cohort, cohort)
    with pytest.raises(ImageError, match="4 cases are to be learned from, but there are only 3"):
        next(label_curve([experiments[0]], experiments[1], (1, 4), (0,), cohorts, tmp_path, Machine(1)))
    assert not list(tmp_path.iterdir())


def test_beginning_is_what_the_initial_model_takes_for_tumour(cohort, experiments, tmp_path):
    (point,) = label_curve(
        [experiments[0]], experiments[1], (1,), (0,), Cohorts(cohort, cohort, cohort), tmp_path, Machine(1)
    )
    models = ModelFolder(tmp_path / "model-start-1-0")
    entry = models.entry("initial")
    segmenter = PlainSegmenter(Model(entry, models.load(entry, torch.device("cpu"))))
    case, tumour = ball_case(), Box.of_array(ball())
    window = segmenter.window(case, tumour)
    found = np.zeros(GRID.shape, bool)
    found[window.box.slices] = segmenter.probability(case, window) >= 0.5
    assert point.dice["case-00000"][0] == round(dice(found, ball()), 4)
    assert point.dice["case-00000"][0] != pytest.approx(dice(np.ones_like(found), ball()), abs=1e-3)
