"""``vsclick train``: one of the networks, on cohorts of synthetic cases."""

from __future__ import annotations

import argparse
from pathlib import Path

_DESCRIPTION = """\
Train the locator, the initial model or the corrector on cohorts that 'vsclick simulate' wrote: cases of
extent 'head' for the locator, of extent 'region' for the others.
"""


def add_parser(commands) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("train", help="train a network", description=_DESCRIPTION)
    parser.add_argument("role", choices=("locator", "initial", "corrector"))
    parser.add_argument("--training", type=Path, required=True, metavar="FOLDER", help="cohort to learn from")
    parser.add_argument(
        "--validation", type=Path, required=True, metavar="FOLDER", help="cohort to choose by"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="weights and log")
    parser.add_argument("--steps", type=int, default=100_000, metavar="N", help="batches at most")
    parser.add_argument("--minutes", type=float, default=float("inf"), metavar="M", help="time at most")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="weights to go on from")
    parser.add_argument("--learning-rate", type=float, default=1e-3, metavar="RATE", help="at the beginning")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="processor threads")
    parser.add_argument(
        "--release", metavar="NAME", help="put the weights into the models folder under this name"
    )
    parser.add_argument("--models", type=Path, default=Path("models"), metavar="FOLDER")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    from VSClickCorrectLib.training.export import export
    from VSClickCorrectLib.training.loop import Schedule
    from VSClickCorrectLib.training.recipes import RECIPES, train

    recipe = RECIPES[options.role]
    schedule = Schedule(
        options.steps, learning_rate=options.learning_rate, minutes=options.minutes, threads=options.threads
    )
    cohorts = (options.training, options.validation)
    best = train(recipe, *cohorts, options.output, schedule, options.seed, options.weights)
    print(f"Best validation score {best:.4f}; weights in {options.output}.")
    if options.release:
        entry = export(recipe, options.output / "best.safetensors", options.release, options.models)
        print(f"Released as {entry.file} ({entry.sha256[:12]}…).")
