"""What a sentence for a person must name, whatever its other words are."""

from __future__ import annotations

import re


def unnamed(sentence: str, *things: object) -> list[str]:
    """Return what a sentence does not name.

    Parameters
    ----------
    sentence : str
        What is said.
    things
        The input, what is wrong with it, what was found and expected, what to do: names, numbers and single
        words. A number is found only as a whole: 1 is not in 12, nor in 1.5.
    """
    return [word for word in map(str, things) if not re.search(_whole(word), sentence)]


def faults(sentence: str) -> list[str]:
    """Return why something said is no sentence for a person, empty if it is one."""
    found = {
        "is empty": not sentence.strip(),
        "is not one line": "\n" in sentence,
        "does not end in a full stop": not sentence.endswith("."),
        "shows Python": bool(re.search(r"Traceback|Error\b|\bobject at\b|<class", sentence)),
    }
    return [fault for fault, holds in found.items() if holds]


def _whole(word: str) -> str:
    before = r"(?<!\w)" if word[:1].isalnum() else ""
    if word[:1].isdigit():
        before = r"(?<![\w-])(?<!\d\.)"
    # A full stop may end the sentence; within a number it goes on.
    after = r"(?!\w|\.\d)" if word[-1:].isalnum() else ""
    return before + re.escape(word) + after
