"""What the sections of the panel have in common."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from VSClickCorrectLib.panel.desktop import Desktop
from VSClickCorrectLib.workflow.workflow import Workflow


class Connection(NamedTuple):
    """A signal of a widget and what it calls, without arguments."""

    widget: str
    signal: str
    slot: Callable[[], None]


class Section:
    """A part of the panel: binds its widgets to the workflow, and knows no other section.

    Parameters
    ----------
    ui : object
        The widgets as `slicer.util.childWidgetVariables` gives them. Their properties are attributes, as
        PythonQt has it.
    desktop : Desktop
        The services of the desktop program.
    flow : Workflow
        What is done.
    """

    def __init__(self, ui: Any, desktop: Desktop, flow: Workflow) -> None:
        self.ui, self.desktop, self.flow = ui, desktop, flow
        self.host, self.workbench = flow.host, flow.workbench

    def bound(self, verb: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
        """Return what a widget can call to run a verb that may wait."""
        return lambda: self.host.start(verb())

    def connections(self) -> list[Connection]:
        """Return what to connect once the panel is loaded."""
        return []

    def refresh(self) -> None:
        """Show what can be done now."""
