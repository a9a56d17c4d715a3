"""What hands do all day on the page, in a real Chromium, with a case of one sequence and no mask."""

import re
from importlib.util import find_spec

import pytest
from page_tab import ready_tab
from VSClickCorrectApp.page_keys import PAGE_KEYS

if find_spec("playwright") is None:
    pytest.skip("the tests in a browser need the Python package playwright", allow_module_level=True)

from playwright.sync_api import expect

PATIENCE_MS = 60_000
# Counts by name which of Vue's components are patched from now on.
_COUNT_PATCHES = """() => {
  window.patched = {};
  const count = ({ component, children }) => {
    if (Array.isArray(children)) children.filter((child) => child?.type).forEach(count);
    if (!component) return;
    const { name } = component.type;
    (component.u ||= []).push(() => (window.patched[name] = (window.patched[name] || 0) + 1));
    count(component.subTree);
  };
  count(document.querySelector("#app")._vnode);
}"""
# Keeps what begins to move from now on.
_COUNT_MOTIONS = """() => {
  window.motions = [];
  for (const type of ["transitionrun", "animationstart"]) {
    document.addEventListener(type, ({ target }) => window.motions.push(`${type} ${target.className}`), true);
  }
}"""
# Keeps what is sent to the server from now on.
_KEEP_SENT = """() => {
  window.sent = [];
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (part) {
    window.sent.push(new TextDecoder("latin1").decode(part));
    return send.call(this, part);
  };
}"""


@pytest.fixture(scope="module")
def server(serve_app, case_files, bright_models):
    return serve_app("--t1ce", case_files.t1ce, "--models", bright_models, "--device", "cpu")


@pytest.fixture(scope="module")
def page(server, chromium):
    with ready_tab(chromium, server.url, 1366, 768) as page:
        yield page


def says(page, text):
    expect(page.locator("#status")).to_have_text(re.compile(text), timeout=PATIENCE_MS)


def test_an_empty_mask_is_called_so(page):
    says(page, "^Ready; the mask is empty: find the tumour, or place an include click inside it")


def test_only_sequences_that_there_are_have_a_window(page):
    page.click("#tab-display")
    expect(page.locator("#window-t1ce-automatic")).to_have_count(1)
    expect(page.locator("#window-t2-automatic")).to_have_count(0)
    page.click("#tab-clicks")


def test_every_control_has_a_name(page):
    unnamed = page.evaluate(
        """() => {
          const given = (e) => e.ariaLabel || e.title || e.innerText || e.getAttribute("aria-labelledby");
          const named = (e) => given(e)?.trim() || e.labels?.length;
          return [...document.querySelectorAll("button, input, select, [role=button], [role=slider]")]
            .filter((e) => e.checkVisibility() && !named(e)).map((e) => e.outerHTML.slice(0, 120));
        }"""
    )
    assert unnamed == [], unnamed


def test_the_keys_are_listed(page):
    page.keyboard.press("Shift+?")
    listed = page.locator("#help-page")
    expect(listed).to_be_visible()
    for key in PAGE_KEYS:
        expect(listed).to_contain_text(key.does)
    page.keyboard.press("Escape")
    expect(listed).to_be_hidden()


def test_numbers_choose_the_kind_of_click(page):
    for key, kind in (("3", "exclude"), ("1", "boundary"), ("2", "include")):
        page.keyboard.press(key)
        expect(page.locator(f"#tool-{kind}")).to_have_class(re.compile("v-btn--active"))


def test_enter_places_a_click_even_after_a_button_was_pressed(page):
    page.click("#tool-include")
    page.keyboard.press("Enter")
    says(page, "Include click")
    expect(page.locator(".vs-click")).to_have_count(1)


def test_clicks_are_reached_and_gone_to_by_keyboard(page):
    page.keyboard.press("PageUp")
    expect(page.locator("#slice")).to_have_text("Slice 14 / 24")
    row = page.get_by_role("button", name="Go to click 1")
    row.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#slice")).to_have_text("Slice 13 / 24")
    expect(page.locator(".vs-click")).to_have_count(1)


def test_dots_of_many_clicks_stay_within_the_strip(page):
    page.click("#tool-include")
    for _ in range(7):
        page.keyboard.press("Enter")
        page.keyboard.press("ArrowRight")
    expect(page.locator(".vs-click")).to_have_count(8)
    assert page.locator(".vs-current .vs-dot").count() <= 5 < page.locator(".vs-click").count()
    top = page.locator(".vs-bars").bounding_box()["y"]
    assert min(dot.bounding_box()["y"] for dot in page.locator(".vs-dot").all()) >= top


def test_copying_is_told_also_where_the_browser_has_no_clipboard(page):
    page.click("#tab-measures")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined, configurable: true})")
    page.click("#copy")
    says(page, "^The measurements were copied")
    page.click("#tab-clicks")


def test_tooltips_and_icons_are_not_patched_with_what_changes_around_them(page):
    page.keyboard.press("1")
    number = page.locator("#slice")
    before = number.inner_text()
    page.evaluate(_COUNT_PATCHES)
    page.keyboard.press("2")
    page.keyboard.press("PageUp")
    expect(page.locator("#tool-include")).to_have_class(re.compile("v-btn--active"))
    expect(number).not_to_have_text(before)
    patched = page.evaluate("window.patched")
    assert patched["VBtn"] > 0
    assert not {"VTooltip", "VIcon"} & patched.keys()


def test_a_key_is_told_once_and_not_by_every_view(page):
    page.keyboard.press("1")
    page.evaluate(_KEEP_SENT)
    page.keyboard.press("3")
    expect(page.locator("#tool-exclude")).to_have_class(re.compile("v-btn--active"))
    sent = page.evaluate("window.sent")
    assert sum("vs_key" in message for message in sent) == 1
    assert [message for message in sent if "trame.rca.event" in message] == []


def test_nothing_moves_by_itself_for_who_asks_for_that(page):
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(_COUNT_MOTIONS)
    page.keyboard.press("2")
    expect(page.locator("#tool-include")).to_have_class(re.compile("v-btn--active"))
    page.keyboard.press("Shift+?")
    expect(page.locator("#help-page")).to_be_visible()
    # Without motion it is seen a moment before it listens, and a program's Escape comes sooner than a hand's.
    expect(page.locator(".v-overlay__content:focus-within")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help-page")).to_be_hidden()
    assert page.evaluate("window.motions") == []


def test_what_goes_wrong_in_the_dialog_is_told_in_it(page, tmp_path):
    wrong = tmp_path / "notes.txt"
    wrong.write_text("no image")
    page.click("#open")
    page.set_input_files("#file-t1ce", wrong)
    problem = page.locator(".v-dialog .vs-problem")
    expect(problem).to_contain_text("'notes.txt' is of no known kind")
    page.keyboard.press("Escape")
    expect(problem).to_be_hidden()
    # What went wrong before is not told of the next files; once more, it is.
    page.click("#open")
    expect(page.locator("#open-files")).to_be_visible()
    expect(problem).to_have_count(0)
    page.set_input_files("#file-t1ce", wrong)
    expect(problem).to_contain_text("'notes.txt' is of no known kind")
    page.keyboard.press("Escape")
    assert page.troubles == []


def test_when_the_program_has_gone_the_page_says_what_to_do(page, server):
    server.close()
    expect(page.locator("#gone")).to_contain_text("start vsclick app again", timeout=PATIENCE_MS)
