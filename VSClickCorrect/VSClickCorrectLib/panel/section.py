"""What the sections of the panel have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from VSClickCorrectLib.panel.panel import Panel


class Connection(NamedTuple):
    """A signal of a widget and what it calls, without arguments."""

    widget: str
    signal: str
    slot: Callable[[], None]


class Section:
    """A part of the panel: what its buttons do and what its widgets show.

    Parameters
    ----------
    panel : Panel
        The whole, with the widgets in ``ui`` as `slicer.util.childWidgetVariables` gives them. Their
        properties are attributes, as PythonQt has it.
    """

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self.ui: Any = panel.ui
        self.desktop = panel.desktop

    def connections(self) -> list[Connection]:
        """Return what to connect once the panel is loaded."""
        return []

    def refresh(self) -> None:
        """Show what can be done now."""

    def stopped(self) -> None:
        """Forget what belonged to the correction that has just ended."""
