"""Every control of the page says what it is and which key does the same, in a real Chromium."""

import re
from importlib.util import find_spec

import numpy as np
import pytest
from VSClickCorrectApp.page_keys import PAGE_KEYS, key_of
from VSClickCorrectLib.io.images import write_mask, write_volume
from VSClickCorrectLib.io.registration import moved

if find_spec("playwright") is None:
    pytest.skip("the tests in a browser need the Python package playwright", allow_module_level=True)

from playwright.sync_api import expect

PATIENCE_MS = 60_000
# What moves about, and Enter, have no control of their own; the slider of slices names the keys that page.
WITHOUT_CONTROL = {
    "place",
    "top",
    "bottom",
    "left",
    "right",
    "back",
    "front",
    "bare",
    "unmeasure",
    "candidate",
}
# Controls that can be used, with what names them, what explains them, and where they are.
_CONTROLS = """() => {
  const CONTROL = "button, a[href], input, select, textarea, [role=button], [role=slider], [role=tab]";
  const said = (id) => document.getElementById(id)?.textContent || "";
  const text = (ids) => (ids || "").split(" ").map(said).join(" ");
  const labelled = (e) => text(e.getAttribute("aria-labelledby")).trim() || e.labels?.[0]?.textContent;
  const named = (e) => e.ariaLabel || labelled(e) || e.innerText || e.title;
  const explained = (e) => {
    for (let at = e; at && at.id !== "app"; at = at.parentElement) {
      const tip = at.title || text(at.getAttribute("aria-describedby")).trim();
      if (tip) return tip;
    }
    return "";
  };
  return [...document.querySelectorAll(CONTROL)]
    .filter((e) => e.checkVisibility({ visibilityProperty: true }) && e.type !== "hidden")
    .map((e) => ({ name: (named(e) || "").trim(), tip: explained(e), html: e.outerHTML.slice(0, 160) }));
}"""


@pytest.fixture(scope="module")
def page(tmp_path_factory, small, serve_app, bright_models, chromium):
    """A worklist of one case whose T2 is to be registered."""
    folder = tmp_path_factory.mktemp("worklist")
    case = folder / "cases" / "one"
    case.mkdir(parents=True)
    matrix = np.eye(4)
    matrix[:3, 3] = (4.0, 0.0, 0.0)
    write_volume(case / "T1ce.nii.gz", small.t1ce)
    write_volume(case / "T2.nii.gz", moved(small.t2, matrix))
    write_mask(case / "mask.nii.gz", small.truth, small.grid)
    arguments = ("--worklist", folder / "cases", "--output", folder / "results", "--annotator", "AB")
    server = serve_app(*arguments, "--models", bright_models, "--device", "cpu")
    # With all that moves, as most people have it.
    context = chromium.new_context(reduced_motion="no-preference", viewport={"width": 1366, "height": 768})
    page = context.new_page()
    page.goto(server.url)
    expect(page.locator("#status")).to_have_text(re.compile("Case one is ready"), timeout=PATIENCE_MS)
    yield page
    context.close()


@pytest.fixture(scope="module")
def controls(page):
    """All controls, walked through tab by tab, menu by menu and dialog by dialog."""
    page.keyboard.press("Enter")
    expect(page.locator(".vs-click")).to_have_count(1)
    page.click("#layout-planes")
    found = []

    def look():
        page.wait_for_timeout(400)
        found.extend(page.evaluate(_CONTROLS))

    for tab in ("clicks", "measures", "display", "settings"):
        page.click(f"#tab-{tab}")
        look()
    page.click("#tab-measures")
    for opener in ("help", "open", "compare", "save", "cases"):
        page.click(f"#{opener}")
        look()
        page.keyboard.press("Escape")
        page.wait_for_timeout(400)
    return found


def test_every_control_has_a_name_and_an_explanation(controls):
    assert len(controls) > 150
    assert [control["html"] for control in controls if not control["name"]] == []
    assert {control["html"] for control in controls if not control["tip"]} == set()


def test_what_a_key_does_too_is_explained_with_the_key(controls):
    tips = " ".join(control["tip"] for control in controls)
    for action in {key.action for key in PAGE_KEYS} - WITHOUT_CONTROL:
        key = key_of(action).replace("Page", "Page ")
        assert re.search(rf"[(\s]{re.escape(key)}[),: ]", tips), (action, key)


# Of a tablet, of an old screen, and of a laptop's at the browser's zoom of 150 %.
SMALL = ((820, 1180), (1024, 768), (911, 512))
# What a press in the middle of each would not meet.
_COVERED = """controls => controls.filter((e) => {
  const { left, top, width, height } = e.getBoundingClientRect();
  return !e.contains(document.elementFromPoint(left + width / 2, top + height / 2));
}).map((e) => e.id || e.innerText)"""


@pytest.fixture(params=SMALL, ids=lambda size: f"{size[0]}x{size[1]}")
def small_window(page, controls, request):
    width, height = request.param
    page.set_viewport_size({"width": width, "height": height})
    page.mouse.move(5, height / 2)
    page.wait_for_timeout(400)
    yield page
    page.set_viewport_size({"width": 1366, "height": 768})


def test_nothing_of_the_bar_is_covered_or_cut_off_in_a_small_window(small_window):
    buttons = small_window.locator(".vs-bar-top button")
    assert buttons.count() == 13
    assert buttons.evaluate_all(_COVERED) == []


def test_what_is_on_a_tab_is_scrolled_to_in_a_small_window(small_window):
    small_window.click("#tab-display")
    switch = small_window.locator("#switch-doubt")
    switch.scroll_into_view_if_needed()
    assert switch.evaluate_all(_COVERED) == []
    small_window.click("#tab-clicks")


def test_what_ends_a_dialog_is_in_reach_in_a_small_window(small_window):
    for opener, ends in (("help", "help-close"), ("open", "open-files")):
        small_window.click(f"#{opener}")
        end = small_window.locator(f"#{ends}")
        expect(end).to_be_in_viewport(ratio=1)
        small_window.keyboard.press("Escape")
        expect(end).to_be_hidden()


def test_a_long_sentence_is_read_whole(small_window):
    small_window.keyboard.press("Enter")
    said = small_window.locator("#status")
    expect(said).to_have_text(re.compile(r"click, round 1 .* voxels\)"))
    # As on other cases; this one has nothing as long to say.
    long = "Case one was kept and left, as its T1ce cannot be read any more; copy it again. " * 3
    said.evaluate("(e, text) => (e.textContent = text)", long)
    height = small_window.locator(".vs-foot").bounding_box()["height"]
    said.hover()
    assert said.evaluate("e => e.scrollHeight <= e.clientHeight && e.scrollWidth <= e.clientWidth")
    assert small_window.locator(".vs-foot").bounding_box()["height"] == height
