"""A lock that one process holds at a time, and that the system gives back when its holder ends."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from VSClickCorrectLib.signals import undone_by_signals

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_TRIES = 100  # to take a lock whose file others remove at the same moment
_PAUSE_S = 0.01


@contextmanager
def process_lock(path: Path, patience_s: float = 0.0) -> Iterator[bool]:
    """Hold a file as a lock, and remove it afterwards.

    Parameters
    ----------
    path : Path
        The lock's file; its folder must be there.
    patience_s : float
        How long to wait for another process that holds it, in seconds.

    Yields
    ------
    bool
        Whether it is held; False if another process has it.

    Raises
    ------
    OSError
        If the file cannot be made.
    """
    descriptor = _held(path)
    end = time.monotonic() + patience_s
    while descriptor is None and time.monotonic() < end:
        time.sleep(_PAUSE_S)
        descriptor = _held(path)
    if descriptor is None:
        yield False
        return
    try:
        with undone_by_signals(lambda: _remove(path)):
            yield True
    finally:
        # Before it is let go, so that the next one makes a file of its own; Windows removes no open file.
        _remove(path)
        os.close(descriptor)
        if sys.platform == "win32":
            _remove(path)


def _held(path: Path) -> int | None:
    """Return the descriptor of a lock that is ours until this process ends; None if it is another's."""
    for _ in range(_TRIES):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        if not _lock(descriptor):
            os.close(descriptor)
            return None
        # Its last holder may have removed it between our opening and our locking.
        try:
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return descriptor
        except FileNotFoundError:
            pass
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)
    return None


def _lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        # Some network drives know no locks; files and folders appear whole there too.
        return True
    return True


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
