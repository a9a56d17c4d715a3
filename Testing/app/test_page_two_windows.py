"""Two windows of one page, of different shapes, in a real Chromium: what is clicked is what is shown."""

from importlib.util import find_spec

import pytest
from bright_ball import CENTER, GRID

if find_spec("playwright") is None:
    pytest.skip("the tests in a browser need the Python package playwright", allow_module_level=True)

from page_mouse import over, pixel_of, until
from page_tab import ready_tab
from playwright.sync_api import expect

PATIENCE_MS = 60_000
# How much wider and higher a view is than its picture.
LEFT_OVER = """view => {
    const over = document.querySelector(`.vs-over[data-view=${view}]`);
    const both = [over, over.parentElement.querySelector('img')];
    const [area, picture] = both.map(one => one.getBoundingClientRect());
    return [area.width - picture.width, area.height - picture.height].map(Math.abs);
}"""
# Whether a press on a view's picture reaches the view.
REACHES = """view => {
    const picture = document.querySelector(`.vs-over[data-view=${view}]`).parentElement.querySelector('img');
    let heard = false;
    const hear = event => { heard = true; event.stopPropagation(); };
    picture.parentElement.addEventListener('pointerdown', hear, {once: true});
    picture.dispatchEvent(new PointerEvent('pointerdown', {bubbles: true, pointerType: 'mouse', button: 0}));
    return heard;
}"""
# A press, as browsers tell of one by a mouse.
PRESS = """view => {
    const picture = document.querySelector(`.vs-over[data-view=${view}]`).parentElement.querySelector('img');
    const init = {bubbles: true, pointerType: 'mouse', button: 0, pointerId: 1};
    picture.dispatchEvent(new PointerEvent('pointerdown', init));
    picture.dispatchEvent(new MouseEvent('mousedown', {bubbles: true}));
}"""
TOLD = "The view was just being drawn in another shape, so that press did nothing; press again."


@pytest.fixture
def windows(serve_app, case_files, bright_models, chromium):
    """A wide window, and a narrow one that was opened after it."""
    server = serve_app(
        *("--t1ce", case_files.t1ce, "--t2", case_files.t2, "--mask", case_files.mask),
        *("--models", bright_models, "--device", "cpu"),
    )
    with ready_tab(chromium, server.url, 1366, 768) as wide:
        until(wide, lambda: fits(wide))
        with ready_tab(chromium, server.url, 900, 800) as narrow:
            until(narrow, lambda: fits(narrow))
            yield wide, narrow
            assert wide.troubles == narrow.troubles == []


def fits(page):
    """Whether the picture of a view fills it."""
    return max(page.evaluate(LEFT_OVER, "T1ce")) < 3


def test_views_take_the_shape_of_the_window_that_is_used_and_no_press_before(windows):
    for used, other in (windows, windows[::-1]):
        assert not fits(used) and fits(other)
        assert not used.evaluate(REACHES, "T1ce")
        area = over(used, "T1ce").bounding_box()
        used.mouse.move(area["x"] + area["width"] / 2, area["y"] + area["height"] / 2)
        until(used, lambda used=used: fits(used))
        assert used.evaluate(REACHES, "T1ce")
        i, j, k = GRID.ras_to_index(CENTER)[::-1]
        used.mouse.move(*pixel_of(used, CENTER))
        expect(used.locator("#readout")).to_contain_text(f"voxel {i}, {j}, {k}", timeout=PATIENCE_MS)


@pytest.mark.parametrize("key", ["i", "p"])
def test_a_press_that_comes_before_the_picture_fits_is_told_and_the_next_one_counts(windows, key):
    wide, _ = windows
    # No key in the wide window: it would have the views drawn in its shape.
    wide.evaluate("key => window.trame.trigger('vs_key', [key])", {"i": "include", "p": "brush"}[key])
    assert not fits(wide)
    wide.evaluate(PRESS, "T1ce")
    expect(wide.locator("#status")).to_have_text(TOLD, timeout=PATIENCE_MS)
    expect(wide.locator(".vs-click")).to_have_count(0)
    until(wide, lambda: fits(wide))
    wide.mouse.click(*pixel_of(wide, CENTER))
    expect(wide.locator("#status")).to_contain_text("click" if key == "i" else "stroke", timeout=PATIENCE_MS)


def test_a_button_over_a_view_works_before_the_picture_fits_and_nothing_else_is_told(windows):
    wide, _ = windows
    assert not fits(wide)
    wide.evaluate(
        """() => {
          const button = document.querySelector('#enlarge-T1ce');
          button.dispatchEvent(new PointerEvent('pointerdown', {bubbles: true, pointerType: 'mouse'}));
          button.click();
        }"""
    )
    expect(wide.locator(".vs-over[data-view=T2]")).to_be_hidden(timeout=PATIENCE_MS)
    expect(wide.locator("#status")).not_to_have_text(TOLD)


def test_a_finger_beside_one_that_was_refused_clicks_nothing_and_the_next_alone_does(windows):
    wide, _ = windows
    devtools = wide.context.new_cdp_session(wide)

    def touch(kind, *shifts):
        area = over(wide, "T1ce").bounding_box()
        x, y = area["x"] + area["width"] / 2, area["y"] + area["height"] / 2
        points = [{"x": x + shift, "y": y, "id": shift} for shift in shifts]
        devtools.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})

    wide.evaluate("window.trame.trigger('vs_key', ['include'])")
    assert not fits(wide)
    touch("Start", 10)
    expect(wide.locator("#status")).to_have_text(TOLD, timeout=PATIENCE_MS)
    until(wide, lambda: fits(wide))
    touch("Start", 10, 50)
    touch("End", 10)
    touch("End")
    wide.wait_for_timeout(700)
    expect(wide.locator(".vs-click")).to_have_count(0)
    touch("Start", 10)
    touch("End")
    expect(wide.locator(".vs-click")).to_have_count(1, timeout=PATIENCE_MS)
