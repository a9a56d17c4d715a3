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
) -> None:
    """Read the command line, and train and score in a folder of runs, or print a file of results.

    Parameters
    ----------
    description : str
        What ``--help`` says.
    main : callable
        Takes the folder of runs and how trainings are run, between them which groups where there are any.
    printed : callable
        Returns the tables of a file of results.
    groups : sequence of str
        What may be chosen.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("runs", type=Path)
    if groups:
        parser.add_argument(
            "groups", nargs="*", metavar="GROUP", help=f"of {', '.join(groups)} (default: all)"
        )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", choices=PRECISIONS, default=PRECISIONS[0])
    parser.add_argument("--print", action="store_true", help="RUNS is a file of results; print its tables")
    options = parser.parse_args()
    machine = Machine(options.threads, options.precision)
    if options.print:
        print(printed(options.runs), end="")
    elif groups:
        main(options.runs, options.groups or list(groups), machine)
    else:
        main(options.runs, machine)
