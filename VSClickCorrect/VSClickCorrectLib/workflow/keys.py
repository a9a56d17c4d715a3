"""The keys that both windows have, in one table, and those of the panel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Key(NamedTuple):
    """A key and what it does.

    Parameters
    ----------
    name : str
        The key as it is written: a letter, or a browser's name of it, after ``Ctrl+`` and ``Shift+``.
    action : str
        What the windows know it by.
    does : str
        What it does, for a person.
    held : bool
        Whether it matters for how long it is held.
    repeats : bool
        Whether it is done again and again while the key is held.
    """

    name: str
    action: str
    does: str
    held: bool = False
    repeats: bool = False


# Slicer's own views have keys of their own, so the desktop module takes few beside these.
KEYS = (
    Key("B", "boundary", "boundary clicks"),
    Key("I", "include", "include clicks"),
    Key("X", "exclude", "exclude clicks"),
    Key("1", "boundary", "boundary clicks"),
    Key("2", "include", "include clicks"),
    Key("3", "exclude", "exclude clicks"),
    Key("N", "next_place", "next place where the mask is doubtful"),
    Key("Shift+R", "next_round", "next round"),
    Key("M", "candidate", "next candidate for the tumour"),
    Key("H", "markers", "markers"),
    Key("F", "fill", "fill"),
    Key("Ctrl+Z", "undo", "undo", repeats=True),
    Key("Ctrl+Y", "redo", "redo", repeats=True),
    # With Shift: none of them is to happen by a slip of the finger.
    Key("Shift+D", "done", "case done: writes the label and goes on"),
    Key("Shift+N", "next", "next case"),
    Key("Shift+P", "previous", "previous case"),
    Key("Shift+S", "skip", "case skipped, the comment says why"),
    Key("?", "help", "this list"),
)
# On the page this key closes menus; its own keys are the app's.
PANEL_KEYS = (*KEYS, Key("Escape", "look", "looking only"))


def names_by_use(keys: Sequence[Key]) -> dict[str, list[str]]:
    """Return the names of keys by what they do."""
    names: dict[str, list[str]] = {}
    for key in keys:
        names.setdefault(key.does, []).append(key.name)
    return names


def keys_text(keys: Sequence[Key]) -> str:
    """Return a list of keys for a person, a line for each thing that they do."""
    return "\n".join(f"{', '.join(of)}: {does}" for does, of in names_by_use(keys).items())
