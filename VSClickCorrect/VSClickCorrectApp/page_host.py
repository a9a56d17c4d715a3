"""The page as the workflow's host: asyncio, a question in a dialog, and the line at the foot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from inspect import iscoroutine
from typing import Any

from trame_server.state import State
from trame_server.utils.asynchronous import create_task
from trame_server.utils.typed_state import TypedState
from VSClickCorrectLib.errors import CorrectionError, VSClickError
from VSClickCorrectLib.workflow.host import Action, Result

from VSClickCorrectApp.connection import SENDER
from VSClickCorrectApp.status import Status


@dataclass
class QuestionState:
    """What the page asks, empty if nothing, and a number that no other question has."""

    text: str = ""
    number: int = 0


@dataclass
class OpeningState:
    """How many times something was opened, or begun anew, by which the page tells what it shows."""

    number: int = 0


class PageHost:
    """Answers what `workflow.host.Host` asks. What is asked for outside the event loop is not done.

    Parameters
    ----------
    state : State
        The server's; it holds `QuestionState`.
    status : Status
        The line at the foot.
    """

    def __init__(self, state: State, status: Status) -> None:
        self._state = state
        self._status = status
        self._answer: asyncio.Future[bool] | None = None
        self._ended = False
        self.opening = TypedState(state, OpeningState)
        # What each window of the page showed at its last press or key.
        self._seen: dict[str, int] = {}
        self.typed_state = TypedState(state, QuestionState)
        self.say = status.say

    def later(self, seconds: float, action: Action) -> None:
        """See `Host.later`."""

        def act() -> None:
            if self._ended:
                return
            with self._state, self._status.reporting():
                action()

        # While the scene is cleared at the end, no loop runs any more.
        if not self._ended and _in_loop():
            asyncio.get_running_loop().call_later(seconds, act)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """See `Host.start`; it runs in a task, as trame answers a browser's messages one after the other."""
        if self._ended or not _in_loop():
            # Never begun, it would be told of as forgotten.
            work.close()
        else:
            create_task(self.reported(work))

    async def reported(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something and tell what goes wrong."""
        with self._status.reporting():
            await work
        self._state.flush()

    async def pause(self, seconds: float) -> None:
        """See `Host.pause`."""
        self._state.flush()
        await asyncio.sleep(seconds)

    async def background(self, work: Callable[[], Result]) -> Result:
        """See `Host.background`."""
        self._state.flush()
        return await asyncio.to_thread(work)

    async def confirm(self, question: str) -> bool:
        """See `Host.confirm`."""
        self.answer(False)
        self._answer = asyncio.get_running_loop().create_future()
        self.typed_state.data.text, self.typed_state.data.number = question, self.typed_state.data.number + 1
        self._state.flush()
        return await self._answer

    def answer(self, yes: bool, number: int | None = None) -> None:
        """Answer the question of a number, the last one if left out; an earlier one has been answered."""
        if number not in (None, self.typed_state.data.number):
            return
        self.typed_state.data.text = ""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(yes)

    def waiting(self) -> AbstractContextManager:
        """See `Host.waiting`."""
        return nullcontext()

    def has_packages(self) -> bool:
        """See `Host.has_packages`; what serves the page has them."""
        return True

    def fail(self, error: VSClickError) -> None:
        """See `Host.fail`."""
        self._status.fail(error)

    def bound(self, verb: Callable[..., Any]) -> Callable[..., None]:
        """Return what the page can call: does the verb, in a task if it waits, and tells what goes wrong."""

        def run(*arguments: Any) -> None:
            with self._status.reporting():
                found = verb(*arguments)
                if iscoroutine(found):
                    self.start(found)

        return run

    def note_opened(self) -> None:
        """Note that something else is to be shown now."""
        self.opening.data.number += 1

    def note_seen(self, number: int) -> None:
        """Note which opening a window of the page shows, of which it tells before a press or a key."""
        self._seen[SENDER.get()] = number

    def forget(self, sender: str) -> None:
        """Forget what a window showed that has gone."""
        self._seen.pop(sender, None)

    def bound_to_shown(self, verb: Callable[..., Any]) -> Callable[..., None]:
        """Return what `bound` does, but nothing that was meant for what its window showed before."""

        def checked(*arguments: Any) -> Any:
            shown = self.opening.data.number
            if self._seen.get(SENDER.get(), shown) != shown:
                raise CorrectionError("that was meant for the case or mask before, so it was not done here.")
            return verb(*arguments)

        return self.bound(checked)

    def end(self) -> None:
        """Do nothing later any more: the event loop has ended."""
        self._ended = True


def _in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
