"""The browser app as a user starts it, in a process of its own, and where Chromium is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import which

from forking import CAN_FORK, Forked

CHROMIUM = which("chromium") or which("chromium-browser") or which("google-chrome")


class AppServer:
    """``vsclick app`` without a browser on a port of its own choice.

    Parameters
    ----------
    arguments
        What follows ``vsclick app --no-browser --port 0``.
    log : Path
        Where its output goes.
    environment
        Variables for the process on top of this one's.
    """

    def __init__(self, *arguments: object, log: Path, **environment: str) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = self._start(_words(arguments), output.fileno(), {**os.environ, **environment})

    @property
    def url(self) -> str:
        """Its address, once it is printed."""
        return _address(self.log, self._ended)

    def status(self) -> int:
        """Its exit status, once it has ended; within two minutes."""
        return self.process.wait(120)

    def _start(self, words: list[str], output: int, environment: dict[str, str]) -> subprocess.Popen | Forked:
        command = [sys.executable, "-m", "VSClickCorrectLib.cli.main", *words]
        return subprocess.Popen(command, stdout=output, stderr=output, env=environment)

    def _ended(self, seconds: float) -> bool:
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def close(self) -> None:
        """End it."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class ForkedApp(AppServer):
    """The same command in a process that has imported already, where how it starts is not what is tested."""

    def _start(self, words: list[str], output: int, environment: dict[str, str]) -> subprocess.Popen | Forked:
        if not CAN_FORK:
            return super()._start(words, output, environment)
        return Forked("forking:run_command", words, output, output, "apps", environment)


def _words(arguments: tuple[object, ...]) -> list[str]:
    return ["app", "--no-browser", "--port", "0", *map(str, arguments)]


def _address(log: Path, ended: Callable[[float], bool]) -> str:
    for _ in range(1200):
        found = re.search(r"runs at (http\S+)", log.read_text())
        if found:
            return found[1]
        if ended(0.1):
            break
    raise AssertionError(f"the app did not start:\n{log.read_text()}")
