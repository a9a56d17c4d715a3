"""The line at the foot of the page: what was done, or why not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from trame_server.state import State
from trame_server.utils.typed_state import TypedState
from VSClickCorrectLib.errors import VSClickError, as_sentence, enough_memory


@dataclass
class StatusState:
    """What the page knows of it."""

    message: str = "Starting …"
    is_error: bool = False


class Status:
    """Tells the user what happened.

    Parameters
    ----------
    state : State
        The server's; it holds `StatusState`.
    """

    def __init__(self, state: State) -> None:
        self.typed_state = TypedState(state, StatusState)

    def say(self, message: str) -> None:
        """Show a sentence."""
        self._show(as_sentence(message), is_error=False)

    def fail(self, error: VSClickError | str) -> None:
        """Show why something could not be done."""
        self._show(as_sentence(str(error)), is_error=True)

    @contextmanager
    def reporting(self) -> Iterator[None]:
        """Show the library's sentences instead of raising them."""
        try:
            with enough_memory():
                yield
        except VSClickError as error:
            self.fail(error)

    def _show(self, message: str, is_error: bool) -> None:
        self.typed_state.data.message = message
        self.typed_state.data.is_error = is_error
