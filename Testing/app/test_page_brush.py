"""Brush, eraser and mask tools on the page, in a real Chromium."""

import json
import re
from importlib.util import find_spec

import numpy as np
import pytest
from bright_ball import CENTER, GRID, ball, read_image, world
from page_mouse import WIDTH_MM, pixel_of
from page_tab import ready

if find_spec("playwright") is None:
    pytest.skip("the tests in a browser need the Python package playwright", allow_module_level=True)

from playwright.sync_api import expect

PATIENCE_MS = 60_000
START = ball(radius=5.0)
AWAY = np.add(CENTER, (-14.0, 0.0, 0.0))


@pytest.fixture(scope="module")
def server(serve_app, case_files, bright_models):
    return serve_app(
        *("--t1ce", case_files.t1ce, "--t2", case_files.t2, "--mask", case_files.mask),
        *("--models", bright_models, "--device", "cpu"),
    )


@pytest.fixture(scope="module")
def page(server, chromium):
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    page = context.new_page()
    page.troubles = []
    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.on("console", lambda m: page.troubles.append(m.text) if m.type == "error" else None)
    page.goto(server.url)
    ready(page)
    yield page
    assert page.troubles == []
    context.close()


def says(page, text):
    expect(page.locator("#status")).to_have_text(re.compile(text), timeout=PATIENCE_MS)


def take(page, key):
    """Take brush or eraser, and wait until the page knows it."""
    page.keyboard.press(key)
    tool = {"p": "#tool-brush", "e": "#tool-eraser"}[key]
    expect(page.locator(tool)).to_have_attribute("aria-pressed", "true")


def draw(page, *points, view="T1ce"):
    page.mouse.move(*pixel_of(page, points[0], view))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*pixel_of(page, point, view))
    page.mouse.up()


def saved(page, name, folder):
    item = "#save-" + name.replace(".", "-")
    page.click("#save")
    with page.expect_download(timeout=PATIENCE_MS) as download:
        page.click(item)
    download.value.save_as(folder / name)
    # Where the menu has closed by itself the key would put the tool away.
    if page.locator(".v-overlay--active:not(.v-tooltip)").count():
        page.keyboard.press("Escape")
    return folder / name


def mask(page, folder):
    return read_image(saved(page, "tumour.nii.gz", folder)) > 0


def events(page, folder):
    return [
        json.loads(line)["event"] for line in saved(page, "journal.jsonl", folder).read_text().splitlines()
    ]


def test_a_stroke_is_painted_shown_at_its_size_and_undone_among_clicks(page, tmp_path):
    page.mouse.click(*pixel_of(page, np.add(CENTER, (7.0, 0, 0))))
    says(page, "Boundary click")
    clicked = mask(page, tmp_path)
    take(page, "p")
    end = np.add(AWAY, (0.0, 9.0, 0.0))
    page.mouse.move(*pixel_of(page, AWAY))
    area = page.locator(".vs-over[data-view=T1ce]").bounding_box()
    ring = page.locator("#vs-brush circle")
    mm = WIDTH_MM / min(area["width"], area["height"])
    assert float(ring.get_attribute("r")) * mm == pytest.approx(3.0, abs=0.05)
    page.mouse.down()
    page.mouse.move(*pixel_of(page, end))
    expect(page.locator("#vs-brush polyline")).to_have_attribute("points", re.compile(r".+ .+"))
    page.mouse.up()
    says(page, "rush stroke")
    painted = mask(page, tmp_path)
    added = painted & ~clicked
    assert not (clicked & ~painted).any() and added.any(axis=(1, 2)).sum() == 1
    # The stroke by its definition: a capsule of 3 mm in the slice; a pixel is a sixth of a millimetre.
    along = np.clip(world(GRID)[..., 1] - AWAY[1], 0.0, 9.0)
    nearest = np.stack([np.full(GRID.shape, AWAY[0]), AWAY[1] + along], axis=-1)
    far = np.linalg.norm(world(GRID)[..., :2] - nearest, axis=-1)
    layer = added.any(axis=(1, 2))
    assert added[layer][far[layer] <= 2.7].all() and not added[layer][far[layer] > 3.3].any()
    page.keyboard.press("Control+z")
    says(page, "Undone: brush stroke")
    np.testing.assert_array_equal(mask(page, tmp_path), clicked)
    page.keyboard.press("Control+y")
    says(page, "Done again: brush stroke")
    np.testing.assert_array_equal(mask(page, tmp_path), painted)
    take(page, "e")
    draw(page, AWAY, end, view="T2")
    says(page, "raser stroke")
    assert mask(page, tmp_path).sum() < painted.sum()
    assert events(page, tmp_path) == ["session", "edit", "tool", "undo", "redo", "tool"]
    for _ in range(3):
        page.keyboard.press("Control+z")
    says(page, "Undone: boundary click")
    np.testing.assert_array_equal(mask(page, tmp_path), START)


def test_shift_and_wheel_set_the_radius_and_the_wheel_alone_pages(page):
    take(page, "p")
    page.mouse.move(*pixel_of(page, AWAY))
    before = page.inner_text("#brush-radius")
    page.keyboard.down("Shift")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Shift")
    expect(page.locator("#brush-radius")).to_have_text("3.3 mm")
    page.keyboard.down("Shift")
    page.mouse.wheel(0, 100)
    page.keyboard.up("Shift")
    expect(page.locator("#brush-radius")).to_have_text(before)


def test_escape_discards_the_stroke_first_and_then_puts_the_tool_away(page, tmp_path):
    take(page, "p")
    page.mouse.move(*pixel_of(page, AWAY))
    expect(page.locator("#vs-brush")).to_be_visible()
    page.mouse.down()
    expect(page.locator("#vs-brush polyline")).to_have_attribute("points", re.compile(r"\d"))
    page.keyboard.press("Escape")
    page.mouse.up()
    np.testing.assert_array_equal(mask(page, tmp_path), START)
    expect(page.locator("#tool-brush")).to_have_attribute("aria-pressed", "true")
    page.mouse.move(*pixel_of(page, AWAY))
    page.keyboard.press("Escape")
    expect(page.locator("#tool-brush")).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#tool-look")).to_have_class(re.compile("v-btn--active"))
    # While the pointer rests.
    expect(page.locator("#vs-brush")).to_be_hidden()


def test_the_circle_follows_keys_and_wheel_while_the_pointer_rests(page):
    ring = page.locator("#vs-brush circle")
    take(page, "p")
    page.mouse.move(*pixel_of(page, AWAY))
    expect(page.locator("#vs-brush")).to_be_visible()
    color, radius = ring.get_attribute("stroke"), float(ring.get_attribute("r"))
    take(page, "e")
    expect(ring).not_to_have_attribute("stroke", color)
    page.keyboard.down("Shift")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Shift")
    expect(page.locator("#brush-radius")).to_have_text("3.3 mm")
    expect(ring).to_have_attribute("r", re.compile(rf"{radius * 1.1:.0f}"))
    page.keyboard.down("Shift")
    page.mouse.wheel(0, 100)
    page.keyboard.up("Shift")
    page.keyboard.press("Escape")
    expect(page.locator("#vs-brush")).to_be_hidden()


def test_mask_tools_are_steps_of_undo(page, tmp_path):
    page.click("#tool-brush")
    expect(page.locator("#tool-brush")).to_have_attribute("aria-pressed", "true")
    draw(page, AWAY)
    says(page, "rush stroke")
    page.click("#mask")
    page.click("#mask-keep-the-largest-part")
    says(page, "argest part kept")
    np.testing.assert_array_equal(mask(page, tmp_path), START)
    page.keyboard.press("Control+z")
    says(page, "Undone: largest part kept")
    assert mask(page, tmp_path).sum() > START.sum()
    page.keyboard.press("Control+z")
    says(page, "Undone: brush stroke")


def test_escape_in_a_text_field_leaves_the_brush_where_it_is(page):
    take(page, "p")
    field = page.evaluate_handle("document.body.appendChild(document.createElement('textarea'))")
    field.as_element().focus()
    page.keyboard.press("Escape")
    page.wait_for_timeout(300)
    expect(page.locator("#tool-brush")).to_have_attribute("aria-pressed", "true")
    field.as_element().evaluate("field => field.remove()")
    page.keyboard.press("Escape")
    expect(page.locator("#tool-brush")).to_have_attribute("aria-pressed", "false")
