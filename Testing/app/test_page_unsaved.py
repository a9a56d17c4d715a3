"""Work that was not saved, on the page in a real Chromium: shown, and asked about before it goes."""

from importlib.util import find_spec

import pytest
from bright_ball import ball_volume, write_image
from page_tab import ready

if find_spec("playwright") is None:
    pytest.skip("the tests in a browser need the Python package playwright", allow_module_level=True)

from playwright.sync_api import expect

PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def page(serve_app, case_files, bright_models, chromium):
    server = serve_app(
        *("--t1ce", case_files.t1ce, "--t2", case_files.t2, "--mask", case_files.mask),
        *("--models", bright_models, "--device", "cpu"),
    )
    context = chromium.new_context(viewport={"width": 1366, "height": 768}, accept_downloads=True)
    page = context.new_page()
    page.goto(server.url)
    ready(page)
    yield page
    context.close()


@pytest.fixture
def clicked(page, request):
    """The page with one click on it, another one in each test, which was not saved."""
    page.wait_for_timeout(300)
    while page.locator("#undo").is_enabled():
        page.keyboard.press("Control+z")
        page.wait_for_timeout(200)
    expect(page.locator("#unsaved")).to_have_count(0)
    page.click("#tool-include")
    area = page.locator(".vs-over[data-view=T1ce]").bounding_box()
    right = 50 + len(request.node.name)
    page.mouse.click(area["x"] + area["width"] / 2 + right, area["y"] + area["height"] / 2)
    expect(page.locator(".vs-click")).to_have_count(1)
    expect(page.locator("#unsaved")).to_be_visible()
    return page


def asks_before_it_is_left(page):
    return page.evaluate(
        "() => { const leaving = new Event('beforeunload', {cancelable: true});"
        " window.dispatchEvent(leaving); return leaving.defaultPrevented; }"
    )


def test_leaving_the_page_asks_as_long_as_something_is_unsaved(clicked):
    page, asked = clicked, []

    def leave(dialog):
        asked.append(dialog.type)
        dialog.accept()

    page.once("dialog", leave)
    page.reload()
    expect(page.locator(".vs-click")).to_have_count(1, timeout=PATIENCE_MS)
    assert asked == ["beforeunload"] and asks_before_it_is_left(page)
    page.click("#save")
    with page.expect_download(timeout=PATIENCE_MS) as download:
        page.click("#save-tumour-seg-nrrd")
    assert download.value.suggested_filename == "t1ce-tumour.seg.nrrd"
    page.keyboard.press("Escape")
    expect(page.locator("#unsaved")).to_have_count(0)
    assert not asks_before_it_is_left(page)
    # Where nothing keeps it, trame closes the connection at that event.
    page.reload()
    expect(page.locator("#undo")).to_be_enabled(timeout=PATIENCE_MS)


def test_finding_the_tumour_asks_before_clicks_go(clicked):
    page = clicked
    page.click("#find")
    expect(page.locator("#question")).to_contain_text("its work goes with it: 1 click")
    page.click("#answer-cancel")
    expect(page.locator("#question")).to_be_hidden()
    expect(page.locator("#running")).to_have_count(0)
    expect(page.locator(".vs-click")).to_have_count(1)


def test_opening_files_asks_before_clicks_go_and_keeps_what_was_sent(clicked, tmp_path):
    page = clicked
    page.click("#open")
    page.set_input_files("#file-t1ce", write_image(tmp_path / "other.nii.gz", ball_volume().array))
    page.locator("#sent-t1ce", has_text="other").wait_for(timeout=PATIENCE_MS)
    page.click("#open-files")
    expect(page.locator("#question")).to_contain_text("was not saved: 1 click")
    page.click("#answer-cancel")
    expect(page.locator("#question")).to_be_hidden()
    expect(page.locator("#sent-t1ce")).to_have_text("other.nii.gz")
    expect(page.locator(".vs-click")).to_have_count(1)
    page.click("#open-files")
    page.click("#answer-ok")
    expect(page.locator(".vs-click")).to_have_count(0, timeout=PATIENCE_MS)
    expect(page.locator("#unsaved")).to_have_count(0)


def test_what_is_still_on_its_way_is_not_saved_though_an_earlier_download_has_come(clicked):
    page = clicked
    # The first one takes a second to come, the next one for ever.
    page.evaluate(
        """() => {
          const { trame } = window;
          const ask = trame.trigger;
          const late = (answer) => new Promise((come) => setTimeout(come, 1500, answer));
          const waits = [late, () => new Promise(() => {})];
          trame.trigger = (name, ...about) => {
            const answer = ask.call(trame, name, ...about);
            return name === "vs_download" ? answer.then(waits.shift()) : answer;
          };
        }"""
    )
    with page.expect_download(timeout=PATIENCE_MS):
        page.evaluate("() => void window.vsclick.download('tumour.seg.nrrd')")
        area = page.locator(".vs-over[data-view=T1ce]").bounding_box()
        page.mouse.click(area["x"] + area["width"] / 2 - 60, area["y"] + area["height"] / 2)
        expect(page.locator(".vs-click")).to_have_count(2)
        page.evaluate("() => void window.vsclick.download('tumour.seg.nrrd')")
    page.wait_for_timeout(1000)
    expect(page.locator("#unsaved")).to_be_visible()
    assert asks_before_it_is_left(page)
