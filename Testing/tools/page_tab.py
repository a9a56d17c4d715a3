"""A tab of the browser with the page in it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

_PATIENCE_MS = 60_000
# Chromium answers a move of the mouse with the next frame. Where none is due the answer never came once.
_FRAMES = "setInterval(() => requestAnimationFrame(() => {}), 200)"
# The numbers of the pictures that are on the screen.
_SHOWN = """[...document.querySelectorAll('.vs-slice-view')].map(
  (over) => over.parentElement.querySelector('.vs-picture')?.dataset.number ?? '')"""
_STILL = 3


@contextmanager
def ready_tab(chromium, url, width, height, line=None) -> Iterator:
    """Open the page, so many pixels wide and high, and wait until it is ready.

    A ``line`` stands between the page and its server: it takes what `BrowserContext.route_web_socket` gives.
    The tab's ``troubles`` are what its scripts have raised.
    Downloads are accepted, as they are unless playwright is told otherwise.
    """
    context = chromium.new_context(viewport={"width": width, "height": height})
    context.add_init_script(_FRAMES)
    if line is not None:
        context.route_web_socket(re.compile(".*"), line)
    tab = context.new_page()
    tab.troubles = []
    tab.on("pageerror", lambda error: tab.troubles.append(str(error)))
    tab.goto(url)
    ready(tab)
    yield tab
    context.close()


def ready(page) -> None:
    """Wait until a page has opened its case and shows it: a press on a picture from before is refused."""
    from playwright.sync_api import expect

    expect(page.locator("#status")).to_have_text(re.compile("Ready"), timeout=_PATIENCE_MS)
    shown: list[list[str]] = []
    for _ in range(300):
        shown.append(page.evaluate(_SHOWN))
        if all(shown[-1]) and shown[-1] and shown[-_STILL:] == [shown[-1]] * _STILL:
            return
        page.wait_for_timeout(200)
    raise AssertionError(f"the page never came to show pictures: {shown[-1]}")
