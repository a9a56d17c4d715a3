"""The page in a real Chromium, against the app as a user starts it."""

import json
import re
from importlib.util import find_spec

import numpy as np
import pytest
from bright_ball import CENTER, GRID, RADIUS_MM, ball, ball_volume, read_image, world, write_image
from forking import next_held
from page_mouse import pixel_of
from page_tab import ready

if find_spec("playwright") is None:
    pytest.skip("the tests in a browser need the Python package playwright", allow_module_level=True)

from playwright.sync_api import expect
from VSClickCorrectApp.browser_launch import write_redirect_page

START_RADIUS_MM = 5.0
# Loading the models takes a while on a busy machine.
PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def server(serve_app, case_files, bright_models):
    return serve_app(
        *("--t1ce", case_files.t1ce, "--t2", case_files.t2, "--mask", case_files.mask),
        *("--models", bright_models, "--device", "cpu"),
    )


class Page:
    """What a person sees and does."""

    def __init__(self, tab, troubles):
        self.tab, self.troubles = tab, troubles

    def says(self, text):
        expect(self.tab.locator("#status")).to_have_text(re.compile(text), timeout=PATIENCE_MS)

    def click_at(self, ras, view="T1ce"):
        """Click with the mouse where a point lies on the screen, worked out from what is shown."""
        self.tab.mouse.click(*self.pixel_of(ras, view))

    def pixel_of(self, ras, view="T1ce"):
        return pixel_of(self.tab, ras, view)

    def saved(self, name, folder):
        self.tab.click("#save")
        with self.tab.expect_download(timeout=PATIENCE_MS) as download:
            self.tab.click("#save-" + name.replace(".", "-"))
        path = folder / name
        download.value.save_as(path)
        self.tab.keyboard.press("Escape")
        return path

    def mask(self, folder):
        return read_image(self.saved("tumour.nii.gz", folder)) > 0

    def clicks(self, folder):
        events = self.saved("journal.jsonl", folder).read_text().splitlines()
        edits = [event for event in map(json.loads, events) if event["event"] == "edit"]
        return [click for edit in edits for click in edit["clicks"]]

    def undo_everything(self):
        """Undo until nothing is left; two edits may be described alike, so the button alone tells when."""
        while self.tab.locator("#undo").is_enabled():
            self.tab.keyboard.press("Control+z")
            self.tab.wait_for_timeout(100)


@pytest.fixture(scope="module")
def tab(server, chromium):
    # With all that moves, as most people have it.
    context = chromium.new_context(
        reduced_motion="no-preference", viewport={"width": 1280, "height": 800}, accept_downloads=True
    )
    page = Page(context.new_page(), [])
    page.tab.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.tab.on("console", lambda m: page.troubles.append(m.text) if m.type == "error" else None)
    page.tab.goto(server.url)
    ready(page.tab)
    yield page
    context.close()


@pytest.fixture
def page(tab):
    """The page with no click on it."""
    tab.troubles.clear()
    tab.undo_everything()
    tab.tab.click("#tool-boundary")
    tab.tab.click("#tab-clicks")
    yield tab
    assert tab.troubles == []


def start_mask():
    return ball(radius=START_RADIUS_MM)


def test_a_mouse_click_changes_the_segment_there_and_undo_restores_it(page, tmp_path):
    border = np.add(CENTER, (RADIUS_MM, 0, 0))
    np.testing.assert_array_equal(page.mask(tmp_path), start_mask())
    page.click_at(border)
    page.says("Boundary click")
    after = page.mask(tmp_path)
    [click] = page.clicks(tmp_path)[-1:]
    # A pixel is a sixth of a millimetre, a slice 1.5 mm thick.
    np.testing.assert_allclose(click["ras"][:2], border[:2], atol=0.3)
    assert abs(click["ras"][2] - border[2]) <= 0.75
    changed = after != start_mask()
    assert changed.sum() > 20 and not (changed & ~ball(radius=RADIUS_MM + 0.8)).any()
    reach = np.linalg.norm(world(GRID)[changed] - border, axis=-1)
    assert reach.min() < 1.5
    page.tab.click("#undo")
    page.says("Undone: boundary click")
    np.testing.assert_array_equal(page.mask(tmp_path), start_mask())
    page.tab.keyboard.press("Control+y")
    page.says("Done again: boundary click")
    np.testing.assert_array_equal(page.mask(tmp_path), after)


@pytest.mark.parametrize("view", ["T1ce", "T2"])
def test_include_and_exclude_hold_at_the_voxel_that_was_clicked(page, tmp_path, view):
    outside, inside = np.add(CENTER, (0, 12, 0)), np.add(CENTER, (0, -2, 0))
    page.tab.keyboard.press("i")
    page.click_at(outside, view)
    page.says("Include click")
    page.tab.keyboard.press("x")
    page.click_at(inside, view)
    page.says("Exclude click")
    included, excluded = (click["ras"] for click in page.clicks(tmp_path)[-2:])
    mask = page.mask(tmp_path)
    np.testing.assert_allclose(included[:2], outside[:2], atol=0.3)
    assert mask[GRID.ras_to_index(included)] and not mask[GRID.ras_to_index(excluded)]


def test_rounds_are_counted_and_single_clicks_taken_back(page, tmp_path):
    page.click_at(np.add(CENTER, (RADIUS_MM, 0, 0)))
    page.says("Boundary click")
    first = page.mask(tmp_path)
    number = int(page.tab.inner_text("#round").removeprefix("Round "))
    page.tab.click("#next-round")
    page.says(f"Round {number + 1} begins")
    page.tab.keyboard.press("i")
    page.click_at(np.add(CENTER, (0, 12, 0)))
    page.says("Include click")
    rows = page.tab.locator(".vs-click")
    assert rows.count() == 2
    assert "include" in rows.nth(1).inner_text()
    rows.nth(1).get_by_role("button", name="Remove click 2").click()
    page.tab.wait_for_function("document.querySelectorAll('.vs-click').length === 1")
    np.testing.assert_array_equal(page.mask(tmp_path), first)


def test_slices_are_paged_by_wheel_keys_and_slider(page):
    slice_number = page.tab.locator("#slice")
    place = page.tab.locator(".vs-over[data-view=T1ce] .vs-position")

    def shows(number):
        slice_number.filter(has_text=re.compile(rf"Slice {number} / 24")).wait_for(timeout=PATIENCE_MS)

    def view_moves_on(back):
        # The number is the page's own, the place what the view shows.
        shown = expect(place)
        (shown.to_have_text if back else shown.not_to_have_text)(before, timeout=PATIENCE_MS)

    shows(13)
    before = place.inner_text()
    page.tab.keyboard.press("PageUp")
    shows(14)
    view_moves_on(back=False)
    page.tab.mouse.move(*page.pixel_of(CENTER))
    page.tab.mouse.wheel(0, 100)
    shows(13)
    view_moves_on(back=True)
    page.tab.locator("#slice-slider").fill("5")
    shows(5)
    view_moves_on(back=False)
    page.tab.locator(".vs-bar").nth(12).click()
    shows(13)
    view_moves_on(back=True)


def test_the_crosshair_and_enter_place_a_click(page, tmp_path):
    page.tab.keyboard.press("i")
    page.click_at(np.add(CENTER, (0, 12, 0)))
    page.says("Include click")
    first = page.clicks(tmp_path)[-1]["ras"]
    page.tab.locator("#status").click()
    for _ in range(4):
        page.tab.keyboard.press("ArrowRight")
    page.tab.keyboard.press("Enter")
    page.tab.wait_for_function("document.querySelectorAll('.vs-click').length === 2")
    second = page.clicks(tmp_path)[-1]["ras"]
    # Four voxels of 0.75 mm to the patient's left.
    np.testing.assert_allclose(np.subtract(second, first), (-3, 0, 0), atol=1e-6)


def test_collected_clicks_are_applied_together(page, tmp_path):
    page.tab.locator("#collect").click()
    for offset in ((RADIUS_MM, 0, 0), (0, RADIUS_MM, 0)):
        page.click_at(np.add(CENTER, offset))
    page.tab.wait_for_function("document.querySelectorAll('.vs-click').length === 2")
    np.testing.assert_array_equal(page.mask(tmp_path), start_mask())
    page.tab.click("#apply")
    page.says("2 .*clicks")
    page.tab.locator("#collect").click()
    assert page.mask(tmp_path).sum() > start_mask().sum()


def test_a_reload_keeps_the_session(page):
    page.click_at(np.add(CENTER, (RADIUS_MM, 0, 0)))
    page.says("Boundary click")
    text = page.tab.inner_text("#undo-text")
    page.tab.reload()
    page.tab.locator("#undo-text", has_text=text).wait_for(timeout=PATIENCE_MS)
    assert page.tab.locator(".vs-click").count() == 1
    page.tab.click("#undo")
    page.says("Undone")


def test_the_views_show_the_segment_in_its_colour(page):
    """Painted pixels, not only state: the green of the outline."""
    area = page.tab.locator(".vs-over[data-view=T1ce]").bounding_box()
    greens = (
        "area => { const i = [...document.images].find(i => i.getBoundingClientRect().x <= area.x + 2 &&"
        " i.naturalWidth > 100); const c = document.createElement('canvas'); c.width = i.naturalWidth;"
        " c.height = i.naturalHeight; const x = c.getContext('2d'); x.drawImage(i, 0, 0); const d ="
        " x.getImageData(0, 0, c.width, c.height).data; let n = 0; for (let k = 0; k < d.length; k += 4)"
        " n += d[k + 1] - d[k] > 60; return n; }"
    )
    before = page.tab.evaluate(greens, area)
    page.tab.keyboard.press("i")
    page.click_at(np.add(CENTER, (0, 12, 0)))
    page.says("Include click")
    page.tab.wait_for_function(f"([area, n]) => ({greens})(area) > n + 50", arg=[area, before])
    assert before > 200


def test_a_change_of_layout_leaves_nothing_behind_in_the_tab(page):
    tools = page.tab.context.new_cdp_session(page.tab)

    def there_and_back():
        for layout, planes in (("planes", "visible"), ("axial", "hidden")):
            page.tab.click(f"#layout-{layout}")
            page.tab.locator("[data-view=Coronal]").wait_for(state=planes)
        tools.send("HeapProfiler.collectGarbage")
        return tools.send("Memory.getDOMCounters")["jsEventListeners"]

    there_and_back()
    assert there_and_back() == there_and_back()


def test_a_button_that_was_disabled_and_enabled_again_leaves_nothing_behind(page):
    tools = page.tab.context.new_cdp_session(page.tab)

    def click_and_undo():
        page.click_at(np.add(CENTER, (RADIUS_MM, 0, 0)))
        expect(page.tab.locator("#undo")).to_be_enabled()
        page.undo_everything()
        expect(page.tab.locator(".vs-click")).to_have_count(0)
        # Sooner the next click in the same place would be half of a double click, which is one click.
        page.tab.wait_for_timeout(400)
        tools.send("HeapProfiler.collectGarbage")
        return tools.send("Memory.getDOMCounters")["jsEventListeners"]

    click_and_undo()
    assert click_and_undo() == click_and_undo()


def test_a_hidden_view_keeps_its_size(page):
    width = "document.querySelector('[data-view=Coronal]').getBoundingClientRect().width"
    page.tab.click("#layout-planes")
    page.tab.locator("[data-view=Coronal]").wait_for(state="visible")
    shown = page.tab.evaluate(width)
    page.tab.click("#layout-axial")
    page.tab.locator("[data-view=Coronal]").wait_for(state="hidden")
    assert page.tab.evaluate(width) == shown > 100


def test_the_initial_mask_is_found_with_progress_and_can_be_cancelled(page, server, tmp_path):
    # Who looks for the tumour in so small a case would be done before anybody could press.
    with next_held(server.process):
        page.tab.click("#find")
        page.tab.click("#cancel")
        page.says("Cancelled; nothing was changed")
    np.testing.assert_array_equal(page.mask(tmp_path), start_mask())


def test_a_bad_upload_is_refused_in_a_sentence(page, tmp_path):
    bad = tmp_path / "holiday.nii.gz"
    bad.write_bytes(b"no image at all")
    page.tab.click("#open")
    page.tab.set_input_files("#file-t1ce", bad)
    page.tab.locator("#sent-t1ce", has_text="holiday.nii.gz").wait_for(timeout=PATIENCE_MS)
    page.tab.click("#open-files")
    page.says("'holiday.nii.gz' is not an image that can be read")
    page.tab.keyboard.press("Escape")
    page.tab.locator("#open-files").wait_for(state="hidden")
    wrong = tmp_path / "notes.txt"
    wrong.write_text("no image")
    page.tab.click("#open")
    page.tab.set_input_files("#file-t1ce", wrong)
    page.says("'notes.txt' is of no known kind")
    page.tab.keyboard.press("Escape")


def test_a_file_that_is_chosen_while_another_is_on_its_way_counts(page):
    page.tab.click("#open")
    page.tab.evaluate(
        """async () => {
          let go;
          const read = new Promise((resolve) => { go = resolve; });
          const blob = (text, ready) => async () => { await ready; return new Blob([text]); };
          const first = window.vsclick.send("t1ce", "first.nii", 3, blob("abc", read));
          const rest = read.then(() => new Promise((resolve) => setTimeout(resolve, 500)));
          const second = window.vsclick.send("t1ce", "second.nii", 4, blob("defg", rest));
          setTimeout(go, 100);
          await Promise.all([first, second]);
        }"""
    )
    page.says("'second.nii' is here")
    expect(page.tab.locator("#sent-t1ce")).to_have_text("second.nii")
    page.tab.keyboard.press("Escape")


def test_what_is_downloaded_can_be_uploaded(page, tmp_path):
    """Last: it replaces the open case."""
    page.click_at(np.add(CENTER, (RADIUS_MM, 0, 0)))
    page.says("Boundary click")
    mask = page.saved("tumour.seg.nrrd", tmp_path)
    expected = page.mask(tmp_path)
    page.tab.click("#open")
    for slot, volume in (("t1ce", ball_volume()), ("t2", ball_volume(t2=True))):
        page.tab.set_input_files(f"#file-{slot}", write_image(tmp_path / f"{slot}.nii.gz", volume.array))
        page.tab.locator(f"#sent-{slot}", has_text=slot).wait_for(timeout=PATIENCE_MS)
    page.tab.set_input_files("#file-mask", mask)
    page.tab.locator("#sent-mask", has_text="tumour").wait_for(timeout=PATIENCE_MS)
    page.tab.click("#open-files")
    page.says("Ready")
    assert page.tab.inner_text("#case") == "t1ce.nii.gz"
    np.testing.assert_array_equal(page.mask(tmp_path), expected)
    assert page.tab.locator(".vs-click").count() == 0


def test_the_file_that_opens_the_browser_leads_to_the_page_without_the_token(
    server, chromium, tmp_path, monkeypatch
):
    monkeypatch.setenv("HOME", str(tmp_path))
    context = chromium.new_context()
    page = context.new_page()
    page.goto(write_redirect_page(server.url).as_uri())
    expect(page.locator("#status")).not_to_be_empty(timeout=PATIENCE_MS)
    assert page.url == server.url.partition("?")[0] + "index.html"
    page.reload()
    expect(page.locator("#status")).not_to_be_empty(timeout=PATIENCE_MS)
    context.close()
