"""A lock a case, so that two people who share a folder do not work on one case at a time.

A lock is a small file that only one process can make; its time of change says when its holder was last heard
of. It holds for a while after that, so a crash frees the case by itself.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from VSClickCorrectLib.errors import CaseTaken, WorklistError

# A holder that was not heard of for so long is gone: several times the interval at which user interfaces
# call `Worklist.beat`, and more than clocks of one network differ.
STALE_S = 600.0
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
    """

    annotator: str
    host: str
    process: int
    token: str
    heard: float
    since: float

    @property
    def gone(self) -> bool:
        """Whether the holder has ended or was not heard of for long."""
        if self.host == socket.gethostname() and not _runs(self.process):
            return True
        return time.time() - self.heard > STALE_S

    def __str__(self) -> str:
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
        CaseTaken
            If somebody else has it; the message says who.
        WorklistError
            If the folder cannot be written.
        """
        while not self._made():
            holder = holder_of(self.path)
            if holder is None:
                continue
            if not (take_over or holder.gone):
                raise CaseTaken(case, str(holder))
            self._clear(holder)

    @property
    def held(self) -> bool:
        """Whether the lock is still ours."""
        holder = holder_of(self.path)
        return holder is not None and holder.token == self._token

    def beat(self) -> None:
        """Say that we are still there."""
        if self.held:
            # Whoever cannot write at all is told by what writes the record.
            with suppress(OSError):
                os.utime(self.path)

    def release(self) -> None:
        """Give the lock back, if it is still ours."""
        if self.held:
            _remove(self.path)

    def _made(self) -> bool:
        content = {
            "annotator": self._annotator,
            "host": socket.gethostname(),
            "process": os.getpid(),
            "token": self._token,
            "since": time.time(),
        }
        whole = self._aside
        try:
            whole.write_text(json.dumps(content), encoding="utf-8")
            _link(whole, self.path)
        except FileExistsError:
            return False
        except OSError as error:
            raise _unwritable(self.path, error) from None
        finally:
            _remove(whole)
        return True

    @property
    def _aside(self) -> Path:
        return self.path.with_name(f".{self.path.name}.{self._token}")

    def _clear(self, holder: Holder) -> None:
        """Remove the lock of a holder, and no other that may have come in its place."""
        aside = self._aside
        try:
            os.rename(self.path, aside)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _unwritable(self.path, error) from None
        moved = holder_of(aside)
        if moved is not None and moved.token != holder.token:
            # Somebody was faster and holds it now.
            os.rename(aside, self.path)
            return
        _remove(aside)


def _unwritable(path: Path, error: OSError) -> WorklistError:
    return WorklistError(f"cannot write into {path.parent} ({error.strerror}); choose another folder.")


def _remove(path: Path) -> None:
    # On a drive that has become read-only even a file that is not there cannot be removed. A lock that
    # stays is taken for left after a while.
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _link(whole: Path, path: Path) -> None:
    """Let a finished file appear under a name that nobody has, so that no lock is ever seen half written.

    Raises
    ------
    FileExistsError
        If somebody has the name.
    OSError
        If the folder cannot be written.
    """
    try:
        os.link(whole, path)
    except FileExistsError:
        raise
    except OSError:
        # exFAT and some network drives know no links.
        with path.open("xb") as stream:
            stream.write(whole.read_bytes())


def holder_of(path: Path) -> Holder | None:
    """Return who holds a lock, None if nobody does."""
    try:
        text = path.read_text(encoding="utf-8")
        heard = path.stat().st_mtime
    except OSError:
        return None
    try:
        values = json.loads(text)
        who = (values["annotator"], values["host"], values["process"], values["token"])
        # Earlier versions did not write it.
        return Holder(*who, heard, float(values.get("since", heard)))
    except (ValueError, KeyError, TypeError):
        # On a drive without links: it is being written this moment, or was when a computer went down.
        return Holder("", "", 0, "", heard, heard)


def _clock(seconds: float) -> str:
    """Return a time of day, with its date where that is not today's."""
    then = datetime.fromtimestamp(seconds)
    return then.strftime("%H:%M" if then.date() == datetime.now().date() else "%Y-%m-%d %H:%M")


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
