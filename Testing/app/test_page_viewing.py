"""What helps to look, in a real Chromium: scale, sequences, lines, windows, distances and the bare image."""

import re
from importlib.util import find_spec

import pytest
from bright_ball import ball_volume, write_image
from page_mouse import drag, middle_of, over, until
from page_tab import ready_tab

if find_spec("playwright") is None:
    pytest.skip("the tests in a browser need the Python package playwright", allow_module_level=True)

from playwright.sync_api import expect

PATIENCE_MS = 60_000
# How unlike the pictures of two views are: the mean difference, 0 to 255.
_APART = """([one, other]) => {
  const pixels = (name) => {
    const image = document.querySelector(`[data-view=${name}]`).closest(".vs-view").querySelector("img");
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 60;
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0, 60, 60);
    return context.getImageData(0, 0, 60, 60).data;
  };
  const [a, b] = [pixels(one), pixels(other)];
  return a.reduce((sum, value, n) => sum + Math.abs(value - b[n]), 0) / a.length;
}"""


@pytest.fixture(scope="module")
def tab(serve_app, case_files, bright_models, chromium, tmp_path_factory):
    # The brightest of the T1ce is the darkest here, so that the two cannot be mistaken for each other.
    t2 = write_image(tmp_path_factory.mktemp("dark") / "t2.nii.gz", 1000 - ball_volume().array)
    server = serve_app(
        *("--t1ce", case_files.t1ce, "--t2", t2, "--mask", case_files.mask),
        *("--models", bright_models, "--device", "cpu"),
    )
    with ready_tab(chromium, server.url, 1366, 768) as tab:
        yield tab


@pytest.fixture
def page(tab):
    """The page as when the case was opened."""
    tab.click("#layout-axial")
    tab.click("#tool-boundary")
    tab.click("#zoom")
    yield tab
    expect(tab.locator(".vs-click")).to_have_count(0)
    assert tab.troubles == []


def bar_mm(page, view):
    """The length of a view's scale bar in mm, and in pixels."""
    # At once: the bar is made anew where its view is.
    read = "bar => [bar.textContent, bar.getBoundingClientRect().width]"
    text, px = over(page, view).locator(".vs-scale").evaluate(read)
    number, unit = text.split()
    return float(number) * {"mm": 1, "cm": 10}[unit], px


def window(page, sequence):
    row = page.locator(".vs-row", has=page.get_by_text(f"{sequence} window", exact=True))
    return [int(number) for number in re.findall(r"-?\d+", row.locator(".vs-quiet").inner_text())]


def test_each_view_has_a_scale_that_follows_zoom_and_size(page):
    mm, px = bar_mm(page, "T1ce")
    page.mouse.move(*middle_of(page, "T1ce"))
    page.keyboard.down("Control")
    page.mouse.wheel(0, 100)
    page.keyboard.up("Control")

    def grown():
        smaller_mm, smaller_px = bar_mm(page, "T1ce")
        return (smaller_mm / smaller_px) / (mm / px)

    # A notch outward shows a ninth more.
    until(page, lambda: grown() == pytest.approx(1 / 0.9, abs=0.02))
    until(page, lambda: bar_mm(page, "T2") == pytest.approx(bar_mm(page, "T1ce"), abs=0.6))
    page.click("#layout-coronal")
    for view in ("Coronal", "CoronalT2"):
        expect(over(page, view).locator(".vs-scale")).to_be_visible()
        expect(over(page, view).locator(".vs-position")).to_have_text(re.compile(r"^[AP] \d"))
    until(page, lambda: bar_mm(page, "Coronal") == pytest.approx(bar_mm(page, "CoronalT2"), abs=0.6))


@pytest.mark.parametrize("plane", ["Coronal", "Sagittal"])
def test_both_sequences_lie_side_by_side_in_every_plane_and_are_linked(page, plane):
    page.click(f"#layout-{plane.lower()}")
    for view, sequence in ((plane, "T1ce"), (f"{plane}T2", "T2")):
        expect(page.locator(f"#sequence-{view}")).to_have_text(sequence)
        expect(over(page, view)).to_be_visible()
    place = over(page, f"{plane}T2").locator(".vs-position")
    before = place.inner_text()
    page.mouse.move(*middle_of(page, plane))
    page.mouse.wheel(0, 100)
    leading = over(page, plane).locator(".vs-position")
    # Both are read anew: either may be told first.
    until(page, lambda: before != place.inner_text() == leading.inner_text())
    drag(page, plane, 40, 20, "right")
    until(page, lambda: bar_mm(page, plane) == pytest.approx(bar_mm(page, f"{plane}T2"), abs=0.6))


def test_a_view_is_switched_to_the_other_sequence_and_flicked_by_a_key(page):
    assert page.evaluate(_APART, ["T1ce", "T2"]) > 10
    page.click("#sequence-T1ce")
    expect(page.locator("#sequence-T1ce")).to_have_text("T2")
    expect(page.locator("#sequence-T2")).to_have_text("T2")
    page.mouse.move(5, 5)
    until(page, lambda: page.evaluate(_APART, ["T1ce", "T2"]) < 3)
    page.mouse.move(*middle_of(page, "T1ce"))
    page.keyboard.press("t")
    expect(page.locator("#sequence-T1ce")).to_have_text("T1ce")
    page.keyboard.down("t")
    expect(page.locator("#sequence-T1ce")).to_have_text("T2")
    page.wait_for_timeout(500)
    page.keyboard.up("t")
    expect(page.locator("#sequence-T1ce")).to_have_text("T1ce")


def test_half_of_each_blended_makes_both_views_alike(page):
    page.click("#tab-display")
    slider = page.get_by_role("slider", name="Blend in the other sequence")
    slider.focus()
    for _ in range(10):
        slider.press("ArrowRight")
    expect(page.locator("#sequence-T1ce")).to_have_text("T1ce + 50 %")
    page.mouse.move(5, 5)
    until(page, lambda: page.evaluate(_APART, ["T1ce", "T2"]) < 3)
    slider.press("Home")
    expect(page.locator("#sequence-T1ce")).to_have_text("T1ce")


def test_lines_show_where_the_other_views_cut_and_follow_scrolling(page):
    page.click("#layout-planes")
    lines = over(page, "Coronal").locator(".vs-cut")
    expect(lines).to_have_count(0)
    page.keyboard.press("g")
    expect(lines).to_have_count(2)
    level = over(page, "Coronal").locator(".vs-cut.vs-axial")
    before = level.get_attribute("y1")
    page.keyboard.press("PageUp")
    expect(level).not_to_have_attribute("y1", before)
    above = float(before.rstrip("%")) - float(level.get_attribute("y1").rstrip("%"))
    height = over(page, "Coronal").bounding_box()["height"]
    # A slice is 1.5 mm.
    mm, px = bar_mm(page, "Coronal")
    assert above / 100 * height * mm / px == pytest.approx(1.5, abs=0.1)
    page.click("#lines")
    expect(lines).to_have_count(0)
    page.keyboard.press("PageDown")


def test_windows_are_chosen_and_dragged_without_a_click(page):
    page.click("#tab-display")
    automatic = window(page, "T1ce")
    page.click("#window-t1ce-bright")
    expect(page.locator("#window-t1ce-bright")).to_have_class(re.compile("text-primary"))
    bright = window(page, "T1ce")
    assert bright != automatic
    chosen = re.compile("text-primary")
    page.click("#window-t1ce-automatic")
    expect(page.locator("#window-t1ce-automatic")).to_have_class(chosen)
    for preset in ("narrow", "bright"):
        page.keyboard.press("w")
        for sequence in ("t1ce", "t2"):
            expect(page.locator(f"#window-{sequence}-{preset}")).to_have_class(chosen)
    assert window(page, "T1ce") == bright
    for sequence in ("t1ce", "t2"):
        page.click(f"#window-{sequence}-automatic")
        expect(page.locator(f"#window-{sequence}-automatic")).to_have_class(chosen)
    other = window(page, "T2")
    page.keyboard.down("Control")
    drag(page, "T1ce", 60, -30)
    page.keyboard.up("Control")

    def wider_and_darker():
        low, high = window(page, "T1ce")
        return high - low > automatic[1] - automatic[0] and low + high < sum(automatic)

    until(page, wider_and_darker)
    assert window(page, "T2") == other


def test_distances_are_measured_by_drag_and_by_two_clicks_and_removed(page):
    mm, px = bar_mm(page, "T1ce")
    page.keyboard.press("l")
    drag(page, "T1ce", 80, 60)
    lengths = over(page, "T1ce").locator(".vs-length")
    expect(lengths).to_have_count(1)
    assert float(lengths.inner_text().split()[0]) == pytest.approx(100 * mm / px, abs=0.4)
    # The twin lies in the same plane.
    expect(over(page, "T2").locator(".vs-length")).to_have_text(lengths.inner_text())
    for right in (-60, 60):
        page.mouse.click(*middle_of(page, "T2", right, -90))
        page.wait_for_timeout(200)
    expect(lengths).to_have_count(2)
    assert float(lengths.nth(1).inner_text().split()[0]) == pytest.approx(120 * mm / px, abs=0.4)
    page.keyboard.press("PageUp")
    expect(lengths).to_have_count(0)
    page.keyboard.press("PageDown")
    expect(lengths).to_have_count(2)
    page.keyboard.press("Delete")
    expect(lengths).to_have_count(1)
    lengths.click()
    expect(lengths).to_have_count(0)
    page.keyboard.press("l")
    expect(page.locator("#measure")).not_to_have_class(re.compile("v-btn--active"))


def test_while_space_is_held_the_image_is_bare_and_the_tool_rests(page):
    page.mouse.move(5, 5)
    page.wait_for_timeout(500)
    shot = over(page, "T1ce").screenshot
    outlined = shot()
    page.keyboard.down("Space")
    until(page, lambda: shot() != outlined)
    page.mouse.click(*middle_of(page, "T1ce", 30, 30))
    drag(page, "T1ce", 50, 0)
    drag(page, "T1ce", -50, 0)
    page.keyboard.up("Space")
    page.mouse.move(5, 5)
    page.wait_for_timeout(500)
    expect(page.locator("#tool-boundary")).to_have_class(re.compile("v-btn--active"))
    assert over(page, "T1ce").locator("xpath=..").screenshot()


def test_a_page_that_is_loaded_again_while_space_is_held_shows_what_lies_over_the_image(page):
    page.mouse.move(5, 5)
    drawn = over(page, "T1ce").locator(".vs-drawn")
    expect(drawn).to_have_count(1)
    page.keyboard.down("Space")
    expect(drawn).to_have_count(0)
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(drawn).to_have_count(1, timeout=PATIENCE_MS)
    page.keyboard.up("Space")


def test_the_page_fills_the_screen_and_comes_back(page):
    page.keyboard.press("Shift+F")
    page.wait_for_function("document.fullscreenElement !== null")
    page.click("#fullscreen")
    page.wait_for_function("document.fullscreenElement === null")
