"""The command line of what trains, scores and prints tables."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from VSClickCorrectResearch.training.schedule import PRECISIONS, Machine


def run(
    description: str | None,
    main: Callable[..., None],
    printed: Callable[[Path], str],
    groups: Sequence[str] = (),
    trains: bool = True,
) -> None:
    """Read the command line, and train and score in a folder of runs, or print a file of results.

    Parameters
    ----------
    description : str
        What ``--help`` says.
    main : callable
        Takes the folder of runs, which groups where there are any, and how trainings are run if it trains.
    printed : callable
        Returns the tables of a file of results.
    groups : sequence of str
        What may be chosen.
    trains : bool
        Whether anything is trained.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("runs", type=Path)
    if groups:
        parser.add_argument(
            "groups", nargs="*", metavar="GROUP", help=f"of {', '.join(groups)} (default: all)"
        )
    if trains:
        parser.add_argument("--threads", type=int, default=2)
        parser.add_argument("--precision", choices=PRECISIONS, default=PRECISIONS[0])
    parser.add_argument("--print", action="store_true", help="RUNS is a file of results; print its tables")
    options = parser.parse_args()
    if options.print:
        print(printed(options.runs), end="")
        return
    chosen = [options.groups or list(groups)] if groups else []
    machine = [Machine(options.threads, options.precision)] if trains else []
    main(options.runs, *chosen, *machine)
