"""Small parts that several panels share."""

from __future__ import annotations

from trame.widgets.vuetify3 import VTooltip


def tip(text: str) -> None:
    """Explain the element around it when the pointer rests there."""
    VTooltip(text, activator="parent", location="bottom", open_delay="500")
