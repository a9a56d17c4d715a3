"""A drive that fails at random: reading and writing below a folder of it meet EIO, ESTALE, ENOSPC."""

from __future__ import annotations

import builtins
import errno
import io
import os
from contextlib import contextmanager

READING = (errno.EIO, errno.ESTALE)
WRITING = (errno.EIO, errno.ESTALE, errno.ENOSPC)
READS = ("stat", "lstat", "listdir", "scandir")
WRITES = ("replace", "rename", "link", "unlink", "mkdir", "rmdir", "utime", "fsync")
# Of a network drive the answer may be lost after the work was done.
LOST_ANSWERS = 0.3


class FaultyDrive:
    """Lets calls fail.

    Parameters
    ----------
    folder : Path
        Where; and in what has a descriptor and no name.
    chance : random.Random
        Decides.
    share : float
        How many of the calls fail.

    Attributes
    ----------
    faults : int
        How many have failed.
    """

    def __init__(self, folder, chance, share) -> None:
        self._folder = str(folder)
        self._chance = chance
        self._share = share
        self.faults = 0

    @contextmanager
    def attached(self):
        """Fail while this is entered."""
        names = [name for name in (*READS, *WRITES, "open") if hasattr(os, name)]
        before = {name: getattr(os, name) for name in names}
        really_open = builtins.open
        try:
            for name in names:
                setattr(os, name, self._failing(before[name], WRITING if name in WRITES else READING))
            builtins.open = io.open = self._opening(really_open)
            yield self
        finally:
            for name, function in before.items():
                setattr(os, name, function)
            builtins.open = io.open = really_open

    def fails(self):
        """Whether the next call fails."""
        failing = self._chance.random() < self._share
        self.faults += failing
        return failing

    def error(self, numbers):
        """An error of a drive."""
        number = self._chance.choice(numbers)
        return OSError(number, os.strerror(number))

    def answer_is_lost(self):
        """Whether a call that fails has done its work all the same."""
        return self._chance.random() < LOST_ANSWERS

    def _failing(self, function, numbers):
        def call(target, *arguments, **named):
            if not (self._is_ours(target) and self.fails()):
                return function(target, *arguments, **named)
            if numbers is WRITING and self.answer_is_lost():
                function(target, *arguments, **named)
            raise self.error(numbers)

        return call

    def _opening(self, function):
        def call(file, mode="r", buffering=-1, *arguments, **named):
            if not self._is_ours(file):
                return function(file, mode, buffering, *arguments, **named)
            if self.fails():
                raise self.error(READING if mode in ("r", "rb") else WRITING)
            if buffering == 0 and "r" not in mode:
                return _FaultyFile(file, mode, self)
            return function(file, mode, buffering, *arguments, **named)

        return call

    def _is_ours(self, target):
        if isinstance(target, int):
            return True
        return isinstance(target, (str, os.PathLike)) and os.fspath(target).startswith(self._folder)


class _FaultyFile(io.FileIO):
    """A file opened for writing without a buffer."""

    def __init__(self, file, mode, drive) -> None:
        super().__init__(file, mode)
        self._drive = drive

    def write(self, content):
        if self._drive.fails():
            super().write(bytes(content)[: len(content) // 2])
            raise self._drive.error(WRITING)
        return super().write(content)

    def truncate(self, size=None):
        if self._drive.fails():
            raise self._drive.error(READING)
        return super().truncate(size)

    def close(self):
        open_before = not self.closed
        super().close()
        if open_before and self._drive.fails():
            raise self._drive.error(WRITING)
