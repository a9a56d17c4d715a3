"""A slice-wise initial model beside the volumetric one, three seeds each, on thin and on thick slices.

``slice_wise.py RUNS`` trains what RUNS, a folder with the cohorts of ``make cohorts``, does not hold yet,
prints tables and writes ``slice-wise.json`` there; called again, it goes on where it stopped. Both learn from
the same 64 cases. ``--print FILE`` prints the tables of such a file and trains nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path

import numpy as np
import tables_command
import torch
from VSClickCorrectLib.inference.click_segmenter import ClickSegmenter, Segmenter
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.plain_segmenter import Model, PlainSegmenter
from VSClickCorrectLib.io.files import make_folder
from VSClickCorrectLib.io.json_files import write_json
from VSClickCorrectResearch.datasets.cases import list_cases
from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.evaluation.repeat_table import Trial, repeat_table
from VSClickCorrectResearch.evaluation.shown_tumour import shown_dice
from VSClickCorrectResearch.training.experiments import Experiment, read_experiment
from VSClickCorrectResearch.training.export import export
from VSClickCorrectResearch.training.loop import BEST
from VSClickCorrectResearch.training.repeats import Cohorts, course_of, trained_once
from VSClickCorrectResearch.training.schedule import Machine

EXPERIMENTS = Path(__file__).parents[2] / "Resources" / "Experiments"
VOLUMES, SLICES = "initial-dice", "initial-slices"
SEEDS = (0, 1, 2)
THICK_MM = 4.0
WHERE = ("all that is shown", "only slices that hold tumour")
CPU = torch.device("cpu")


def main(runs: Path, machine: Machine) -> None:
    """Train, score, and write what is complete after each seed."""
    output = runs / "slice-wise"
    make_folder(output)
    tests = {
        "the cohort of the other tables": list(loaded(runs / "region-test")),
        f"axial slices of {THICK_MM:g} mm and more": [*filter(is_thick, loaded(runs / "slices-test"))],
    }
    released = {title: shown_dice(click_segmenter(), cases) for title, cases in tests.items()}
    found: dict[str, list[list[Trial]]] = {title: [[], []] for title in tests}
    cohorts = Cohorts(*(runs / f"region-{name}" for name in ("training", "validation", "test")))
    for seed, experiment in product(SEEDS, experiments()):
        folder = trained_once(experiment, cohorts, output, f"train-{experiment.name}-{seed}", seed, machine)
        for title, cases in tests.items():
            dice = shown_dice(segmenter_of(experiment, folder, output / "models"), cases)
            for n, trials in enumerate(found[title]):
                trials.append(
                    trial_of(experiment, seed, folder, {name: one[n] for name, one in dice.items()})
                )
        if experiment.name == SLICES:
            every = {title: [list(map(asdict, trials)) for trials in both] for title, both in found.items()}
            write_json(output / "slice-wise.json", {"released": released, "trials": every})
            print(printed(output / "slice-wise.json"), flush=True)


def experiments() -> list[Experiment]:
    """Return the volumetric and the slice-wise experiment, with the same number of cases."""
    volumes, slices = (read_experiment(EXPERIMENTS / f"{name}.toml") for name in (VOLUMES, SLICES))
    return [replace(volumes, examples=replace(volumes.examples, cases=slices.examples.cases)), slices]


def loaded(cohort: Path) -> Iterator[LabelledCase]:
    """Return the cases of a cohort that have a tumour."""
    return (case for case in (one.load() for one in list_cases(cohort)) if case.truth.any())


def is_thick(case: LabelledCase) -> bool:
    """Whether a case has thick axial slices."""
    spacing = case.grid.axial_spacing
    return bool(spacing[0] >= THICK_MM and spacing[0] > max(spacing[1:]))


def segmenter_of(experiment: Experiment, trained: Path, models: Path) -> Segmenter:
    """Return a trained network as a window has it: its weights as they would be released."""
    make_folder(models)
    entry = export(experiment, trained / BEST, experiment.name, models)
    return PlainSegmenter(Model(entry, ModelFolder(models).load(entry, CPU)))


def click_segmenter() -> Segmenter:
    """Return the network that ships."""
    models = ModelFolder(None)
    entry = models.entry("click")
    return ClickSegmenter(Model(entry, models.load(entry, CPU)))


def trial_of(experiment: Experiment, seed: int, trained: Path, dice: dict[str, float]) -> Trial:
    """Return a training with its DSC of each case; before it there is no mask."""
    course = course_of(trained)
    scores = {name: [0.0, round(value, 4)] for name, value in dice.items()}
    return Trial(experiment.name, seed, int(course[-1][0]), experiment.course.batch, course, scores)


def printed(path: Path) -> str:
    """Return the tables of a file of results."""
    results = json.loads(path.read_text(encoding="utf-8"))
    parts = []
    for title, both in results["trials"].items():
        ships = np.mean(list(results["released"][title].values()), axis=0)
        cases = len(results["released"][title])
        for trials, where, mean in zip(both, WHERE, ships, strict=True):
            table = repeat_table([Trial(**one) for one in trials], VOLUMES)
            parts.append(f"{title}, {cases} cases, {where}; the network that ships: {mean:.3f}\n\n{table}")
    return "\n".join(parts)


if __name__ == "__main__":
    tables_command.run(__doc__, main, printed)
