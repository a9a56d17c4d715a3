"""The one way in which a command prints: names of cases and files cannot steer the terminal."""

from __future__ import annotations

from typing import TextIO

from VSClickCorrectLib.errors import on_one_line


def tell(*lines: str, to: TextIO | None = None) -> None:
    """Print lines, each on one line, at once.

    Parameters
    ----------
    *lines : str
        What is to be seen; control characters in them are shown by their numbers.
    to : file, optional
        Where to; standard output if not given.
    """
    for line in lines:
        print(on_one_line(line), file=to, flush=True)
