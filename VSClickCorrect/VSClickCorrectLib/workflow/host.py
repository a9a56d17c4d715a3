"""What the workflow asks of the window it runs in, which Qt and asyncio answer in their own ways."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import coroutine
from typing import Any, Protocol, TypeVar

from VSClickCorrectLib.errors import VSClickError

Action = Callable[[], None]
Result = TypeVar("Result")


class Host(Protocol):
    """A window with an event loop, on whose thread the scene is changed and no other.

    Verbs that have to wait are coroutines, which `start` runs; asyncio is only one way to do so, see
    `SteppingHost`.
    """

    def later(self, seconds: float, action: Action) -> None:
        """Call ``action`` once after that time, from the event loop; what it raises is told by `fail`."""

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a verb that may wait; what it raises is told by `fail`, at the latest."""

    async def pause(self, seconds: float) -> None:
        """Let the event loop go on for a while."""

    async def background(self, work: Callable[[], Result]) -> Result:
        """Do what takes long and touches no scene, beside the event loop where the window can."""

    async def confirm(self, question: str) -> bool:
        """Ask a question that is answered with OK or Cancel."""

    def waiting(self) -> AbstractContextManager:
        """Show that the window is busy."""

    def has_packages(self) -> bool:
        """Return whether networks can run, once the user was asked to install what is missing."""

    def say(self, sentence: str) -> None:
        """Show what was done, or what to do next, in the status line."""

    def fail(self, error: VSClickError) -> None:
        """Show in the status line why something was not done."""


class SteppingHost:
    """Runs coroutines step by step in an event loop that knows none, Qt's for instance.

    A coroutine goes on at once until it pauses, and what it raises by then reaches who called `start`.
    """

    def later(self, seconds: float, action: Action) -> None:
        """See `Host.later`."""
        raise NotImplementedError

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """See `Host.start`."""
        try:
            seconds = work.send(None)
        except StopIteration:
            return
        self.later(seconds, lambda: self.start(work))

    async def pause(self, seconds: float) -> None:
        """See `Host.pause`."""
        await _pause(seconds)

    async def background(self, work: Callable[[], Result]) -> Result:
        """Do it here and now: Python's threads get no time in an event loop that Python did not enter."""
        with self.waiting():
            return work()

    def waiting(self) -> AbstractContextManager:
        """See `Host.waiting`."""
        raise NotImplementedError


@coroutine
def _pause(seconds: float) -> Generator[float, None, None]:
    """Tell `SteppingHost.start` how long to wait."""
    yield seconds


@contextmanager
def telling(host: Host) -> Iterator[None]:
    """Tell the person of what goes wrong, and go on."""
    try:
        yield
    except VSClickError as error:
        host.fail(error)


class Debounced:
    """Calls an action once things have been quiet for a while.

    Parameters
    ----------
    host : Host
        Gives the time.
    seconds : float
        How long it must be quiet.
    action : callable
        What to do then.
    """

    def __init__(self, host: Host, seconds: float, action: Action) -> None:
        self._host = host
        self._seconds = seconds
        self._action = action
        self._turn = 0

    def __call__(self) -> None:
        """Ask for the action; an earlier request that still waits is replaced."""
        self._turn += 1
        turn = self._turn
        self._host.later(self._seconds, lambda: self._act(turn))

    def cancel(self) -> None:
        """Forget a request that still waits."""
        self._turn += 1

    def _act(self, turn: int) -> None:
        if turn == self._turn:
            self._action()
