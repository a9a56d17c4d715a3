"""The one way in which a command prints and asks: names of cases and files cannot steer the terminal."""

from __future__ import annotations

import sys
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


def may_ask() -> bool:
    """Whether a person sits at the terminal."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def ask(question: str) -> bool:
    """Ask a question at the terminal; whatever is not yes is no."""
    try:
        answer = input(f"{on_one_line(question)} [y/N] ")
    except EOFError:
        return False
    return answer.strip().lower() in ("y", "yes")


def counted(number: int, what: str) -> str:
    """Return how many of something there are: 1 click, 2 clicks."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
