"""Where the views of the page are, in a real Chromium: T1ce and T2 are one file, so that twins look alike."""

import re
from importlib.util import find_spec

import pytest
from page_mouse import drag, middle_of, settled, until
from page_tab import ready_tab

if find_spec("playwright") is None:
    pytest.skip("the tests in a browser need the Python package playwright", allow_module_level=True)

from playwright.sync_api import expect

PATIENCE_MS = 60_000
# Whether both axial views show the same picture.
_ALIKE = """() => {
  const pixels = (name) => {
    const image = document.querySelector(`[data-view=${name}]`).closest(".vs-view").querySelector("img");
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, canvas.width, canvas.height).data;
  };
  const [one, other] = [pixels("T1ce"), pixels("T2")];
  let apart = 0;
  for (let k = 0; k < one.length; k++) apart = Math.max(apart, Math.abs(one[k] - other[k]));
  return one.length === other.length && apart < 60;
}"""


@pytest.fixture(scope="module")
def tab(serve_app, case_files, bright_models, chromium):
    server = serve_app(
        *("--t1ce", case_files.t1ce, "--t2", case_files.t1ce, "--mask", case_files.mask),
        *("--models", bright_models, "--device", "cpu"),
    )
    with ready_tab(chromium, server.url, 1281, 800) as tab:
        yield tab


@pytest.fixture
def page(tab):
    """The page, looking, as when the case was opened."""
    tab.click("#layout-axial")
    tab.click("#tool-look")
    tab.click("#zoom")
    expect(tab.locator("#slice")).to_have_text("Slice 13 / 24")
    for view in ("T1ce", "T2"):
        tab.locator(f"[data-view={view}]").wait_for(state="visible")
    yield tab
    assert tab.troubles == []


def read_out(page, view, right=0, down=0):
    """What is said of the point under the pointer, so far from a view's middle."""
    x, y = middle_of(page, view)
    page.mouse.move(x + right + 9, y + down)
    page.wait_for_timeout(150)
    page.mouse.move(x + right, y + down)
    return settled(page, lambda: page.inner_text("#readout"))


def told(page, view, expected, abs_mm, right=0, down=0):
    """Whether the place under the pointer is told as the one expected."""
    return place(read_out(page, view, right, down)) == pytest.approx(expected, abs=abs_mm)


def place(text):
    """RAS mm of what was read out."""
    signs = {"R": 1, "L": -1, "A": 1, "P": -1, "S": 1, "I": -1}
    return [signs[side] * float(mm) for side, mm in re.findall(r"([RLAPSI]) ([\d.]+)", text)[:3]]


def test_the_place_and_both_intensities_are_told_under_the_pointer(page):
    # Nothing is told before the first pictures have come.
    until(page, lambda: read_out(page, "T2") != "")
    text = read_out(page, "T2")
    # The ball's core is 1000; its middle lies at (60, -25, 18), a pixel is a sixth of a millimetre.
    assert re.search(r"^R \d\d\.\d P \d\d\.\d S 18\.0 mm · voxel 29, 31, 12 · T1ce 1000 · T2 1000$", text)
    assert place(text) == pytest.approx((60, -25, 18), abs=1.0)
    assert "outside the image" in read_out(page, "T1ce", right=-200)


def test_each_view_says_where_its_slice_lies(page):
    expect(page.locator("[data-view=T1ce] .vs-position")).to_have_text("S 18.0")
    page.keyboard.press("PageUp")
    for view in ("T1ce", "T2"):
        expect(page.locator(f"[data-view={view}] .vs-position")).to_have_text("S 19.5")
    expect(page.locator("[data-view=Coronal] .vs-position")).to_have_text(re.compile(r"^P 2[45]\.\d$"))


@pytest.mark.parametrize("change", ["layout", "size", "reload"])
def test_a_view_stays_where_the_user_put_it(page, change):
    for _ in range(3):
        page.keyboard.press("PageUp")
    expect(page.locator("#slice")).to_have_text("Slice 16 / 24")
    drag(page, "T1ce", 60, 25, "middle")
    drag(page, "T1ce", 0, 30, "right")
    before = place(read_out(page, "T1ce"))
    assert abs(before[0] - 60) > 3
    if change == "layout":
        page.click("#layout-planes")
        page.locator("[data-view=Coronal]").wait_for(state="visible")
        until(page, lambda: told(page, "T1ce", before, 0.5))
        page.click("#layout-axial")
    elif change == "size":
        page.set_viewport_size({"width": 1001, "height": 700})
        until(page, lambda: told(page, "T1ce", before, 0.5))
        page.set_viewport_size({"width": 1281, "height": 800})
    else:
        page.reload()
        expect(page.locator("#slice")).to_have_text("Slice 16 / 24", timeout=PATIENCE_MS)
    expect(page.locator("#slice")).to_have_text("Slice 16 / 24")
    until(page, lambda: told(page, "T1ce", before, 0.5))


def test_showing_the_whole_image_stays_in_the_slice(page):
    page.keyboard.press("PageUp")
    page.click("#fit")
    expect(page.locator("#slice")).to_have_text("Slice 14 / 24")
    page.wait_for_function(_ALIKE)


def test_linked_views_never_differ(page):
    page.wait_for_function(_ALIKE)
    x, y = middle_of(page, "T1ce")
    for shown in ("hidden", "visible"):
        page.mouse.dblclick(x + 90, y + 20)
        page.locator("[data-view=T2]").wait_for(state=shown)
    page.wait_for_function(_ALIKE)
    page.keyboard.down("Control")
    page.mouse.move(*middle_of(page, "T2"))
    page.mouse.wheel(0, -100)
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    page.wait_for_timeout(400)
    page.wait_for_function(_ALIKE)
    for view, button in (("T2", "middle"), ("T1ce", "right"), ("T2", "right")):
        drag(page, view, 40, -30, button)
        page.mouse.move(5, 5)
        page.wait_for_function(_ALIKE)
    # The last drag may still be under way.
    until(page, lambda: told(page, "T1ce", place(read_out(page, "T2", 80, 40)), 0.11, 80, 40))


def test_one_view_is_enlarged_by_double_click_and_back(page):
    wide = page.locator("[data-view=T2]").bounding_box()["width"]
    page.mouse.dblclick(*middle_of(page, "T2"))
    page.locator("[data-view=T1ce]").wait_for(state="hidden")
    assert page.locator("[data-view=T2]").bounding_box()["width"] == pytest.approx(2 * wide, abs=4)
    page.click("#enlarge-T2")
    page.locator("[data-view=T1ce]").wait_for(state="visible")
    assert page.locator("[data-view=T2]").bounding_box()["width"] == pytest.approx(wide, abs=1)


def test_a_double_click_with_a_tool_is_one_click_and_enlarges_nothing(page):
    page.click("#tool-include")
    x, y = middle_of(page, "T2")
    clicks = page.locator(".vs-click").count()
    page.mouse.dblclick(x + 60, y + 40)
    page.wait_for_timeout(500)
    expect(page.locator("[data-view=T1ce]")).to_be_visible()
    expect(page.locator(".vs-click")).to_have_count(clicks + 1)
    page.click("#undo")
