"""The browser app as a user starts it, in a process of its own, and where Chromium is."""

from __future__ import annotations

import multiprocessing
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import which

CHROMIUM = which("chromium") or which("chromium-browser") or which("google-chrome")
# What the app imports, and what takes longer to import than to use.
_IMPORTED = [
    "VSClickCorrectLib.cli.main",
    "VSClickCorrectApp.server",
    "VSClickCorrectApp.sources",
    "VSClickCorrectLib.inference.initial",
    "VSClickCorrectLib.inference.corrector",
]


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
        command = [sys.executable, "-m", "VSClickCorrectLib.cli.main", *_words(arguments)]
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command, stdout=output, stderr=output, env=os.environ | environment
            )

    @property
    def url(self) -> str:
        """Its address, once it is printed."""
        return _address(self.log, self._ended)

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


class ForkedApp:
    """The same command in a process that has imported already, where how it starts is not what is tested.

    All of them are forked off one process, which imports once what takes seconds to import.

    Parameters
    ----------
    arguments, log
        As for `AppServer`.
    """

    def __init__(self, *arguments: object, log: Path) -> None:
        self.log = log
        log.touch()
        self.process = _forking().Process(target=_run, args=(_words(arguments), str(log)), daemon=True)
        self.process.start()

    @property
    def url(self) -> str:
        """Its address, once it is printed."""
        return _address(self.log, self._ended)

    def status(self) -> int | None:
        """Its exit status, once it has ended; within two minutes."""
        self.process.join(120)
        return self.process.exitcode

    def _ended(self, seconds: float) -> bool:
        self.process.join(seconds)
        return self.process.exitcode is not None

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.join()


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


def _forking():
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_IMPORTED)
    return context


def _run(words: list[str], log: str) -> None:
    with open(log, "wb") as output:
        for standard in (1, 2):
            os.dup2(output.fileno(), standard)
    from VSClickCorrectLib.cli.main import main

    sys.exit(main(words))
