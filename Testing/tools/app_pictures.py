"""Take the pictures of the browser app: the synthetic case after a few clicks, at 1366×768 and 1920×1080.

``python Testing/tools/app_pictures.py`` writes app.png and app-planes.png into Resources/Screenshots. Needs
Chromium and the Python package playwright.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from app_server import CHROMIUM, AppServer
from playwright.sync_api import Page, sync_playwright

PICTURES = Path(__file__).resolve().parents[2] / "Resources" / "Screenshots"
# Where the clicks go: kind's key, and pixels from the middle of the T1ce view, which shows the tumour.
CLICKS = (("b", -30, -30), ("b", 44, 8), ("i", -8, 24))


def main() -> None:
    """Start the app, click, and take the pictures."""
    with TemporaryDirectory(prefix="vsclick-pictures-") as folder:
        server = AppServer(log=Path(folder) / "log.txt")
        try:
            _take_pictures(server.url)
        finally:
            server.close()


def _take_pictures(address: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.goto(address)
        page.locator("#status", has_text="Ready").wait_for(timeout=120_000)
        page.wait_for_timeout(3000)
        for key, right, down in CLICKS:
            page.keyboard.press(key)
            _click(page, right, down)
        page.keyboard.press("Shift+R")
        page.wait_for_timeout(2000)
        page.screenshot(path=PICTURES / "app.png")
        page.set_viewport_size({"width": 1920, "height": 1080})
        page.click("#layout-planes")
        page.click("#tab-measures")
        page.wait_for_timeout(5000)
        page.screenshot(path=PICTURES / "app-planes.png")
        browser.close()


def _click(page: Page, right: int, down: int) -> None:
    area = page.locator(".vs-over[data-view=T1ce]").bounding_box()
    page.mouse.click(area["x"] + area["width"] / 2 + right, area["y"] + area["height"] / 2 + down)
    page.wait_for_timeout(2500)


if __name__ == "__main__":
    main()
