"""A worklist's page in a real Chromium: a T2 to register, and a case that somebody else has open."""

import re
from importlib.util import find_spec

import numpy as np
import pytest
from VSClickCorrectLib.io.images import write_mask, write_volume
from VSClickCorrectLib.io.registration import moved
from VSClickCorrectLib.worklist.worklist import Worklist

if find_spec("playwright") is None:
    pytest.skip("the tests in a browser need the Python package playwright", allow_module_level=True)

from playwright.sync_api import expect

PATIENCE_MS = 60_000
# A person looks at a case before it is decided upon; see `workflow.just_shown`.
LOOK_MS = 700


@pytest.fixture(scope="module")
def folder(tmp_path_factory, small):
    """Two cases whose T2's headers are wrong by 4 mm."""
    folder = tmp_path_factory.mktemp("worklist")
    matrix = np.eye(4)
    matrix[:3, 3] = (4.0, 0.0, 0.0)
    for name in ("one", "two"):
        case = folder / "cases" / name
        case.mkdir(parents=True)
        write_volume(case / "T1ce.nii.gz", small.t1ce)
        write_volume(case / "T2.nii.gz", moved(small.t2, matrix))
        write_mask(case / "mask.nii.gz", small.truth, small.grid)
    return folder


@pytest.fixture(scope="module")
def page(folder, serve_app, bright_models, chromium):
    arguments = ("--worklist", folder / "cases", "--output", folder / "results", "--annotator", "AB")
    server = serve_app(*arguments, "--models", bright_models, "--device", "cpu")
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.troubles = []
    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.goto(server.url)
    says(page, "Case one is ready")
    yield page
    assert page.troubles == []
    context.close()


def says(page, text):
    expect(page.locator("#status")).to_have_text(re.compile(text), timeout=PATIENCE_MS)


def test_t2_is_registered_and_shown_as_it_came(page):
    expect(page.locator("#registration-text")).to_contain_text("of the T2 lies within the T1ce")
    page.click("#register")
    says(page, "The T2 lies on the T1ce now")
    expect(page.locator("#registration-text")).to_contain_text(re.compile(r"Moved by [34]\.\d mm"))
    switch = page.get_by_label("Show the T2 as registered")
    expect(switch).to_be_checked()
    switch.click()
    expect(switch).not_to_be_checked()
    expect(page.locator("#register")).to_have_count(0)


def test_a_key_that_rests_under_a_finger_does_its_deed_once(page):
    page.keyboard.down("Shift")
    page.keyboard.down("N")
    says(page, "Case two is ready")
    # Down again without having been up: so a browser tells that a key is held.
    page.keyboard.down("N")
    page.wait_for_timeout(1500)
    expect(page.locator("#worklist-case")).to_have_text("two")
    page.keyboard.up("N")
    page.keyboard.up("Shift")
    page.keyboard.press("Shift+P")
    says(page, "Case one is ready")


def test_a_comment_is_kept_as_it_is_typed_with_the_case_that_is_shown(page, folder):
    field = page.get_by_label("Comment")
    field.press_sequentially("sharp border")
    listed = Worklist.open(folder / "cases", folder / "results", "CD")
    for _ in range(100):
        if listed.record("one").comment == "sharp border":
            break
        page.wait_for_timeout(50)
    assert (listed.record("one").comment, listed.record("two").comment) == ("sharp border", "")
    expect(field).to_have_value("sharp border")
    # In one line of the label's table, and read whole.
    field.press("Enter")
    long = " ".join(["the porus is widened, and the cochlear nerve is not told from the tumour"] * 4)
    field.fill(long.replace("porus is", "porus\nis"))
    for _ in range(100):
        if listed.record("one").comment == long:
            break
        page.wait_for_timeout(50)
    assert listed.record("one").comment == long
    expect(field).to_have_value(long)
    fits = "f => f.scrollHeight <= f.clientHeight && f.scrollWidth <= f.clientWidth"
    page.wait_for_function(fits, arg=field.element_handle())
    field.fill("")
    field.blur()


def test_case_of_somebody_else_is_taken_over(page, folder):
    other = Worklist.open(folder / "cases", folder / "results", "CD")
    other.go_to("two")
    choose(page, "two")
    expect(page.locator("#question")).to_contain_text(re.compile(r"CD on .* since \d\d:\d\d.*Take it over"))
    page.click("#answer-cancel")
    expect(page.locator("#question")).to_be_hidden()
    expect(page.locator("#worklist-case")).to_have_text("one")
    choose(page, "two")
    page.click("#answer-ok")
    says(page, "Case two is ready")
    expect(page.locator("#worklist-case")).to_have_text("two")


def choose(page, name):
    page.click("#cases")
    page.locator(".vs-cases").get_by_text(name, exact=True).click()


def test_case_without_a_tumour_is_labelled_so_after_a_question(page, folder):
    page.locator("#strip").click(position={"x": 5, "y": 5})
    page.wait_for_timeout(LOOK_MS)
    page.click("#worklist-no-tumour")
    expect(page.locator("#question")).to_contain_text("which the label will not hold")
    page.click("#answer-ok")
    says(page, "Case one is ready")
    expect(page.locator("#worklist-progress")).to_contain_text("1 of 2 done, 1 without tumour")


def test_after_the_last_skip_by_key_the_closed_case_is_gone(page):
    page.wait_for_timeout(LOOK_MS)
    page.keyboard.press("Shift+S")
    says(page, "No case waits any more")
    expect(page.locator("#case")).to_be_empty()
    expect(page.locator(".vs-bar")).to_have_count(0)
    expect(page.locator("#slice")).to_have_text("Slice 1 / 1")
    # There is nothing to look for the tumour in.
    expect(page.locator("#find")).to_be_disabled()
    page.click("#tab-measures")
    expect(page.locator("#copy")).to_be_disabled()


def test_settings_can_be_chosen(page):
    page.click("#tab-settings")
    page.locator(".v-select", has=page.locator("#setting-merge")).click()
    page.get_by_role("option", name="replace").click()
    expect(page.locator(".v-select", has=page.locator("#setting-merge"))).to_contain_text("replace")
