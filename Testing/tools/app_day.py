"""A long day in the browser app: the server in a process of its own, driven through Chromium's page."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from app_server import CHROMIUM, AppServer
from day_cases import DayCase
from playwright.sync_api import Page, sync_playwright

_PATIENCE_MS = 120_000
_KEYS = ("b", "b", "i", "b", "b", "x")
# The page follows a click after 0.3 s.
_SETTLED_MS = 400


class AppDay:
    """Works through a worklist in the browser; a context manager.

    Parameters
    ----------
    root : Path
        Cases lie in ``cases``, results go to ``results``.
    cases : list of DayCase
        What the cases are, in the worklist's order.
    clicks : int
        Clicks a case.
    options
        Further options of ``vsclick app``.
    """

    def __init__(self, root: Path, cases: list[DayCase], clicks: int = 10, *options: object) -> None:
        self.cases, self.clicks = cases, clicks
        self._server = AppServer(
            *("--worklist", root / "cases", "--output", root / "results", "--annotator", "AB", *options),
            log=root / "server.log",
        )
        self.page: Page

    def __enter__(self) -> AppDay:
        address = self._server.url
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--enable-precise-memory-info"]
        )
        context = self._browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
        self.page = context.new_page()
        self.page.goto(address)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._browser.close()
        self._playwright.stop()
        self._server.close()

    @property
    def process_id(self) -> int:
        """The server's process."""
        return self._server.process.pid

    def work(self) -> Iterator[list[float]]:
        """Work on case after case; yield the milliseconds of each click while the case is still open."""
        for number in range(len(self.cases)):
            self._says(r"Case \S+ is ready" if number else r"is ready|Ready")
            name = self.page.inner_text("#worklist-case")
            times = self._correct(np.random.default_rng(number))
            self._save()
            yield times
            self.page.click("#worklist-done")
            self.page.wait_for_function(
                # A mask that is hardly a tumour's is asked about.
                "name => { document.querySelector('.v-overlay--active #answer-ok')?.click();"
                " return document.querySelector('#worklist-case').innerText !== name; }",
                arg=name,
                timeout=_PATIENCE_MS,
            )

    def counts(self) -> dict[str, float]:
        """Return what the tab holds: JavaScript's heap in MB once garbage is collected, and its nodes."""
        tools = self.page.context.new_cdp_session(self.page)
        tools.send("HeapProfiler.enable")
        tools.send("HeapProfiler.collectGarbage")
        found = tools.send("Runtime.getHeapUsage")
        counters = tools.send("Memory.getDOMCounters")
        tools.detach()
        return {
            "heap_mb": found["usedSize"] / 2**20,
            "dom_nodes": counters["nodes"],
            "listeners": counters["jsEventListeners"],
        }

    def _correct(self, rng: np.random.Generator) -> list[float]:
        """Click in two rounds, undo, redo, take one click back, look at slices and at another layout."""
        page = self.page
        half = self.clicks // 2
        times = [self._click(n, rng) for n in range(half)]
        for key in ("Control+z", "Control+z", "Control+y", "Control+y", "n"):
            page.keyboard.press(key)
            page.wait_for_timeout(_SETTLED_MS)
        self._wait_for_clicks(half)
        page.get_by_role("button", name="Remove click 1", exact=True).click()
        self._wait_for_clicks(half - 1)
        page.keyboard.press("Control+z")
        self._wait_for_clicks(half)
        for key in ("PageUp", "PageDown"):
            page.keyboard.press(key)
        times += [self._click(n, rng) for n in range(half, self.clicks)]
        page.click("#layout-planes")
        page.wait_for_timeout(2 * _SETTLED_MS)
        page.click("#layout-axial")
        page.wait_for_timeout(2 * _SETTLED_MS)
        return times

    def _click(self, number: int, rng: np.random.Generator) -> float:
        """Click near the border of what is shown in the middle of the view."""
        page = self.page
        page.keyboard.press(_KEYS[number % len(_KEYS)])
        area = page.locator(".vs-over[data-view=T1ce]").bounding_box()
        angle, radius = rng.uniform(0, 2 * np.pi), rng.uniform(0.08, 0.14) * area["width"]
        x = area["x"] + area["width"] / 2 + radius * np.cos(angle)
        y = area["y"] + area["height"] / 2 + radius * np.sin(angle)
        started = time.perf_counter()
        page.mouse.click(x, y)
        self._wait_for_clicks(number + 1)
        elapsed = (time.perf_counter() - started) * 1000
        page.wait_for_timeout(_SETTLED_MS)
        return elapsed

    def _save(self) -> None:
        with self.page.expect_download(timeout=_PATIENCE_MS) as download:
            # What the menu's entry does; on a busy machine the menu itself moves too long to be hit.
            self.page.evaluate("window.vsclick.download('tumour.nii.gz')")
        download.value.delete()

    def _says(self, text: str) -> None:
        self.page.locator("#status", has_text=re.compile(text)).wait_for(timeout=_PATIENCE_MS)

    def _wait_for_clicks(self, count: int) -> None:
        self.page.wait_for_function(
            "n => document.querySelectorAll('.vs-click').length === n", arg=count, timeout=_PATIENCE_MS
        )
