"""A lock a case, so that two people who share a folder do not work on one case at a time.

A lock is a small file that only one process can make; its time of change says when its holder was last heard
of. It holds for a while after that, so a crash frees the case by itself. What cannot be read holds as well.
"""

from __future__ import annotations

import ctypes
import json
import math
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from VSClickCorrectLib.errors import CaseLockedError, WorklistError
from VSClickCorrectLib.io.files import changing, read_ordinary, write_once
from VSClickCorrectLib.io.json_files import parse_json
from VSClickCorrectLib.io.process_lock import process_lock
from VSClickCorrectLib.worklist.clock import drive_time, told_drive_time

# A holder that was not heard of for so long is gone: several times the interval at which user interfaces
# call `Worklist.heartbeat`.
STALE_S = 600.0
# Others may take and leave a lock meanwhile, but not for ever.
_TRIES = 20
# Looking and removing takes milliseconds, on a slow drive more.
_PATIENCE_S = 5.0
# Numbers of the Windows interface: PROCESS_QUERY_LIMITED_INFORMATION, STILL_ACTIVE, ERROR_ACCESS_DENIED.
_QUERY, _STILL_ACTIVE, _ACCESS_DENIED = 0x1000, 259, 5


@dataclass(frozen=True)
class Holder:
    """Who has a case open.

    Parameters
    ----------
    annotator, host : str
        Initials and computer.
    process : int
        The process's number on that computer.
    token : str
        What tells this lock from every other.
    heard, since : float
        When the holder was last heard of, and since when they have it; seconds of `time.time`.
    problem : str
        Why the lock could not be read, so that nobody knows whose it is; empty if it could.
    space : str
        Among which processes the number counts, see `_space`; empty if it is not known.
    """

    annotator: str
    host: str
    process: int
    token: str
    heard: float
    since: float
    problem: str = ""
    space: str = ""

    def is_gone(self, now: float) -> bool:
        """Whether the holder has ended or was not heard of for long; ``now`` is a `drive_time`."""
        here = (self.host, self.space) == (socket.gethostname(), _space())
        if here and not _runs(self.process):
            return True
        return now - self.heard > STALE_S

    def __str__(self) -> str:
        if self.problem:
            return f"somebody whose lock cannot be read ({self.problem})"
        who = f"{self.annotator or 'somebody'} on {self.host or 'another computer'}"
        return f"{who} since {_clock(self.since)} (last heard of at {_clock(self.heard)})"


class CaseLock:
    """The lock of one case, held until `release`.

    Parameters
    ----------
    path : Path
        The lock's file.
    annotator : str
        Initials, for others to see.
    """

    def __init__(self, path: Path, annotator: str) -> None:
        self.path = path
        self._annotator = annotator
        self._token = uuid4().hex

    def take(self, case: str, take_over: bool = False) -> None:
        """Take the lock.

        Parameters
        ----------
        case : str
            The case's name, for the message.
        take_over : bool
            Whether to take it from somebody who still seems to be there.

        Raises
        ------
        CaseLockedError
            If somebody else has it; the message says who.
        StorageError
            If the folder cannot be written.
        """
        for _ in range(_TRIES):
            # The drive may have made it and told of a failure.
            if self._made() or self.held:
                return
            holder = holder_of(self.path)
            if holder is None:
                continue
            if not (take_over or holder.is_gone(drive_time(self.path.parent))):
                raise CaseLockedError(case, str(holder))
            self._clear(holder)
        raise CaseLockedError(case, "others who take and leave it all the time")

    @property
    def holder(self) -> Holder | None:
        """Who holds it, as `holder_of`."""
        return holder_of(self.path)

    @property
    def held(self) -> bool:
        """Whether the lock is still ours."""
        return self.is_ours(self.holder)

    def surely_held(self, case: str) -> bool:
        """Whether the lock of a case is still ours; raises `WorklistError` where it cannot be read."""
        holder = self.holder
        if holder is not None and holder.problem:
            raise WorklistError(
                f"the lock of case {case} cannot be read ({holder.problem}), so nothing was changed; check "
                "the disk or the network and try again."
            )
        return self.is_ours(holder)

    def is_ours(self, holder: Holder | None) -> bool:
        """Whether a holder of the lock is who took it by this object."""
        return holder is not None and holder.token == self._token

    def heartbeat(self) -> None:
        """Say that we are still there."""
        if self.held:
            # Whoever cannot write at all is told by what writes the record.
            with suppress(OSError):
                _date(self.path)

    def release(self) -> None:
        """Give the lock back, if it is still ours."""
        with self._removing():
            if self.held:
                _remove(self.path)

    def _made(self) -> bool:
        content = {
            "annotator": self._annotator,
            "host": socket.gethostname(),
            "process": os.getpid(),
            "space": _space(),
            "token": self._token,
            "since": drive_time(self.path.parent),
        }
        return write_once(self.path, json.dumps(content))

    @property
    def _aside(self) -> Path:
        return self.path.with_name(f".{self.path.name}.{self._token}")

    def _clear(self, holder: Holder) -> None:
        """Remove the lock of a holder, and no other that may have come in its place."""
        with self._removing():
            found = holder_of(self.path)
            if found is None or found.token != holder.token:
                return
            with changing(self.path.parent), suppress(FileNotFoundError):
                os.rename(self.path, self._aside)
                _remove(self._aside)

    @contextmanager
    def _removing(self) -> Iterator[None]:
        """Let one process at a time remove the lock, so that what it has looked at is what it removes."""
        guard = self.path.with_name(f".{self.path.name}.guard")
        with ExitStack() as held:
            # A drive that cannot be written is told of by whatever writes next.
            with suppress(OSError):
                held.enter_context(process_lock(guard, _PATIENCE_S))
            yield


def _date(path: Path) -> None:
    """Let a file be of now, by the clock of its drive: Windows and SMB would take this computer's."""
    try:
        now = told_drive_time(path.parent)
        os.utime(path, (now, now))
    except OSError:
        # A full drive has no room to ask it, and of a file that it takes for somebody else's only this may be
        # asked.
        os.utime(path)


def _remove(path: Path) -> None:
    # On a drive that has become read-only even a file that is not there cannot be removed. A lock that
    # stays is taken for left after a while.
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)


def holder_of(path: Path) -> Holder | None:
    """Return who holds a lock, None if nobody does; of one that cannot be read it is not known who."""
    try:
        content = read_ordinary(path)
        if content is None:
            return None
        heard = path.stat().st_mtime
    except OSError as error:
        return _unknown(path, error.strerror or str(error))
    try:
        return _holder_of(parse_json(content), heard)
    except (ValueError, KeyError, TypeError, OverflowError):
        # On a drive without links: it is being written this moment, or was when a computer went down.
        return Holder("", "", 0, "", heard, heard)


def _unknown(path: Path, problem: str) -> Holder | None:
    try:
        heard = path.lstat().st_mtime
    except FileNotFoundError:
        return None
    except OSError:
        heard = math.inf
    return Holder("", "", 0, "", heard, heard, problem)


def _holder_of(values: dict[str, Any], heard: float) -> Holder:
    """Return the holder that a lock names; raises an error if it is something else."""
    annotator, host, process, token = (values[name] for name in ("annotator", "host", "process", "token"))
    # Earlier versions did not write them.
    since, space = float(values.get("since", heard)), values.get("space", "")
    texts = (annotator, host, token, space)
    if not all(isinstance(text, str) for text in texts) or not 0 < process < 1 << 31:
        raise ValueError("no lock")
    return Holder(annotator, host, int(process), token, heard, since, space=space)


def _clock(seconds: float) -> str:
    """Return a time of day, with its date where that is not today's."""
    try:
        then = datetime.fromtimestamp(seconds)
    except (OSError, OverflowError, ValueError):
        return "a time that no clock shows"
    return then.strftime("%H:%M" if then.date() == datetime.now().date() else "%Y-%m-%d %H:%M")


@cache
def _space() -> str:
    """Return what tells the processes that this one can see from those of other containers and computers.

    A process's number says nothing outside of its own; names of computers are not enough, since containers
    share them. Systems other than Linux have one such space a computer.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except (OSError, ValueError):
        return ""


def _runs(process: int) -> bool:
    """Whether a process of this computer still runs."""
    if sys.platform == "win32":
        # There os.kill would end the process.
        handle = ctypes.windll.kernel32.OpenProcess(_QUERY, False, process)
        if handle:
            code = ctypes.c_ulong()
            ctypes.windll.kernel32.GetExitCodeProcess(handle, ctypes.byref(code))
            ctypes.windll.kernel32.CloseHandle(handle)
            return code.value == _STILL_ACTIVE
        return ctypes.windll.kernel32.GetLastError() == _ACCESS_DENIED
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
