"""What is done while the views' pictures are still on their way, in a real Chromium."""

import json
import re
from importlib.util import find_spec

import numpy as np
import pytest
from bright_ball import CENTER, GRID, ball, world
from page_mouse import pixel_of, saved_mask, settled, undo_all, until
from page_tab import ready_tab

if find_spec("playwright") is None:
    pytest.skip("the tests in a browser need the Python package playwright", allow_module_level=True)

from playwright.sync_api import expect

PATIENCE_MS = 60_000
START = ball(radius=5.0)
AWAY = np.add(CENTER, (-14.0, 0.0, 0.0))
# What trame-rca sends pictures as.
PICTURE = b"trame.rca.topic.stream"
# The number of the picture that is on the screen.
SHOWN = "document.querySelector('[data-area=T1ce] .vs-picture').dataset.number"
# What is on the screen of that view.
PIXELS = """() => {
  const image = document.querySelector('[data-area=T1ce] img');
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  canvas.getContext('2d').drawImage(image, 0, 0);
  return canvas.toDataURL();
}"""


class Line:
    """The connection of a page, on which pictures may be held up."""

    def __init__(self):
        self.held, self._waiting, self._page = False, [], None

    def route(self, page):
        """Stand between the page and its server; for `BrowserContext.route_web_socket`."""
        self._page, server = page, page.connect_to_server()
        server.on_message(self._on_message)

    def _on_message(self, message):
        if self.held and isinstance(message, bytes) and PICTURE in message:
            self._waiting.append(message)
        else:
            self._page.send(message)

    def let_go(self):
        """Let all pictures come that were held up."""
        self.held = False
        for message in self._waiting:
            self._page.send(message)
        self._waiting.clear()


@pytest.fixture(scope="module")
def line():
    return Line()


@pytest.fixture(scope="module")
def tab(serve_app, case_files, bright_models, chromium, line):
    server = serve_app(
        *("--t1ce", case_files.t1ce, "--t2", case_files.t2, "--mask", case_files.mask),
        *("--models", bright_models, "--device", "cpu"),
    )
    with ready_tab(chromium, server.url, 1280, 800, line.route) as tab:
        yield tab


@pytest.fixture
def page(tab, line):
    """The page with boundary clicks chosen, as when the case was opened, and all pictures there."""
    tab.click("#tool-boundary")
    tab.click("#zoom")
    expect(tab.locator("#slice")).to_have_text("Slice 13 / 24")
    tab.mouse.move(*pixel_of(tab, AWAY))
    settled(tab, lambda: tab.evaluate(SHOWN))
    yield tab
    line.let_go()
    undo_all(tab)
    assert tab.troubles == []


def positions(journal):
    """Where the clicks of a journal lie, RAS mm."""
    events = [json.loads(line) for line in journal.read_text().splitlines()]
    return [click["ras"] for event in events for click in event.get("clicks", ())]


def slices(found):
    return np.flatnonzero(found.any(axis=(1, 2))).tolist()


def test_a_click_counts_where_it_was_seen_though_the_server_shows_another_slice_already(page, line, tmp_path):
    seen = np.add(CENTER, (5.5, 0.0, 0.0))
    border = pixel_of(page, seen)
    line.held = True
    page.keyboard.press("PageUp")
    expect(page.locator("#slice")).to_have_text("Slice 14 / 24")
    page.mouse.click(*border)
    expect(page.locator(".vs-click")).to_have_count(1, timeout=PATIENCE_MS)
    expect(page.locator(".vs-click")).to_contain_text("slice 13")
    line.let_go()
    with page.expect_download(timeout=PATIENCE_MS) as download:
        page.evaluate("() => void window.vsclick.download('journal.jsonl')")
    download.value.save_as(tmp_path / "journal.jsonl")
    (placed,) = positions(tmp_path / "journal.jsonl")
    # A pixel is a sixth of a millimetre; slice 14 lies 1.5 mm above.
    np.testing.assert_allclose(placed, (*seen[:2], GRID.index_to_ras((12, 0, 0))[2]), atol=0.2)


def test_a_stroke_is_painted_in_the_slice_and_at_the_zoom_that_were_seen(page, line, tmp_path):
    page.click("#tool-brush")
    expect(page.locator("#tool-brush")).to_have_attribute("aria-pressed", "true")
    place = pixel_of(page, AWAY)
    line.held = True
    page.evaluate("window.trame.trigger('vs_key', ['fit'])")
    page.evaluate("window.trame.trigger('vs_key', ['up'])")
    expect(page.locator("#slice")).to_have_text("Slice 14 / 24")
    page.mouse.click(*place)
    expect(page.locator("#status")).to_have_text(re.compile("rush stroke"), timeout=PATIENCE_MS)
    line.let_go()
    page.click("#tool-look")
    added = saved_mask(page, tmp_path) & ~START
    far = np.linalg.norm(world(GRID)[12, ..., :2] - AWAY[:2], axis=-1)
    # The disc's radius is 3 mm; pixels are a sixth of a millimetre.
    assert slices(added) == [12]
    assert added[12][far <= 2.7].all() and not added[12][far > 3.3].any()


@pytest.mark.parametrize("by", ["drag", "clicks"])
def test_a_distance_lies_in_the_slice_that_was_seen_and_what_is_told_under_the_pointer_too(page, line, by):
    places = [pixel_of(page, np.add(AWAY, (0.0, front, 0.0))) for front in (0.0, 9.0)]
    page.keyboard.press("l")
    line.held = True
    page.keyboard.press("PageUp")
    expect(page.locator("#slice")).to_have_text("Slice 14 / 24")
    page.keyboard.press("r")
    if by == "clicks":
        for place in places:
            page.mouse.click(*place)
    else:
        page.mouse.move(*places[0])
        page.mouse.down()
        page.mouse.move(*places[1], steps=3)
        page.mouse.up()
    expect(page.locator("#readout")).to_have_text(re.compile(r"S 18\.0 mm · voxel \d+, \d+, 12 "))
    page.mouse.move(5, 5)
    line.let_go()
    page.click("#zoom")
    lengths = page.locator("[data-view=T1ce] .vs-length")
    expect(page.locator("#slice")).to_have_text("Slice 13 / 24")
    expect(lengths).to_have_text("9.0 mm")
    page.click("#measure")
    expect(page.locator("#measure")).not_to_have_class(re.compile("v-btn--active"))
    lengths.click()
    expect(lengths).to_have_count(0)


def test_a_click_is_not_overtaken_by_a_key_that_is_pressed_after_it(page, line, tmp_path):
    page.keyboard.press("i")
    expect(page.locator("#tool-include")).to_have_class(re.compile("v-btn--active"))
    place = pixel_of(page, np.add(CENTER, (6.0, 0.0, 0.0)))
    page.evaluate(
        """([x, y]) => {
          const target = document.elementFromPoint(x, y);
          const init = {bubbles: true, pointerType: 'mouse', pointerId: 1, button: 0, clientX: x, clientY: y};
          for (const kind of ['down', 'up']) {
            target.dispatchEvent(new PointerEvent('pointer' + kind, init));
            target.dispatchEvent(new MouseEvent('mouse' + kind, init));
          }
          for (const key of ['PageUp', 'x'])
            document.body.dispatchEvent(new KeyboardEvent('keydown', {bubbles: true, key, code: key}));
        }""",
        place,
    )
    expect(page.locator(".vs-click .vs-kind")).to_have_text(["include"], timeout=PATIENCE_MS)
    expect(page.locator(".vs-click")).to_contain_text("slice 13")


def test_a_drag_is_no_click(page):
    x, y = pixel_of(page, CENTER)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y, steps=3)
    page.mouse.up()
    page.click("#zoom")
    page.wait_for_timeout(700)
    expect(page.locator(".vs-click")).to_have_count(0)


def test_a_hand_that_trembles_still_clicks_where_it_pressed(page):
    x, y = pixel_of(page, np.add(CENTER, (5.5, 0.0, 0.0)))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 3, y - 2)
    page.mouse.up()
    expect(page.locator(".vs-click")).to_have_count(1, timeout=PATIENCE_MS)
    expect(page.locator(".vs-click")).to_contain_text("slice 13")


def test_of_pictures_that_come_in_a_rush_the_last_is_shown(page, line):
    page.click("#tool-look")
    page.mouse.move(5, 5)
    line.held = True
    for key, number in [("PageUp", n) for n in range(14, 19)] + [("PageDown", n) for n in (17, 16, 15, 14)]:
        page.keyboard.press(key)
        expect(page.locator("#slice")).to_have_text(f"Slice {number} / 24")
        # Longer than a view waits until it is drawn again.
        page.wait_for_timeout(200)
    # They all come while the page is busy.
    page.evaluate("setTimeout(() => { for (const since = Date.now(); Date.now() - since < 700; ); }, 50)")
    page.wait_for_timeout(200)
    line.let_go()
    rushed = settled(page, lambda: page.evaluate(PIXELS))
    page.keyboard.press("PageUp")
    until(page, lambda: page.evaluate(PIXELS) != rushed)
    page.keyboard.press("PageDown")
    expect(page.locator("#slice")).to_have_text("Slice 14 / 24")
    assert settled(page, lambda: page.evaluate(PIXELS)) == rushed
