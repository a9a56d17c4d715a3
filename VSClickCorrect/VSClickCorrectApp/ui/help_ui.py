"""The dialog that lists the keys and what the mouse does."""

from __future__ import annotations

from collections.abc import Iterable

from trame.widgets.html import Div, Kbd, Span
from trame.widgets.vuetify3 import VBtn, VCard, VCardActions, VCardText, VCardTitle, VDialog
from VSClickCorrectLib.workflow.keys import names_by_use

from VSClickCorrectApp.page_keys import PAGE_KEYS, key_of
from VSClickCorrectApp.ui.parts import icon_button, tip

# Whether it is open, for the page and the key.
HELP = "vs_help"
_SIGNS = {"Arrow": "", "Left": "←", "Right": "→", "Up": "↑", "Down": "↓"}
_MOUSE = {
    "left": "places a click of the chosen kind; while looking sets the window, and a click goes there",
    "Ctrl and left, dragged": "sets the window, whatever tool is chosen",
    "double click": "while looking enlarges the view, or shows the others again",
    "middle, dragged": "pans",
    "right, dragged": "zooms",
    "wheel": "pages; with Ctrl it zooms",
    "left, with brush or eraser": "paints while dragged; Esc drops the stroke, or puts the tool away",
    "wheel with Shift": "with brush or eraser sets the radius",
    "Shift, moved": "moves the crosshair along",
}


def help_ui() -> None:
    """Build the button and its dialog."""
    hint = f"Keys and mouse ({key_of('help')})"
    icon_button("mdi-help-circle-outline", "Keys and mouse", hint, click=f"{HELP} = true", id="help")
    with VDialog(v_model=(HELP, False), width=1260), VCard(id="help-page"):
        VCardTitle("Keys and mouse")
        with VCardText(), Div(classes="vs-help"):
            for does, names in names_by_use(PAGE_KEYS).items():
                _row(map(_shown, names), does)
            for button, does in _MOUSE.items():
                _row([button], does)
        with VCardActions():
            Div(classes="flex-grow-1")
            with VBtn("Close", click=f"{HELP} = false", id="help-close"):
                tip("Close this list (Escape)")


def _row(keys: Iterable[str], does: str) -> None:
    with Div(classes="vs-help-row"):
        with Div(classes="vs-help-keys"):
            for key in keys:
                Kbd(key)
        Span(does)


def _shown(name: str) -> str:
    """Return a key as it stands on the keyboard."""
    if "Arrow" in name:
        for word, sign in _SIGNS.items():
            name = name.replace(word, sign)
    return name.replace("Page", "Page ")
