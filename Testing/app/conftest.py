"""A small case for the app, the app in this process without a browser, and a real Chromium."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from types import SimpleNamespace

import numpy as np
import pytest
from bright_ball import ball, ball_volume, write_image

collect_ignore_glob = ["test_*.py"] if find_spec("trame_slicer") is None else []

CHROMIUM = which("chromium") or which("chromium-browser") or which("google-chrome")
# In a container there is no sandbox, and nothing but the page itself is to be loaded.
_QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_RADIUS_MM = 5.0


@pytest.fixture(scope="session")
def case_files(tmp_path_factory):
    """T1ce, T2 and start as NIfTI files."""
    folder = tmp_path_factory.mktemp("case")
    return SimpleNamespace(
        t1ce=write_image(folder / "t1ce.nii.gz", ball_volume().array),
        t2=write_image(folder / "t2.nii.gz", ball_volume(t2=True).array),
        mask=write_image(folder / "mask.nii.gz", ball(radius=START_RADIUS_MM).astype(np.uint8)),
    )


class Server:
    """The app as a user starts it, in a process of its own.

    Parameters
    ----------
    arguments
        What follows ``vsclick app --no-browser --port 0``.
    log : Path
        Where its output goes.
    """

    def __init__(self, *arguments, log: Path) -> None:
        command = [sys.executable, "-m", "VSClickCorrectLib.cli.main", "app", "--no-browser", "--port", "0"]
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen([*command, *map(str, arguments)], stdout=output, stderr=output)

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


@pytest.fixture(scope="session")
def start_app(tmp_path_factory):
    """Start the app with arguments; it ends with the session."""
    servers = []

    def start(*arguments):
        servers.append(Server(*arguments, log=tmp_path_factory.mktemp("server") / "log.txt"))
        return servers[-1]

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()


@pytest.fixture(scope="session")
def chromium():
    """A running Chromium."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed; on Debian or Ubuntu: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_QUIET)
        yield browser
        browser.close()
