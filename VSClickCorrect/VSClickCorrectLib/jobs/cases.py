"""The cases of a command, each done by one function: in this process, by others here, by a cluster.

What is done with a case can be done again without harm, so one whose process died is simply done again.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from signal import SIGTERM
from threading import Thread
from typing import Generic, Protocol, TypeVar

from VSClickCorrectLib.errors import ProcessDied, VSClickError, enough_memory
from VSClickCorrectLib.signals import end_on_signals, end_workers, undone_by_signals

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class Outcome(Generic[Task, Result]):
    """What became of one case.

    Parameters
    ----------
    task : object
        Which case.
    answer : object
        What was returned, or the error that stands for it.
    """

    task: Task
    answer: Result | VSClickError

    @property
    def error(self) -> VSClickError | None:
        """Why the case could not be done; None if it was."""
        return self.answer if isinstance(self.answer, VSClickError) else None

    def result(self) -> Result:
        """Return what was returned of the case; raises the error that stands for it."""
        if isinstance(self.answer, VSClickError):
            raise self.answer
        return self.answer


class Workers(Protocol):
    """Who does the cases of a command."""

    def each(self, do: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Outcome[Task, Result]]:
        """Do every task, whatever becomes of the others.

        Parameters
        ----------
        do : callable
            Does one and can be called again without harm. It and the tasks go to other processes by pickle.
        tasks : sequence
            One for each case.

        Yields
        ------
        Outcome
            Of each task, as soon as it is known, so in any order.

        Raises
        ------
        ClusterError
            If the cluster cannot go on; what it has done is kept.
        """


class ThisProcess:
    """Does one case after the other itself."""

    def each(self, do: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Outcome[Task, Result]]:
        """See `Workers.each`."""
        for task in tasks:
            yield Outcome(task, attempt(do, task))


class Processes:
    """Processes that share the cores of this machine; the case of one that dies is done again.

    Parameters
    ----------
    number : int
        How many.
    """

    def __init__(self, number: int) -> None:
        self._number = number

    def each(self, do: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Outcome[Task, Result]]:
        """See `Workers.each`."""
        again = []
        for task, answer in _answers(do, tasks, self._number):
            if isinstance(answer, ProcessDied):
                again.append(task)
            else:
                yield Outcome(task, answer)
        for task in again:
            # Alone, for one process that dies takes the others of its pool with it.
            yield from (Outcome(*found) for found in _answers(do, [task], 1))


def attempt(do: Callable[[Task], Result], task: Task) -> Result | VSClickError:
    """Return what ``do`` returns of a task, or the error that a person is to be told."""
    try:
        with enough_memory():
            return do(task)
    except VSClickError as error:
        return error


def _answers(
    do: Callable[[Task], Result], tasks: Sequence[Task], number: int
) -> Iterator[tuple[Task, Result | VSClickError]]:
    waiting = deque(tasks)
    while waiting:
        yield from _until_one_dies(do, waiting, number)


def _until_one_dies(
    do: Callable[[Task], Result], waiting: deque[Task], number: int
) -> Iterator[tuple[Task, Result | VSClickError]]:
    """Take tasks from ``waiting`` and yield their answers, until none is left or a process has died."""
    # Not forked: torch's threads do not survive that.
    pool = ProcessPoolExecutor(number, get_context("spawn"), _begin, (number,))
    running: dict[Future, Task] = {}
    whole = True
    with undone_by_signals(end_workers), pool:
        while running or (whole and waiting):
            # No more than are done at once: what waits is not lost with a process.
            while whole and waiting and len(running) < number:
                try:
                    future = pool.submit(attempt, do, waiting[0])
                except BrokenProcessPool:
                    whole = False
                else:
                    running[future] = waiting.popleft()
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                task = running.pop(future)
                try:
                    yield task, future.result()
                except BrokenProcessPool:
                    whole = False
                    yield task, ProcessDied()


def _begin(number: int) -> None:
    """Make a new process one of several that do cases."""
    # Its share of the cores; torch and ITK read this as they are imported.
    for name in ("OMP_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"):
        os.environ.setdefault(name, str(max(1, (os.cpu_count() or 1) // number)))
    end_on_signals()
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        # As by a signal, which removes what is half-written.
        os.kill(os.getpid(), SIGTERM)
