"""The thesis's claim, measured: DSC over labelled training cases and rounds of clicks, as table and picture.

``label_curve.py RUNS`` trains what RUNS, a folder with the cohorts of ``make cohorts``, does not hold yet,
prints tables and writes ``label-curve.json`` and ``label-curve.png`` there; called again, it goes on where
it stopped.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path

import numpy as np
from VSClickCorrectLib.io.files import make_folder
from VSClickCorrectLib.io.json_files import write_json
from VSClickCorrectResearch.evaluation.label_chart import label_curve_of, label_table, save_label_curves
from VSClickCorrectResearch.training.experiments import read_experiment
from VSClickCorrectResearch.training.label_curve import Point, label_curve
from VSClickCorrectResearch.training.repeats import Cohorts

EXPERIMENTS = Path(__file__).parents[2] / "Resources" / "Experiments"
INITIALS = {"initial-curve-dice": "Dice", "initial-curve-focal-tversky": "Focal Tversky"}
CORRECTOR = "corrector-curve"
SIZES, SEEDS = (8, 16, 32, 64, 128, 170), (0, 1, 2)


def main(runs: Path, threads: int) -> None:
    """Train, play, and write what is complete after each seed."""
    output = runs / "label-curve"
    make_folder(output)
    cohorts = Cohorts(*(runs / f"region-{name}" for name in ("training", "validation", "test")))
    initials = [read_experiment(EXPERIMENTS / f"{name}.toml") for name in INITIALS]
    corrector = read_experiment(EXPERIMENTS / f"{CORRECTOR}.toml")
    points: list[Point] = []
    for point in label_curve(initials, corrector, SIZES, SEEDS, cohorts, output, threads):
        points.append(point)
        mean = np.mean(list(point.dice.values()), axis=0)
        print(point.initial, point.cases, point.seed, mean.round(3), flush=True)
        if len(points) % (len(SIZES) * len(INITIALS)) == 0:
            report(points, output)


def report(points: list[Point], output: Path) -> None:
    """Write points, tables and picture."""
    write_json(output / "label-curve.json", {"points": [asdict(point) for point in points]})
    found: dict[str, dict[int, list[np.ndarray]]] = defaultdict(lambda: defaultdict(list))
    for point in points:
        found[point.initial][point.cases].append(np.array([point.dice[name] for name in sorted(point.dice)]))
    curves = {
        INITIALS[name]: label_curve_of({n: np.stack(each) for n, each in sizes.items()})
        for name, sizes in found.items()
    }
    for title, curve in curves.items():
        print(f"\n{title}\n\n{label_table(curve)}", flush=True)
    save_label_curves(output / "label-curve.png", curves)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    main(options.runs, options.threads)
