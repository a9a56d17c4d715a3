"""The browser app as a user starts it, in a process of its own, and where Chromium is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from shutil import which

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
        command = [sys.executable, "-m", "VSClickCorrectLib.cli.main", "app", "--no-browser", "--port", "0"]
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [*command, *map(str, arguments)], stdout=output, stderr=output, env=os.environ | environment
            )

    @property
    def url(self) -> str:
        """Its address, once it is printed."""
        for _ in range(1200):
            found = re.search(r"runs at (http\S+)", self.log.read_text())
            if found:
                return found[1]
            try:
                self.process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            break
        raise AssertionError(f"the app did not start:\n{self.log.read_text()}")

    def close(self) -> None:
        """End it."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
