"""Drives that fill up, become read-only or go away, as real ones do; and somebody who may not write.

Small drives are mounted in memory, for which a test must be run by root on Linux; else it is skipped.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

_NOBODY = 65534


class Drive:
    """A drive of its own under a folder.

    Parameters
    ----------
    folder : Path
        Where it is mounted.
    kilobytes : int
        How much it holds.
    """

    def __init__(self, folder: Path, kilobytes: int) -> None:
        self.folder = folder
        # A second place at which it is mounted keeps its files while the first is away.
        self._behind = folder.with_name(f"{folder.name}-behind")
        for place in (folder, self._behind):
            place.mkdir(parents=True, exist_ok=True)
        if not _mounted("-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", self._behind):
            pytest.skip("no drive can be mounted here; run the tests as root on Linux")
        self.come_back()

    def fill(self, leave: int = 0) -> None:
        """Fill it to the last byte, but for some bytes."""
        ballast = self._behind / "ballast"
        free = os.statvfs(self._behind)
        with ballast.open("wb") as stream:
            stream.write(b"\0" * max(0, free.f_bavail * free.f_frsize - leave))

    def make_room(self) -> None:
        """Remove what filled it."""
        (self._behind / "ballast").unlink()

    def become_read_only(self, read_only: bool = True) -> None:
        """Refuse every change from now on, or no longer."""
        _mounted("-o", f"remount,{'ro' if read_only else 'rw'}", self.folder)

    def vanish(self) -> None:
        """Go away as a network drive does, under whoever uses it."""
        subprocess.run(["umount", "-l", self.folder], check=True)

    def come_back(self) -> None:
        """Be there again, with what it held."""
        _mounted("--bind", self._behind, self.folder)

    def close(self) -> None:
        """Unmount everything."""
        for place in (self.folder, self._behind):
            subprocess.run(["umount", "-l", place], check=False, capture_output=True)


def _mounted(*arguments: object) -> bool:
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    return subprocess.run(["mount", *map(str, arguments)], check=False, capture_output=True).returncode == 0


def as_nobody(act: Callable[[], str]) -> str:
    """Return what ``act`` returns in a process of a user who owns nothing, so that permissions count."""
    if sys.platform == "win32" or os.geteuid() != 0:
        pytest.skip("only root can become another user")
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_act_as_nobody, args=(act, sender))
    child.start()
    sender.close()
    try:
        return receiver.recv()
    finally:
        child.join()


def _act_as_nobody(act: Callable[[], str], sender) -> None:
    os.setgid(_NOBODY)
    os.setuid(_NOBODY)
    sender.send(act())
