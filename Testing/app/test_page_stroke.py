"""What else is done while brush or eraser are out, in a real Chromium."""

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
END = np.add(AWAY, (0.0, 9.0, 0.0))
# The voxel in which the ball's middle lies, near the border of two rows.
TOLD_MIDDLE = r"voxel 29, 3[01], 12 "


@pytest.fixture(scope="module")
def server(serve_app, case_files, bright_models):
    return serve_app(
        *("--t1ce", case_files.t1ce, "--t2", case_files.t2, "--mask", case_files.mask),
        *("--models", bright_models, "--device", "cpu"),
    )


@pytest.fixture(scope="module")
def tab(server, chromium):
    with ready_tab(chromium, server.url, 1280, 800) as tab:
        yield tab


@pytest.fixture
def page(tab):
    """The page with the brush, as when the case was opened."""
    tab.click("#tool-brush")
    expect(tab.locator("#tool-brush")).to_have_attribute("aria-pressed", "true")
    tab.click("#zoom")
    expect(tab.locator("#slice")).to_have_text("Slice 13 / 24")
    tab.mouse.move(*pixel_of(tab, CENTER))
    # The view is back where it was opened, and the page knows it.
    expect(tab.locator("#readout")).to_have_text(re.compile(TOLD_MIDDLE), timeout=PATIENCE_MS)
    tab.mouse.move(*pixel_of(tab, AWAY))
    yield tab
    undo_all(tab)
    assert tab.troubles == []


def stroke(page):
    """Drag from `AWAY` to `END` as a hand does."""
    page.mouse.down()
    page.mouse.move(*pixel_of(page, END), steps=4)
    page.mouse.up()


def under_pointer(page):
    """What is told of the point under the pointer."""
    return settled(page, lambda: page.inner_text("#readout"))


def untouched(page, folder):
    """Whether the mask is as it was, once all that was done has been heard."""
    page.click("#tool-look")
    return np.array_equal(saved_mask(page, folder), START)


def test_while_distances_are_measured_the_brush_measures(page, tmp_path):
    page.keyboard.press("l")
    expect(page.locator("#measure")).to_have_class(re.compile("v-btn--active"))
    expect(page.locator("#vs-brush")).to_be_hidden()
    stroke(page)
    lengths = page.locator("[data-view=T1ce] .vs-length")
    # From AWAY to END.
    expect(lengths).to_have_text("9.0 mm")
    lengths.click()
    expect(lengths).to_have_count(0)
    assert untouched(page, tmp_path)


def test_with_ctrl_the_brush_sets_the_window(page, tmp_path):
    page.click("#tab-display")
    automatic = page.locator("#window-t1ce-automatic")
    expect(automatic).to_have_class(re.compile("text-primary"))
    page.mouse.move(*pixel_of(page, AWAY))
    page.keyboard.down("Control")
    stroke(page)
    page.keyboard.up("Control")
    expect(automatic).not_to_have_class(re.compile("text-primary"))
    automatic.click()
    assert untouched(page, tmp_path)


def test_while_space_is_held_the_brush_pans(page, tmp_path):
    page.mouse.move(*pixel_of(page, END))
    before = under_pointer(page)
    page.mouse.move(*pixel_of(page, AWAY))
    held = under_pointer(page)
    page.keyboard.down("Space")
    # At once, before the server knows of it.
    stroke(page)
    page.keyboard.up("Space")
    place = r"^R [\d.]+ P [\d.]+"
    until(page, lambda: re.match(place, under_pointer(page))[0] == re.match(place, held)[0])
    assert before != held
    assert untouched(page, tmp_path)


@pytest.mark.parametrize("meanwhile", ["wheel", "page", "fit", "elsewhere"])
def test_a_stroke_is_painted_where_it_was_begun(page, tmp_path, meanwhile):
    page.mouse.down()
    page.mouse.move(*pixel_of(page, END), steps=4)
    if meanwhile == "wheel":
        page.mouse.wheel(0, -100)
    elif meanwhile == "page":
        page.keyboard.press("PageUp")
    elif meanwhile == "fit":
        page.keyboard.press("r")
    else:
        # As by another tab, or by the next place that was asked for before.
        page.evaluate("window.trame.trigger('vs_key', ['up'])")
        expect(page.locator("#slice")).to_have_text("Slice 14 / 24")
    page.wait_for_timeout(500)
    page.mouse.up()
    expect(page.locator("#status")).to_have_text(re.compile("rush stroke"))
    page.click("#tool-look")
    added = saved_mask(page, tmp_path) & ~START
    # A capsule of 3 mm around 9 mm, all in the slice that was shown; pixels are a sixth of a millimetre.
    along = np.clip(world(GRID)[12, ..., 1] - AWAY[1], 0.0, 9.0)
    nearest = np.stack([np.full(GRID.shape[1:], AWAY[0]), AWAY[1] + along], axis=-1)
    far = np.linalg.norm(world(GRID)[12, ..., :2] - nearest, axis=-1)
    assert np.flatnonzero(added.any(axis=(1, 2))).tolist() == [12]
    assert added[12][far <= 2.7].all() and not added[12][far > 3.3].any()


def test_what_is_told_under_a_resting_pointer_follows_the_wheel(page):
    page.click("#tool-look")
    page.mouse.move(*pixel_of(page, END))
    expect(page.locator("#readout")).to_have_text(re.compile(r"S 18\.0 mm · voxel \d+, \d+, 12 "))
    page.mouse.wheel(0, -100)
    expect(page.locator("#slice")).to_have_text("Slice 14 / 24")
    expect(page.locator("#readout")).to_have_text(re.compile(r"S 19\.5 mm · voxel \d+, \d+, 13 "))


def test_a_double_click_on_a_distance_removes_that_one_alone(page):
    page.click("#tool-look")
    page.click("#measure")
    for right in (0, 5):
        page.mouse.move(*pixel_of(page, np.add(AWAY, (right, 0, 0))))
        page.mouse.down()
        page.mouse.move(*pixel_of(page, np.add(END, (right, 0, 0))), steps=4)
        page.mouse.up()
    lengths = page.locator("[data-view=T1ce] .vs-length")
    expect(lengths).to_have_count(2)
    lengths.first.dblclick()
    page.click("#measure")
    expect(page.locator("#measure")).not_to_have_class(re.compile("v-btn--active"))
    expect(lengths).to_have_count(1)
    lengths.click()
