"""Experiments that can be trusted: several seeds each, scored on test cases that chose nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.io.json_files import write_json

from VSClickCorrectResearch.evaluation.repeat_table import Trial
from VSClickCorrectResearch.training.experiments import Experiment
from VSClickCorrectResearch.training.held_back import HeldBack
from VSClickCorrectResearch.training.loop import BEST
from VSClickCorrectResearch.training.reporter import LOG
from VSClickCorrectResearch.training.schedule import Schedule
from VSClickCorrectResearch.training.train import RESULT, held_back_of, network_of, train


@dataclass(frozen=True)
class Cohorts:
    """Where cases lie: a folder or list each. The training alone chooses, by its validation cases."""

    training: Path
    validation: Path
    test: Path


@dataclass(frozen=True)
class Repeated:
    """An experiment as a row of a table.

    Parameters
    ----------
    trained : Experiment
        Whose network.
    scored : Experiment
        Whose examples of the test cases it is scored on: mostly the same.
    """

    trained: Experiment
    scored: Experiment

    @property
    def name(self) -> str:
        """The experiment's, and what it is scored on if that is another's."""
        same = self.trained.name == self.scored.name
        return self.trained.name if same else f"{self.trained.name} on {self.scored.name}"


def trials(
    rows: Sequence[Repeated],
    seeds: Sequence[int],
    cohorts: Cohorts,
    runs: Path,
    threads: int = 2,
    models: ModelFolder | None = None,
) -> Iterator[Trial]:
    """Train and score every row with every seed; called again with the same ``runs``, go on.

    Parameters
    ----------
    rows : sequence of Repeated
        A row whose network begins with another's weights stands after it.
    seeds : sequence of int
        The same for all rows: networks of one seed learn from the same cases.
    cohorts : Cohorts
        The cases.
    runs : Path
        Where trainings and trials are kept.
    threads : int
        Of the processor.
    models : ModelFolder, optional
        Whose initial model makes the masks to correct, where an experiment wants its mistakes.

    Yields
    ------
    Trial
        All rows of the first seed first.
    """
    held_back: dict[str, HeldBack] = {}
    for seed, row in product(seeds, rows):
        kept = runs / f"{row.name.replace(' ', '-')}-{seed}.json"
        output = trained_once(
            row.trained, cohorts, runs, f"train-{row.trained.name}-{seed}", seed, threads, models
        )
        if not kept.exists():
            if row.scored.name not in held_back:
                held_back[row.scored.name] = held_back_of(row.scored, cohorts.test, models)
            write_json(kept, asdict(_trial(row, seed, output, held_back[row.scored.name])))
        yield Trial(**json.loads(kept.read_text(encoding="utf-8")))


def trained_once(
    experiment: Experiment,
    cohorts: Cohorts,
    runs: Path,
    name: str,
    seed: int,
    threads: int,
    models: ModelFolder | None = None,
) -> Path:
    """Return the folder of a training in ``runs``, which is run or goes on if it has not ended.

    Raises
    ------
    ModelError
        If what is kept under that name was trained otherwise, as before the experiment's file was changed.
    """
    output = runs / name
    if (output / RESULT).exists():
        told = json.loads((output / RESULT).read_text(encoding="utf-8"))
        if not _is_told(told["experiment"], json.loads(json.dumps(asdict(experiment)))):
            raise ModelError(
                f"{output} holds a training of another '{experiment.name}'; give another folder for results."
            )
    else:
        schedule = Schedule.of(experiment.course, threads=threads)
        first = runs / f"train-{experiment.init_from}-{seed}" / BEST if experiment.init_from else None
        train(experiment, (cohorts.training, cohorts.validation), output, schedule, seed, first, models)
    return output


def _is_told(told: object, now: object) -> bool:
    """Whether an experiment is the one of which a result tells, which knows nothing of later additions."""
    if isinstance(told, dict) and isinstance(now, dict):
        return told.keys() <= now.keys() and all(_is_told(told[name], now[name]) for name in told)
    return told == now


def _trial(row: Repeated, seed: int, output: Path, held_back: HeldBack) -> Trial:
    network = network_of(row.trained, output / BEST).eval()
    # The first line tells the schedule.
    _, *looks = map(json.loads, (output / LOG).read_text(encoding="utf-8").splitlines())
    course = [[int(look["step"]), round(look["score"], 4)] for look in looks]
    dice = {
        name: [round(value, 4) for value in found.mean(axis=0).tolist()]
        for name, found in held_back.dice(network).items()
    }
    return Trial(row.name, seed, course[-1][0], row.trained.course.batch, course, dice)
