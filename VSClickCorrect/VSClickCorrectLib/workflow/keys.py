"""The keys of both windows, in one table."""

from __future__ import annotations

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
    """

    name: str
    action: str
    does: str


# Slicer's own views have keys of their own, so the desktop module takes these alone.
KEYS = (
    Key("B", "boundary", "boundary clicks"),
    Key("I", "include", "include clicks"),
    Key("X", "exclude", "exclude clicks"),
    Key("N", "next_round", "next round"),
    Key("M", "candidate", "next candidate for the tumour"),
    Key("H", "markers", "markers"),
    Key("Ctrl+Z", "undo", "undo"),
    Key("Ctrl+Y", "redo", "redo"),
)
PAGE_KEYS = (
    *KEYS,
    Key("Ctrl+Shift+Z", "redo", "redo"),
    Key("V", "look", "looking only"),
    Key("A", "apply", "applies collected clicks"),
    Key("O", "start", "outline of the start"),
    Key("F", "fill", "fill"),
    Key("C", "crosshair", "crosshair"),
    Key("R", "fit", "the whole image"),
    Key("Z", "zoom", "zoom to the segment"),
    Key("Enter", "place", "clicks at the crosshair"),
    Key("PageUp", "up", "one slice up"),
    Key("PageDown", "down", "one slice down"),
    Key("Shift+ArrowUp", "up", "one slice up"),
    Key("Shift+ArrowDown", "down", "one slice down"),
    Key("Home", "top", "the topmost slice"),
    Key("End", "bottom", "the lowest slice"),
    Key("ArrowLeft", "left", "the crosshair by a voxel"),
    Key("ArrowRight", "right", "the crosshair by a voxel"),
    Key("ArrowUp", "back", "the crosshair by a voxel"),
    Key("ArrowDown", "front", "the crosshair by a voxel"),
)


def key_of(action: str) -> str:
    """Return the first key of an action; raises KeyError if it has none."""
    for key in PAGE_KEYS:
        if key.action == action:
            return key.name
    raise KeyError(action)
