"""Small parts that several panels share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trame.widgets.html import Div, Input, Span
from trame.widgets.vuetify3 import VTooltip


def tip(text: str) -> None:
    """Explain the element around it when the pointer rests there."""
    VTooltip(text, activator="parent", location="bottom", open_delay="500")


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
                aria_label=label,
                change=f"window.vsclick.upload('{slot}', $event)",
            )
            Span(f"{{{{ {getattr(sent, slot)} }}}}", classes="vs-quiet", id=f"sent-{slot}")
