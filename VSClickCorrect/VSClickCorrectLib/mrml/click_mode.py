"""How the clicks to come are taken."""

from __future__ import annotations

from collections.abc import Callable

from VSClickCorrectLib.clicks.click import ClickKind


class ClickMode:
    """How the clicks to come are taken, whichever segment is being corrected.

    Parameters
    ----------
    on_change : callable
        Called when the kind is another, or clicks wait from now on or no longer do.

    Attributes
    ----------
    busy : bool
        Whether something else is being computed; points are refused while it is.
    """

    def __init__(self, on_change: Callable[[], None] = lambda: None) -> None:
        self.busy = False
        self._kind, self._collecting, self._on_change = ClickKind.BOUNDARY, False, on_change

    @property
    def kind(self) -> ClickKind:
        """Their kind."""
        return self._kind

    @kind.setter
    def kind(self, kind: ClickKind) -> None:
        if kind is not self._kind:
            self._kind = kind
            self._on_change()

    @property
    def collecting(self) -> bool:
        """Whether they wait until they are applied together."""
        return self._collecting

    @collecting.setter
    def collecting(self, collecting: bool) -> None:
        if collecting != self._collecting:
            self._collecting = collecting
            self._on_change()
