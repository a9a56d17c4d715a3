"""The way to the next doubtful place, on the page in a real Chromium, with the networks that ship."""

import re
from importlib.util import find_spec

import pytest

if find_spec("playwright") is None:
    pytest.skip("the tests in a browser need the Python package playwright", allow_module_level=True)

from playwright.sync_api import expect

PATIENCE_MS = 60_000


@pytest.fixture
def page(serve_app, chromium):
    """The sample case, whose mask is wrong here and there."""
    server = serve_app("--device", "cpu")
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    troubles = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(server.url)
    expect(page.locator("#tool-include")).to_be_enabled(timeout=PATIENCE_MS)
    yield page
    context.close()
    assert troubles == []


def test_it_leads_to_a_marked_slice_and_a_click_there_makes_other_places(page):
    left = page.locator("#left-to-gain")
    expect(left).to_have_text(re.compile(r"DSC left to gain: about 0\.\d\d"), timeout=PATIENCE_MS)
    marks = page.locator(".vs-bar:has(.vs-doubt)")
    slices = [int(mark.get_attribute("title").split()[1]) for mark in marks.all()]
    assert slices
    page.keyboard.press("n")
    status = page.locator("#status")
    expect(status).to_have_text(re.compile(r"Place 1 of \d+, slice \d+: a click here is worth about 0\.\d+"))
    number = int(re.search(r"slice (\d+)", status.inner_text())[1])
    assert number in slices
    expect(page.locator("#slice")).to_have_text(re.compile(rf"Slice {number} /"))
    page.keyboard.press("d")
    page.click("text=Display")
    expect(page.locator("#switch-doubt")).to_be_checked()
    page.keyboard.press("Enter")
    expect(left).to_have_text("", timeout=PATIENCE_MS)
    expect(left).to_have_text(re.compile("DSC left to gain"), timeout=PATIENCE_MS)
