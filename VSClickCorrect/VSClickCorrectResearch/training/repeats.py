"""Experiments that can be trusted: several seeds each, scored on test cases that chose nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, Field, asdict, dataclass, fields, is_dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.inference.manifest import ModelFolder

from VSClickCorrectResearch.datasets.cases import list_cases
from VSClickCorrectResearch.datasets.fingerprints import sha256_of
from VSClickCorrectResearch.evaluation.repeat_table import Trial
from VSClickCorrectResearch.training.experiments import Experiment
from VSClickCorrectResearch.training.held_back import HeldBack
from VSClickCorrectResearch.training.kept import kept
from VSClickCorrectResearch.training.loop import BEST
from VSClickCorrectResearch.training.reporter import LOG
from VSClickCorrectResearch.training.schedule import Machine, Schedule
from VSClickCorrectResearch.training.told_cases import told
from VSClickCorrectResearch.training.train import (
    RESULT,
    held_back_of,
    made_of,
    mask_makers,
    network_of,
    train,
)


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
    machine: Machine,
    models: ModelFolder | None = None,
) -> Iterator[Trial]:
    """Train and score every row with every seed; called again with the same ``runs``, go on.

    What was scored with other weights, on other test cases or as another ``scored`` is scored anew.

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
    machine : Machine
        How trainings are run; all of a table alike.
    models : ModelFolder, optional
        Whose initial model makes the masks to correct, where an experiment wants its mistakes.

    Yields
    ------
    Trial
        All rows of the first seed first.
    """
    held_back: dict[str, HeldBack] = {}
    test = told(list_cases(cohorts.test))
    for seed, row in product(seeds, rows):
        output = trained_once(
            row.trained, cohorts, runs, f"train-{row.trained.name}-{seed}", seed, machine, models
        )
        scored = partial(_scored, row, seed, output, cohorts.test, models, held_back)
        of = {
            "weights": sha256_of([output / BEST]),
            "test": test,
            "scored": asdict(row.scored),
            "models": mask_makers(row.scored, models),
        }
        yield Trial(**kept(runs / f"{row.name.replace(' ', '-')}-{seed}.json", of, scored))


def trained_once(
    experiment: Experiment,
    cohorts: Cohorts,
    runs: Path,
    name: str,
    seed: int,
    machine: Machine,
    models: ModelFolder | None = None,
) -> Path:
    """Return the folder of a training in ``runs``, which is run or goes on if it has not ended.

    Raises
    ------
    ModelError
        If what is kept under that name was trained otherwise, as before the experiment's file was changed, or
        from other cases, weights or masks, or in another precision.
    """
    output, both = runs / name, (cohorts.training, cohorts.validation)
    first = runs / f"train-{experiment.init_from}-{seed}" / BEST if experiment.init_from else None
    if (output / RESULT).exists():
        result = json.loads((output / RESULT).read_text(encoding="utf-8"))
        refusal = f"{output} holds a training of another '{experiment.name}'"
        if not _is_told(result["experiment"], experiment):
            raise ModelError(f"{refusal}; give another folder for results.")
        now = {**made_of(experiment, both, seed, first, models), "precision": machine.precision}
        # Results of earlier versions do not tell it.
        if other := [word for word, one in result.get("made_of", now).items() if now.get(word) != one]:
            raise ModelError(f"{refusal}: its {other[0]} was another; give another folder for results.")
    else:
        schedule = Schedule.of(experiment.course, **asdict(machine))
        train(experiment, both, output, schedule, seed, first, models)
    return output


def _is_told(result: Any, now: Any) -> bool:
    """Whether an experiment, or a part of one, is that of which a result tells.

    A field that the result does not know was added later, and must say what was done before. Names in a table
    of the file, as in ``[network]``, are no such fields.
    """
    if not is_dataclass(now):
        return bool(result == json.loads(json.dumps(now)))
    if not isinstance(result, dict):
        return False
    known = {field.name: field for field in fields(now)}
    return result.keys() <= known.keys() and all(
        _is_told(result.get(name, _default(field)), getattr(now, name)) for name, field in known.items()
    )


def _default(field: Field) -> Any:
    value = field.default if field.default_factory is MISSING else field.default_factory()
    # One that must always be given has no default: nothing is equal to what stands for it.
    return value if value is MISSING else json.loads(json.dumps(value))


def _scored(
    row: Repeated,
    seed: int,
    output: Path,
    test: Path,
    models: ModelFolder | None,
    held_back: dict[str, HeldBack],
) -> dict[str, Any]:
    if row.scored.name not in held_back:
        held_back[row.scored.name] = held_back_of(row.scored, test, models)
    return asdict(_trial(row, seed, output, held_back[row.scored.name]))


def _trial(row: Repeated, seed: int, output: Path, held_back: HeldBack) -> Trial:
    network, course = network_of(row.trained, output / BEST).eval(), course_of(output)
    dice = {
        name: [round(value, 4) for value in found.mean(axis=0).tolist()]
        for name, found in held_back.dice(network).items()
    }
    return Trial(row.name, seed, int(course[-1][0]), row.trained.course.batch, course, dice)


def course_of(output: Path) -> list[list[float]]:
    """Return steps and the validation score after each, as a training's folder has them logged."""
    # The first line tells the schedule.
    _, *looks = map(json.loads, (output / LOG).read_text(encoding="utf-8").splitlines())
    return [[int(look["step"]), round(look["score"], 4)] for look in looks]
