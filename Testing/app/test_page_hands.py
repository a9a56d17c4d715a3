"""Hands that are quicker than the program, keyboards and fingers of all kinds, in a real Chromium."""

import re
from importlib.util import find_spec

import numpy as np
import pytest
from bright_ball import CENTER, GRID, ball, read_image, world
from page_mouse import pixel_of
from page_tab import ready

if find_spec("playwright") is None:
    pytest.skip("the tests in a browser need the Python package playwright", allow_module_level=True)

from playwright.sync_api import expect

PATIENCE_MS = 60_000
START = ball(radius=5.0)
# Long enough for what a key or a finger wrongly does to be seen.
WHILE_MS = 700
INSIDE, LEFT, RIGHT = (np.add(CENTER, (shift, 0.0, 0.0)) for shift in (0.0, -20.0, 20.0))


@pytest.fixture(scope="module")
def shared(serve_app, case_files, bright_models, chromium):
    server = serve_app(
        *("--t1ce", case_files.t1ce, "--t2", case_files.t2, "--mask", case_files.mask),
        *("--models", bright_models, "--device", "cpu"),
    )
    context = chromium.new_context(
        viewport={"width": 1280, "height": 800}, accept_downloads=True, has_touch=True
    )
    page = context.new_page()
    page.troubles, page.fingers = [], context.new_cdp_session(page)
    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.goto(server.url)
    ready(page)
    yield page
    assert page.troubles == []
    context.close()


@pytest.fixture
def page(shared):
    """The page with boundary clicks chosen, and no click."""
    shared.keyboard.press("b")
    expect(shared.locator("#tool-boundary")).to_have_class(re.compile("v-btn--active"))
    yield shared
    while shared.locator("#undo").is_enabled():
        shared.keyboard.press("Control+z")
        shared.wait_for_timeout(300)


def says(page, text):
    expect(page.locator("#status")).to_have_text(re.compile(text), timeout=PATIENCE_MS)


def key(page, sign, code, **held):
    """A key as keyboards of other alphabets tell of it."""
    page.evaluate(
        "init => document.body.dispatchEvent(new KeyboardEvent('keydown', {bubbles: true, ...init}))",
        {"key": sign, "code": code, **held},
    )


def touch(page, kind, *points):
    """Fingers that lie on the page now at these points, or are all lifted."""
    named = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
    page.fingers.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": named})


def test_a_click_has_the_kind_that_was_chosen_while_the_program_was_busy(page):
    page.evaluate("() => void window.trame.trigger('vs_download', ['scene.mrb'])")
    page.click("#tool-exclude")
    page.mouse.click(*pixel_of(page, INSIDE))
    says(page, "click")
    expect(page.locator(".vs-click .vs-kind")).to_have_text(["exclude"])


def test_a_button_of_a_tool_ends_measuring_as_its_key_does(page):
    page.keyboard.press("l")
    expect(page.locator("#measure")).to_have_class(re.compile("v-btn--active"))
    page.click("#tool-exclude")
    expect(page.locator("#measure")).not_to_have_class(re.compile("v-btn--active"))


def test_a_menu_is_used_by_keys_and_nothing_is_clicked_meanwhile(page):
    page.locator("#save").focus()
    page.keyboard.press("Enter")
    item = page.locator("#save-tumour-nii-gz")
    expect(item).to_be_visible()
    item.focus()
    with page.expect_download(timeout=5000) as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename.endswith("tumour.nii.gz")
    page.wait_for_timeout(WHILE_MS)
    expect(page.locator(".vs-click")).to_have_count(0)


def test_keys_of_another_alphabet_do_the_same(page):
    key(page, "ч", "KeyX")
    expect(page.locator("#tool-exclude")).to_have_class(re.compile("v-btn--active"))
    page.mouse.click(*pixel_of(page, INSIDE))
    says(page, "Exclude click")
    key(page, "я", "KeyZ", ctrlKey=True)
    says(page, "Undone: exclude click")


def test_a_second_finger_paints_nothing(page, tmp_path):
    page.keyboard.press("p")
    expect(page.locator("#tool-brush")).to_have_attribute("aria-pressed", "true")
    left, right = pixel_of(page, LEFT), pixel_of(page, RIGHT)
    touch(page, "Start", left)
    touch(page, "Start", left, right)
    touch(page, "Move", left, (right[0], right[1] + 9))
    touch(page, "End")
    says(page, "rush stroke")
    with page.expect_download(timeout=PATIENCE_MS) as download:
        page.evaluate("() => void window.vsclick.download('tumour.nii.gz')")
    download.value.save_as(tmp_path / "tumour.nii.gz")
    added = (read_image(tmp_path / "tumour.nii.gz") > 0) & ~START
    # The disc's radius is 3 mm, and a voxel's centre lies within it.
    assert added.any() and np.abs(world(GRID)[added][:, 0] - LEFT[0]).max() < 4.0
    page.keyboard.press("Escape")


def test_keys_that_mean_nothing_here_do_nothing(page):
    """VTK's own Q and E end the program, also with Shift."""
    page.keyboard.press("v")
    page.mouse.click(*pixel_of(page, INSIDE))
    assert page.evaluate(
        "() => document.activeElement.matches('.remote-controlled-area, .remote-controlled-area *')"
    )
    for key in ("q", "Shift+Q", "Alt+e", "Shift+E"):
        page.keyboard.press(key)
    page.wait_for_timeout(WHILE_MS)
    page.keyboard.press("i")
    page.mouse.click(*pixel_of(page, INSIDE))
    expect(page.locator(".vs-click .vs-kind")).to_have_text(["include"])


def test_two_fingers_place_no_click(page):
    one, two = pixel_of(page, np.add(CENTER, (6.0, 0, 0))), pixel_of(page, RIGHT)
    touch(page, "Start", one)
    touch(page, "Start", one, two)
    touch(page, "Move", one, (two[0] - 40, two[1]))
    touch(page, "End")
    page.wait_for_timeout(WHILE_MS)
    expect(page.locator(".vs-click")).to_have_count(0)
    touch(page, "Start", one)
    touch(page, "End")
    says(page, "oundary click")
    expect(page.locator(".vs-click")).to_have_count(1)


def test_a_stroke_ends_with_its_button_whatever_other_button_was_pressed_meanwhile(page):
    page.keyboard.press("p")
    expect(page.locator("#tool-brush")).to_have_attribute("aria-pressed", "true")
    page.mouse.move(*pixel_of(page, LEFT))
    page.mouse.down()
    page.mouse.down(button="right")
    page.mouse.up()
    page.mouse.up(button="right")
    says(page, "rush stroke")
    page.mouse.move(*pixel_of(page, RIGHT))
    page.keyboard.press("Escape")
    expect(page.locator("#vs-brush")).to_be_hidden()


def test_what_was_turned_over_another_view_or_with_ctrl_is_told_as_that(page):
    page.evaluate(
        """() => {
          const real = window.trame.trigger;
          window.told = [];
          window.trame.trigger = (name, what) => {
            if (name === "vs_hover") return Promise.resolve();
            window.told.push([name, ...what]);
            if (window.told.length > 1) return Promise.resolve();
            return new Promise((done) => (window.answered = done));
          };
          window.again = () => (window.trame.trigger = real);
        }"""
    )
    page.mouse.move(*pixel_of(page, INSIDE))
    page.mouse.wheel(0, -100)
    page.mouse.wheel(0, -100)
    page.mouse.move(*pixel_of(page, INSIDE, "T2"))
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    page.wait_for_timeout(WHILE_MS)
    page.evaluate("() => window.answered()")
    page.wait_for_timeout(WHILE_MS)
    told = page.evaluate("() => (window.again(), window.told)")
    assert told == [
        ["vs_wheel", "T1ce", 1, False],
        ["vs_wheel", "T1ce", 1, False],
        ["vs_wheel", "T2", 1, True],
    ]
