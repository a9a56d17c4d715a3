"""The command ``vsclick``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from VSClickCorrectLib.signals import end_on_signals, ignore_signals

STOPPED = "vsclick: stopped; nothing half-written was left.\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; what was typed if nothing is given.

    Returns
    -------
    int
        0 when done; 2, after one plain line on standard error, when something is wrong with the input.
    """
    if arguments is None:
        end_on_signals(STOPPED)
    # Only now: importing them takes a second, in which a signal may come.
    from VSClickCorrectLib.cli.commands import run

    status = run(arguments)
    if arguments is None:
        # Python gives signals back to the system as it ends, which would make another status of this one.
        ignore_signals()
    return status


if __name__ == "__main__":
    sys.exit(main())
