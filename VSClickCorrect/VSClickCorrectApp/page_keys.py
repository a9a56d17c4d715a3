"""The keys of the page: those of both windows, and its own."""

from __future__ import annotations

from VSClickCorrectLib.workflow.keys import KEYS, Key

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
