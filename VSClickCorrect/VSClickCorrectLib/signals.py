"""Signals end the program in one way: what must not stay is removed, a line said, the status tells which."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import active_children

from VSClickCorrectLib.errors import VSClickError

# Ctrl+C, the end of a session or of the system, and a terminal that was closed.
_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class _Ends:
    """How this process ends: what is undone then, what is said, and what has to be finished first."""

    def __init__(self) -> None:
        self.undos: dict[object, Callable[[], object]] = {}
        self.saying = ""
        self.holding: list[Callable[[], object]] = []
        self.pending: int | None = None
        self.ending = False
        self.forked = False

    def on_signal(self, number: int, _frame: object) -> None:
        if self.holding and self.pending is None:
            self.pending = number
            for hasten in self.holding:
                hasten()
        elif not self.holding:
            self.end(number)

    def end(self, number: int) -> None:
        if self.ending:
            return
        self.ending = True
        try:
            for undo in reversed(list(self.undos.values())):
                with suppress(OSError, VSClickError):
                    undo()
            if not self.forked:
                # Other libraries' temporary folders.
                atexit._run_exitfuncs()
            # What was interrupted may have been printing, which must not be entered twice.
            with suppress(OSError, RuntimeError, ValueError):
                sys.stdout.flush()
            os.write(2, self.saying.encode())
        finally:
            # An exception would surface wherever the program is, and not everything lets it pass.
            os._exit(128 + number)

    def forget(self) -> None:
        """Begin anew in a forked child: what is its parent's is the parent's to end and to tell."""
        vars(self).update({**vars(_Ends()), "forked": True})


_ends = _Ends()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_ends.forget)


def end_on_signals(saying: str = "") -> None:
    """Let signals end this process as a whole: undo what must not stay, say a line, status 128 + its number.

    A signal that is ignored, as by ``nohup``, stays so. To be called in the main thread.

    Parameters
    ----------
    saying : str
        What is written to standard error then, with its line's end.
    """
    _ends.saying = saying
    for number in _SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _ends.on_signal)


def ignore_signals() -> None:
    """Let a process that has done its work end as it is about to."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def undo_on_signals(undo: Callable[[], object]) -> Callable[[], object]:
    """Have ``undo`` called where a signal ends the process; return what takes that back."""
    key = object()
    _ends.undos[key] = undo
    return lambda: _ends.undos.pop(key, None)


@contextmanager
def undone_by_signals(undo: Callable[[], object]) -> Iterator[None]:
    """Have ``undo`` called where a signal ends the process before the block does."""
    forget = undo_on_signals(undo)
    try:
        yield
    finally:
        forget()


@contextmanager
def finished_before_signals(hasten: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Let a signal end the process only after the block.

    Parameters
    ----------
    hasten : callable
        Called at once when there is one, so that a block that would go on for ever ends.
    """
    _ends.holding.append(hasten)
    try:
        yield
    finally:
        _ends.holding.remove(hasten)
        if _ends.pending is not None and not _ends.holding:
            _ends.end(_ends.pending)


def end_workers() -> None:
    """Let worker processes remove what is theirs; a worker whose parent is gone would wait for ever."""
    for worker in active_children():
        worker.terminate()
    for worker in active_children():
        worker.join()
