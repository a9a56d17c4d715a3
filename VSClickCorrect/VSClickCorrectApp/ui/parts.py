"""Small parts that several panels share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from trame.widgets.html import Div, Input, Span
from trame.widgets.vuetify3 import VBtn, VCardActions, VTooltip

from VSClickCorrectApp.status import Status


def tip(text: str) -> None:
    """Explain the element around it when the pointer rests there."""
    # Eager, so that it also describes the element to those who do not point. With its text as a child it
    # would be patched with whatever changes around it.
    VTooltip(text=text, activator="parent", location="bottom", open_delay="500", eager=True)


def button(label: str, hint: str, **its: Any) -> None:
    """Build a small button that explains itself when the pointer rests there."""
    with VBtn(label, **{"size": "small", "variant": "tonal", **its}):
        tip(hint)


def icon_button(icon: str, label: str, hint: str, **its: Any) -> None:
    """Build a small button of an icon alone, with a label for those who do not see it."""
    with Div():
        VBtn(icon=icon, **{"size": "small", "variant": "text", **attributes(aria_label=label), **its})
        tip(hint)


@contextmanager
def explained(text: str, **attributes_of_it: Any) -> Iterator[None]:
    """Explain what is built within, which has no place for a `tip` of its own or is disabled at times."""
    with Div(**attributes_of_it):
        yield
        tip(text)


def attributes(**values: Any) -> dict[str, Any]:
    """Return arguments that give a widget attributes which trame does not know and would leave out."""
    return {"__properties": [(name, name.replace("_", "-")) for name in values], **values}


def problem(status: Status) -> None:
    """Show within a dialog what goes wrong: it hides the line at the foot."""
    name = status.typed_state.name
    Div(f"{{{{ {name.message} }}}}", v_if=(name.is_error,), classes="vs-problem", **attributes(role="alert"))


def shows(dialog: str, status: Status) -> str:
    """Return what opens a dialog with a `problem`: what went wrong before has nothing to do with it."""
    return f"{dialog} = true; {status.typed_state.name.is_error} = false"


def dialog_actions(dialog: str, cancels: str, confirm: str, hint: str, **its: Any) -> None:
    """Build what ends a dialog, ``dialog`` being whether it is open: cancel, and a button that does it."""
    with VCardActions():
        Div(classes="flex-grow-1")
        with VBtn("Cancel", click=f"{dialog} = false"):
            tip(cancels)
        with explained(hint):
            VBtn(confirm, color="primary", **its)


def file_fields(slots: Mapping[str, tuple[str, str]], sent: Any) -> None:
    """Build a field for each file that is to be sent.

    Parameters
    ----------
    slots : mapping
        By its slot, what a person is told and which suffixes the browser offers.
    sent : object
        The names of the state `FilesState`: beside each field stands what came.
    """
    for slot, (label, accepted) in slots.items():
        with Div(classes="vs-slot"):
            Span(label, classes="vs-strong")
            Input(
                type="file",
                accept=accepted,
                id=f"file-{slot}",
                **attributes(aria_label=label),
                title=label,
                change=f"window.vsclick.upload('{slot}', $event)",
            )
            Span(f"{{{{ {getattr(sent, slot)} }}}}", classes="vs-quiet", id=f"sent-{slot}")
