"""The thesis's claim, measured: DSC over labelled training cases and rounds of clicks, as table and picture.

``label_curve.py RUNS`` trains what RUNS, a folder with the cohorts of ``make cohorts``, does not hold yet,
prints tables and writes ``label-curve.json`` and ``label-curve.png`` there; called again, it goes on where
it stopped. ``--print FILE`` prints the tables of such a file and trains nothing. The cases of the validation,
which choose weights among the looks at every training, are labelled, too, and not counted.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import tables_command
from VSClickCorrectLib.io.files import make_folder
from VSClickCorrectLib.io.json_files import write_json
from VSClickCorrectResearch.evaluation.label_chart import (
    LabelCurve,
    label_curve_of,
    label_table,
    save_label_curves,
)
from VSClickCorrectResearch.evaluation.markdown import table
from VSClickCorrectResearch.evaluation.repeat_table import gained_last
from VSClickCorrectResearch.evaluation.statistics import in_one_order
from VSClickCorrectResearch.training.experiments import read_experiment
from VSClickCorrectResearch.training.label_curve import Point, label_curve
from VSClickCorrectResearch.training.repeats import Cohorts
from VSClickCorrectResearch.training.schedule import Machine

EXPERIMENTS = Path(__file__).parents[2] / "Resources" / "Experiments"
INITIALS = {"initial-dice": "Dice", "initial-focal-tversky": "Focal Tversky"}
CORRECTOR = "corrector-curve"
SIZES, SEEDS = (8, 16, 32, 64, 128, 170), (0, 1, 2)


def main(runs: Path, machine: Machine) -> None:
    """Train, play, and write what is complete after each seed."""
    output = runs / "label-curve"
    make_folder(output)
    cohorts = Cohorts(*(runs / f"region-{name}" for name in ("training", "validation", "test")))
    initials = [read_experiment(EXPERIMENTS / f"{name}.toml") for name in INITIALS]
    corrector = read_experiment(EXPERIMENTS / f"{CORRECTOR}.toml")
    points: list[Point] = []
    for point in label_curve(initials, corrector, SIZES, SEEDS, cohorts, output, machine):
        points.append(point)
        mean = np.mean(list(point.dice.values()), axis=0)
        print(point.initial, point.cases, point.seed, mean.round(3), flush=True)
        if len(points) % (len(SIZES) * len(INITIALS)) == 0:
            write_json(output / "label-curve.json", {"points": [asdict(one) for one in points]})
            save_label_curves(output / "label-curve.png", curves_of(points))
            print(printed(output / "label-curve.json"), flush=True)


def curves_of(points: Iterable[Point]) -> dict[str, LabelCurve]:
    """Return the curve of each loss of the initial model, by its title."""
    dice: dict[str, dict[int, list[np.ndarray]]] = defaultdict(lambda: defaultdict(list))
    every = list(points)
    for point, each in zip(every, in_one_order(point.dice for point in every), strict=True):
        dice[INITIALS[point.initial]][point.cases].append(each)
    return {
        title: label_curve_of({n: np.stack(seeds) for n, seeds in sizes.items()})
        for title, sizes in dice.items()
    }


def printed(path: Path) -> str:
    """Return the tables of a file of results."""
    points = [Point(**one) for one in json.loads(path.read_text(encoding="utf-8"))["points"]]
    parts = {title: label_table(curve) for title, curve in curves_of(points).items()}
    parts["Gained last"] = flatness(points)
    return "\n".join(f"{title}:\n\n{part}" for title, part in parts.items())


def flatness(points: Iterable[Point]) -> str:
    """Return what the last quarter of the steps still won on the validation cohort, the mean over seeds."""
    won: dict[str, dict[int, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
    for point in points:
        for name, course in point.courses.items():
            won[name][point.cases][point.seed] = gained_last(course)
    lines = [[name, *(f"{np.mean([*won[name][n].values()]):.3f}" for n in SIZES)] for name in won]
    return table(("labelled training cases", *map(str, SIZES)), lines) + "\n"


if __name__ == "__main__":
    tables_command.run(__doc__, main, printed)
