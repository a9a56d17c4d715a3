"""Slicer's translation of what a person reads; outside the desktop program sentences stay as they are."""

from __future__ import annotations

try:
    # Itself and not a function around it: it finds the words' context by the file that calls it.
    from slicer.i18n import tr
except ModuleNotFoundError:

    def tr(text: str) -> str:
        """Return the text."""
        return text
