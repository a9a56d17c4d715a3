"""How a window hears of what changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Signal:
    """Calls whoever is connected, in the order in which they were."""

    def __init__(self) -> None:
        self._listeners: list[Callable[..., Any]] = []

    def connect(self, listener: Callable[..., Any]) -> None:
        """Call ``listener`` at every `emit` from now on."""
        self._listeners.append(listener)

    def emit(self, *arguments: Any) -> None:
        """Call all that are connected."""
        for listener in tuple(self._listeners):
            listener(*arguments)
