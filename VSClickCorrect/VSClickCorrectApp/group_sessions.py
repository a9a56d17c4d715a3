"""The sessions of a group: one process for each annotator, and no more than there are places."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from VSClickCorrectLib.errors import VSClickError, on_one_line

from VSClickCorrectApp.annotator_session import AnnotatorSession

# A process that does not answer by then never will.
_START_S = 300.0
_LOOK_S = 5.0


class PlacesTaken(VSClickError):
    """There are as many sessions as there may be."""


class SpelledOtherwise(VSClickError):
    """Somebody is there whose name differs by capitals alone."""


class NotStarted(VSClickError):
    """An annotator's process ended before it answered."""


class GroupSessions:
    """Begins, finds and ends sessions, whose processes know nothing of each other.

    Parameters
    ----------
    command : sequence of str
        What starts a process, see `AnnotatorSession.run`.
    people : int
        How many there may be at a time.
    idle_s : float
        Seconds without a sign of the annotator after which a session ends.
    say : callable
        Gets a line about what happens.
    """

    def __init__(
        self, command: Sequence[str], people: int, idle_s: float, say: Callable[[str], object]
    ) -> None:
        self._command = tuple(command)
        self._people = people
        self._idle_s = idle_s
        self._say = say
        self._sessions: dict[str, AnnotatorSession] = {}
        self._lives: set[asyncio.Task[None]] = set()
        self._failed: set[str] = set()

    def find(self, annotator: str) -> AnnotatorSession | None:
        """Return an annotator's session, if it is there and answers."""
        session = self._sessions.get(annotator)
        return session if session is not None and session.ready else None

    def enter(self, annotator: str) -> AnnotatorSession:
        """Return an annotator's one session, which begins if there is none; it may not answer yet.

        Raises
        ------
        PlacesTaken
            If all places are taken by others.
        SpelledOtherwise
            If somebody is there whose name differs by capitals alone: whether it is the same person, only the
            login knows.
        NotStarted
            If the last try failed; told once, so that the next one is the annotator's own wish.
        """
        if annotator in self._failed:
            self._failed.remove(annotator)
            raise NotStarted(
                "your session could not be started; whoever runs this server finds the reason in its log. "
                "Load the page again for another try."
            )
        if annotator not in self._sessions:
            self._check_spelling(annotator)
            if len(self._sessions) >= self._people:
                raise PlacesTaken(f"all places are taken ({self._people} in all); try again later.")
            session = self._sessions[annotator] = AnnotatorSession(annotator)
            life = asyncio.create_task(self._live(session))
            self._lives.add(life)
            life.add_done_callback(self._lives.discard)
        return self._sessions[annotator]

    def _check_spelling(self, annotator: str) -> None:
        for other in self._sessions:
            if other.casefold() == annotator.casefold():
                raise SpelledOtherwise(
                    f"{other} is at work already, and {annotator} may be the same person; if you are, log in "
                    f"as {other}, else try again later."
                )

    async def watch(self) -> None:
        """End sessions whose annotators do nothing, or that do not answer; goes on until it is cancelled."""
        while True:
            await asyncio.sleep(min(_LOOK_S, self._idle_s / 4))
            for session in list(self._sessions.values()):
                waited = self._idle_s if session.port is not None else _START_S
                if session.silent_s > waited and not session.ending:
                    self._say(f"{session.annotator}: nothing was heard for {waited / 60:.0f} minutes")
                    session.end()

    async def close(self) -> None:
        """End all sessions; their cases are closed and their journals whole when this returns."""
        for session in self._sessions.values():
            session.end()
        if self._lives:
            await asyncio.wait(self._lives)

    async def _live(self, session: AnnotatorSession) -> None:
        name = session.annotator
        self._say(f"{name} came, {len(self._sessions)} of {self._people} places are taken")
        try:
            status = await session.run(self._command, lambda line: self._say(f"{name}: {on_one_line(line)}"))
            said = f"ended with status {status}"
        # Of the second kind is a name that this system's command lines cannot hold.
        except (OSError, ValueError) as error:
            said = f"cannot be started ({error})"
        finally:
            del self._sessions[name]
        if session.port is None:
            self._failed.add(name)
        self._say(f"{name}'s session {said}, {len(self._sessions)} of {self._people} places are taken")
