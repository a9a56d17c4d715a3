"""What people of a group cost: memory of each one's processes, and seconds until their page is ready.

python Testing/benchmarks/group.py
python Testing/benchmarks/group.py --shape 120 512 512

Needs nginx, openssl, Chromium and the Python package playwright. People open the page of one worklist at the
same time, through nginx, as a user does; memory is that of a process and its children, pages that others have
too by their share (PSS).
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright
from scipy.ndimage import zoom
from VSClickCorrectLib.io.images import write_mask, write_volume
from VSClickCorrectLib.io.sample_case import read_sample

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
from app_server import CHROMIUM
from find_times import large_case
from process_figures import children_of, figures
from served_group import ServedGroup

_PATIENCE_MS = 200_000
# Memory that is free goes back to the system, and doubts are worked out.
_SETTLED_MS = 10_000
_IDLE_MS = 10_000
# What the system itself takes, and its cache of files that are read again and again.
_RESERVED_GB = 3.0


def write_cases(folder: Path, count: int, shape: list[int] | None) -> None:
    """Write the sample case with its mask under several names, on a finer grid if a shape is given."""
    sample = read_sample()
    case, start = sample.case, sample.start
    if shape:
        case = large_case(tuple(shape))
        start = zoom(start, np.array(shape) / start.shape, order=0)
    first = folder / "case0"
    first.mkdir(parents=True)
    for name, volume in case.present.items():
        write_volume(first / f"{name}.nii", volume)
    write_mask(first / "mask.nii.gz", start, case.grid)
    for number in range(1, count):
        shutil.copytree(first, folder / f"case{number}")


class Person:
    """Somebody who opens the page.

    Parameters
    ----------
    group : ServedGroup
        What is opened.
    browser : Browser
        With what.
    login : str
        As whom.
    """

    def __init__(self, group: ServedGroup, browser: Browser, login: str) -> None:
        self.login, self.sent = login, 0
        context = browser.new_context(
            ignore_https_errors=True,
            http_credentials={"username": login, "password": login},
            viewport={"width": 1280, "height": 800},
        )
        self.page: Page = context.new_page()
        self.page.on("websocket", self._watch)
        self.begun = time.perf_counter()
        self.page.goto(group.url)

    def ready(self) -> float:
        """Wait for the first case; return the seconds since the page was opened."""
        self.says("Case .* is ready")
        return time.perf_counter() - self.begun

    def says(self, text: str) -> None:
        """Wait for a sentence."""
        self.page.locator("#status", has_text=re.compile(text)).wait_for(timeout=_PATIENCE_MS)

    def find(self) -> None:
        """Begin to look for the tumour."""
        self.page.click("#find")

    def _watch(self, connection) -> None:
        connection.on("framesent", lambda _: setattr(self, "sent", self.sent + 1))


def tree(pid: int) -> Iterator[int]:
    """Yield a process and all below it."""
    yield pid
    for path in (Path("/proc") / str(pid) / "task").glob("*/children"):
        for child in path.read_text().split():
            yield from tree(int(child))


def memory_mb(pid: int) -> float:
    """Return the memory of a process and all below it."""
    total = 0.0
    for one in tree(pid):
        try:
            total += figures(one).pss_mb
        except OSError:
            # It has ended meanwhile.
            continue
    return total


def measured(group: ServedGroup, browser: Browser, logins: list[str]) -> dict[str, float]:
    """Return seconds and megabytes, of a person the mean."""
    people = [Person(group, browser, login) for login in logins]
    found = {"page opened to first case ready, all at once, s": max(one.ready() for one in people)}
    page, server = people[0].page, group.server.pid
    each = children_of(server)

    def settled() -> float:
        page.wait_for_timeout(_SETTLED_MS)
        return mean(memory_mb(pid) for pid in each)

    found["a person, case open, MB"] = settled()
    before = sum(one.sent for one in people)
    page.wait_for_timeout(_IDLE_MS)
    found["messages of a page in which nothing is done, a minute"] = (
        (sum(one.sent for one in people) - before) * 60_000 / _IDLE_MS / len(people)
    )
    people[0].find()
    page.locator("#cancel").wait_for(timeout=_PATIENCE_MS)
    peak = 0.0
    while page.locator("#cancel").count():
        peak = max(peak, memory_mb(each[0]))
        page.wait_for_timeout(50)
    found["a person, while the tumour is looked for, at most, MB"] = peak
    page.keyboard.press("x")
    page.keyboard.press("Enter")
    found["a person, after a search and a click, MB"] = settled()
    for one in people:
        while one.page.locator("#case").inner_text():
            one.page.keyboard.press("Shift+S")
            one.page.wait_for_timeout(500)
    found["a person, page open and no case, MB"] = settled()
    found["the server before them, MB"] = figures(server).pss_mb
    return found


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=2)
    parser.add_argument(
        "--shape", type=int, nargs=3, metavar="N", help="slices, rows, columns; else the sample's"
    )
    options = parser.parse_args()
    logins = [f"person{number}" for number in range(options.people)]
    with TemporaryDirectory(prefix="vs-") as name, sync_playwright() as playwright:
        folder = Path(name)
        write_cases(folder / "cases", options.people, options.shape)
        arguments = ("--output", folder / "results", "--people", options.people)
        group = ServedGroup(folder, dict(zip(logins, logins, strict=True)), folder / "cases", *arguments)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            found = measured(group, browser, logins)
        finally:
            browser.close()
            group.close()
    for what, value in found.items():
        print(f"{what:60s} {value:8.1f}")
    most = found["a person, after a search and a click, MB"] / 1024
    search = found["a person, while the tumour is looked for, at most, MB"] / 1024 - most
    for memory in (16, 32, 64):
        # Not all search at once: one in four.
        print(f"people on {memory} GB: {int((memory - _RESERVED_GB) / (most + max(search, 0) / 4))}")


if __name__ == "__main__":
    main()
