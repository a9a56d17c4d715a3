"""The thesis's experiments, three seeds each, on the test cohort: ``thesis_tables.py RUNS [GROUP ...]``.

RUNS is a folder with the cohorts of ``make cohorts``. What it does not hold yet is trained; called again, it
goes on where it stopped. After each seed the results of a group are written to ``RUNS/tables/GROUP.json`` and
its table is printed. ``--print FILE`` prints the table of such a file and trains nothing.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import tables_command
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.io.files import make_folder
from VSClickCorrectLib.io.json_files import write_json
from VSClickCorrectResearch.evaluation.repeat_table import Trial, repeat_table
from VSClickCorrectResearch.training.experiments import read_experiment
from VSClickCorrectResearch.training.repeats import Cohorts, Repeated, trials
from VSClickCorrectResearch.training.schedule import Machine

EXPERIMENTS = Path(__file__).parents[2] / "Resources" / "Experiments"
SEEDS = (0, 1, 2)
# Each group's first row is what the others are held against; a row may be scored on another's examples.
GROUPS = {
    "cuts": (
        "cut-multi-encoder",
        "cut-correction-attention",
        "cut-correction-plain",
        "cut-dice-attention",
        "cut-dice-plain",
    ),
    "fine-tuning": (
        "cut-multi-encoder on cut-multi-encoder-fine-tuned",
        "cut-multi-encoder-fine-tuned",
    ),
    "narrow": (
        "cut-narrow",
        "cut-depth-8",
        "cut-depth-16",
        "past-6-gated-fusion",
        "past-6-attention-fusion",
    ),
    "losses": (
        "initial-dice",
        "initial-dice-bce",
        "initial-dice-focal",
        "initial-focal",
        "initial-focal-tversky",
        "initial-generalised-dice",
        "initial-tversky",
        "initial-weighted-bce",
    ),
}


def main(runs: Path, groups: list[str], machine: Machine) -> None:
    """Train and score the groups, one after the other."""
    cohorts = Cohorts(*(runs / f"region-{name}" for name in ("training", "validation", "test")))
    output = runs / "tables"
    make_folder(output)
    for group in groups:
        rows = [repeated(name) for name in GROUPS[group]]
        done: list[Trial] = []
        for trial in trials(rows, SEEDS, cohorts, output, machine, ModelFolder(None)):
            done.append(trial)
            if len(done) % len(rows) == 0:
                write_json(output / f"{group}.json", {"trials": [asdict(one) for one in done]})
                print(printed(output / f"{group}.json"), flush=True)


def repeated(name: str) -> Repeated:
    """Return the row of that name."""
    trained, _, scored = name.partition(" on ")
    experiments = [read_experiment(EXPERIMENTS / f"{one}.toml") for one in (trained, scored or trained)]
    return Repeated(*experiments)


def printed(path: Path) -> str:
    """Return the table of a group's results."""
    done = [Trial(**one) for one in json.loads(path.read_text(encoding="utf-8"))["trials"]]
    references = {
        trial.name: (f"{reference.section}, {reference.what}", reference.dsc)
        for trial in done
        if (reference := repeated(trial.name).trained.thesis)
    }
    return repeat_table(done, done[0].name, references)


if __name__ == "__main__":
    tables_command.run(__doc__, main, printed, list(GROUPS))
