"""What a click replaces in labels: the pipeline's DSC over labelled cases and rounds of clicks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import torch
from VSClickCorrectLib.inference.corrector import Corrector
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.plain_segmenter import Model, PlainSegmenter
from VSClickCorrectLib.io.files import make_folder

from VSClickCorrectResearch.datasets.cases import list_cases
from VSClickCorrectResearch.datasets.fingerprints import sha256_of
from VSClickCorrectResearch.evaluation.rounds import Method, Play, Start, play_rounds
from VSClickCorrectResearch.evaluation.shown_tumour import shown_mask
from VSClickCorrectResearch.training.experiments import Experiment
from VSClickCorrectResearch.training.export import export
from VSClickCorrectResearch.training.kept import kept
from VSClickCorrectResearch.training.loop import BEST
from VSClickCorrectResearch.training.repeats import Cohorts, course_of, trained_once
from VSClickCorrectResearch.training.schedule import Machine
from VSClickCorrectResearch.training.told_cases import told
from VSClickCorrectResearch.training.train import chosen_cases


@dataclass(frozen=True)
class Point:
    """One pipeline: an initial model and a corrector that know the same labelled cases.

    Parameters
    ----------
    initial, corrector : str
        Names of the experiments.
    cases : int
        Labelled cases from which both have learnt; those of the validation, which chose weights, not counted.
    seed : int
        Of the choice of those cases and of both trainings.
    dice : dict
        Of each test case, the DSC of the initial mask and after each round of clicks.
    courses : dict
        Of each of the two experiments, steps and the validation score after each, as of a `Trial`.
    """

    initial: str
    corrector: str
    cases: int
    seed: int
    dice: dict[str, list[float]]
    courses: dict[str, list[list[float]]]


def label_curve(
    initials: Sequence[Experiment],
    corrector: Experiment,
    sizes: Sequence[int],
    seeds: Sequence[int],
    cohorts: Cohorts,
    runs: Path,
    machine: Machine,
) -> Iterator[Point]:
    """Train a pipeline of each kind on each number of cases, and play rounds of clicks on the test cases.

    The initial model is shown what lies around the tumour, as in the thesis, which centres volumes on it.
    Called again with the same ``runs``, it goes on where it stopped; what was played with other weights or on
    other test cases is played anew.

    Parameters
    ----------
    initials : sequence of Experiment
        Initial models.
    corrector : Experiment
        What corrects the masks of each.
    sizes, seeds : sequence of int
        Numbers of labelled cases, and seeds; those of one seed contain each other.
    cohorts : Cohorts
        The cases.
    runs : Path
        Where trainings and points are kept.
    machine : Machine
        How trainings are run; all alike.

    Yields
    ------
    Point
        Those of the first seed first.

    Raises
    ------
    ImageError
        If there are fewer cases to learn from than the largest of the sizes.
    """
    chosen_cases(list_cases(cohorts.training), max(sizes), 0)
    test = told(list_cases(cohorts.test))
    for seed, size in product(seeds, sizes):
        mends = _trained(corrector, size, seed, cohorts, runs, machine)
        for initial in initials:
            finds = _trained(initial, size, seed, cohorts, runs, machine)
            weights = [sha256_of([one.output / BEST]) for one in (finds, mends)]
            played = partial(_point, finds, mends, size, seed, cohorts.test)
            path = runs / f"{initial.name}-{size}-{seed}.json"
            yield Point(**kept(path, {"weights": weights, "test": test}, played))


@dataclass(frozen=True)
class _Trained:
    """A training in its output folder, and where its model goes."""

    experiment: Experiment
    output: Path
    models: Path

    def exported(self) -> ModelFolder:
        make_folder(self.models)
        export(self.experiment, self.output / BEST, self.experiment.name, self.models)
        return ModelFolder(self.models)


def _trained(
    experiment: Experiment, size: int, seed: int, cohorts: Cohorts, runs: Path, machine: Machine
) -> _Trained:
    """Return the training of ``size`` cases, which is run if need be."""
    taught = replace(experiment, examples=replace(experiment.examples, cases=size))
    name = f"{experiment.name}-{size}-{seed}"
    output = trained_once(taught, cohorts, runs, f"train-{name}", seed, machine)
    return _Trained(taught, output, runs / f"model-{name}")


def _point(finds: _Trained, mends: _Trained, size: int, seed: int, test: Path) -> dict[str, Any]:
    dice = _played(finds.exported(), mends.exported(), test)
    courses = {one.experiment.name: course_of(one.output) for one in (finds, mends)}
    return asdict(Point(finds.experiment.name, mends.experiment.name, size, seed, dice, courses))


def _played(initial: ModelFolder, corrector: ModelFolder, test: Path) -> dict[str, list[float]]:
    cpu = torch.device("cpu")
    segmenter = PlainSegmenter(Model(entry := initial.entry("initial"), initial.load(entry, cpu)))
    method = Method("corrector", Corrector.load(corrector, device="cpu"))
    dice: dict[str, list[float]] = {}
    for case in (case.load() for case in list_cases(test)):
        if (mask := shown_mask(segmenter, case)) is not None:
            rounds = play_rounds(case, Start(mask), method, Play())
            dice[case.name] = [round(one.scores.dice, 4) for one in rounds]
    return dice
