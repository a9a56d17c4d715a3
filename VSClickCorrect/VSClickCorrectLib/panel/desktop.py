"""What the panel needs of the desktop program: everything that is Qt's and not a widget of the panel."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

Action = Callable[[], None]


class Desktop(Protocol):
    """The services that `VSClickCorrect.py` gives the panel."""

    def later(self, milliseconds: int, action: Action) -> None:
        """Call ``action`` once, after that time, from the event loop."""

    def waiting(self) -> AbstractContextManager:
        """Show that the program is busy."""

    def cell(self, text: str, icon: str = "") -> Any:
        """Return a cell for a table, with the icon of that name."""

    def ask_to_save(self, title: str, path: str, filters: str) -> str:
        """Ask for a file to write; empty if the user thinks better of it."""

    def ask_to_open(self, title: str, path: str, filters: str) -> str:
        """Ask for a file to read, beginning at a path; empty if the user thinks better of it."""

    def confirm(self, question: str) -> bool:
        """Ask a question that is answered with OK or Cancel."""

    def inform(self, text: str) -> None:
        """Show a text of several lines until the user has read it."""

    def copy(self, text: str) -> None:
        """Put a text on the clipboard."""

    def setting(self, name: str) -> str:
        """Return what was kept under a name, also by an earlier run of Slicer; empty if nothing was."""

    def keep_setting(self, name: str, value: str) -> None:
        """Keep a text for this run of Slicer and later ones."""

    def install_packages(self, say: Callable[[object], None]) -> bool:
        """Ask for the packages that are missing, install them, and return whether all are there now."""

    def show_status(self, text: str) -> None:
        """Show a text in the status bar of the main window."""

    def show_volumes(self, background: Any, foreground: Any) -> None:
        """Show two volumes, either of which may be None, in all slice views, fitted to them."""

    def focus_views(self) -> None:
        """Give the keyboard to a slice view, so that keys do what they are for."""
