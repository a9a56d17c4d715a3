"""The tumour's parts on the page in a real Chromium: made, measured, and clicks that stay in theirs."""

import re
import shutil
from importlib.util import find_spec

import pytest
from page_tab import ready_tab

if find_spec("playwright") is None:
    pytest.skip("the tests in a browser need the Python package playwright", allow_module_level=True)

from handmade_models import constant_unet3d, read_manifest, write_manifest, write_weights
from playwright.sync_api import expect
from VSClickCorrectLib.measure.tumour_parts import PARTS

PATIENCE_MS = 60_000
UNET = {"in_channels": 3, "out_channels": 4, "channels": [3, 1]}


@pytest.fixture
def models(bright_models, tmp_path):
    """Networks that find what is bright, and one of parts to which all of a tumour is extrameatal."""
    folder = shutil.copytree(bright_models, tmp_path / "models")
    entry = write_weights(folder, "parts", constant_unet3d(UNET, (0, 1, 5, -9)))
    entry |= {"role": "parts", "network": "unet3d", "parameters": UNET}
    entry |= {"classes": list(PARTS), "channels": ["t1ce", "t2", "mask"]}
    entry |= {"geometry": {"spacing": [1.5, 1.0, 1.0], "shape": [16, 32, 32]}}
    write_manifest(folder, [*read_manifest(folder), entry])
    return folder


@pytest.fixture
def page(serve_app, chromium, case_files, models):
    files = ("--t1ce", case_files.t1ce, "--t2", case_files.t2, "--mask", case_files.mask)
    server = serve_app(*files, "--models", models, "--device", "cpu")
    with ready_tab(chromium, server.url, 1280, 800) as page:
        yield page
    assert page.troubles == []


def test_parts_are_measured_and_a_click_on_one_takes_nothing_of_another(page):
    status = page.locator("#status")
    page.click("#tab-measures")
    measures, diameter = page.locator("#measures"), re.compile(r"Largest axial diameter: (\d+\.\d) mm")
    expect(measures).to_have_text(diameter)
    own = diameter.search(measures.inner_text())[1]
    page.click("#parts")
    expect(page.locator("#parts-measures")).to_have_text(
        re.compile(rf"Largest extrameatal axial diameter: {re.escape(own)} mm .*2003 consensus: grade [12]"),
        timeout=PATIENCE_MS,
    )
    buttons = page.locator("[id^=part-]")
    expect(buttons).to_have_text(["tumour", *PARTS])
    places = [button.bounding_box() for button in buttons.all()]
    assert all(place["x"] + place["width"] <= page.viewport_size["width"] for place in places)
    page.click("#part-intrameatal")
    expect(status).to_have_text(re.compile("the mask is empty"), timeout=PATIENCE_MS)
    # The middle of the tumour is extrameatal.
    page.click("#tab-clicks")
    page.click("#tool-include")
    page.keyboard.press("Enter")
    expect(status).to_have_text(re.compile("lies in another class's segment"), timeout=PATIENCE_MS)
    page.click("#tab-measures")
    expect(page.locator("#measures")).to_have_text(re.compile("The mask is empty"))
    page.click("#part-tumour")
    expect(page.locator("#measures")).to_have_text(re.compile(f"Largest axial diameter: {re.escape(own)} mm"))
