"""The keys of both windows, in one table."""

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
# On the page this key closes menus.
PANEL_KEYS = (*KEYS, Key("Escape", "look", "looking only"))
PAGE_KEYS = (
    *KEYS,
    Key("Ctrl+Shift+Z", "redo", "redo", repeats=True),
    Key("V", "look", "looking only"),
    Key("P", "brush", "brush"),
    Key("E", "eraser", "eraser"),
    Key("A", "apply", "applies collected clicks"),
    Key("O", "start", "mask at start"),
    Key("D", "doubt", "line along the border where it is doubtful"),
    Key("C", "crosshair", "crosshair"),
    Key("R", "fit", "the whole image"),
    Key("Z", "zoom", "zoom to the segment"),
    Key("Enter", "place", "clicks at the crosshair"),
    Key("PageUp", "up", "one slice up", repeats=True),
    Key("PageDown", "down", "one slice down", repeats=True),
    Key("Shift+ArrowUp", "up", "one slice up", repeats=True),
    Key("Shift+ArrowDown", "down", "one slice down", repeats=True),
    Key("Home", "top", "the topmost slice"),
    Key("End", "bottom", "the lowest slice"),
    Key("ArrowLeft", "left", "the crosshair by a voxel", repeats=True),
    Key("ArrowRight", "right", "the crosshair by a voxel", repeats=True),
    Key("ArrowUp", "back", "the crosshair by a voxel", repeats=True),
    Key("ArrowDown", "front", "the crosshair by a voxel", repeats=True),
    Key("T", "flick", "the other sequence under the pointer; held, for as long", held=True),
    Key("Space", "bare", "held: the bare image, no clicks, the left button pans", held=True),
    Key("G", "lines", "where the other views cut"),
    Key("W", "window", "next window preset"),
    Key("L", "measure", "measures distances"),
    Key("Delete", "unmeasure", "removes the last distance"),
    Key("Shift+F", "fullscreen", "full screen"),
)


def key_of(action: str) -> str:
    """Return the first key of an action; raises KeyError if it has none."""
    for key in PAGE_KEYS:
        if key.action == action:
            return key.name
    raise KeyError(action)


def names_by_use(keys: Sequence[Key]) -> dict[str, list[str]]:
    """Return the names of keys by what they do."""
    names: dict[str, list[str]] = {}
    for key in keys:
        names.setdefault(key.does, []).append(key.name)
    return names


def keys_text(keys: Sequence[Key]) -> str:
    """Return a list of keys for a person, a line for each thing that they do."""
    return "\n".join(f"{', '.join(of)}: {does}" for does, of in names_by_use(keys).items())
