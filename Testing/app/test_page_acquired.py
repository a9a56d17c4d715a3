"""A coronal scan on the page in a real Chromium: its slices are shown as they were acquired."""

from importlib.util import find_spec

import numpy as np
import pytest
from bright_ball import ball_volume, write_image
from page_mouse import over
from page_tab import ready
from VSClickCorrectLib.geometry.grid import Grid

if find_spec("playwright") is None:
    pytest.skip("the tests in a browser need the Python package playwright", allow_module_level=True)

from playwright.sync_api import expect

# Loading the models takes a while on a busy machine.
PATIENCE_MS = 60_000
# Columns to the left, rows downward, slices of 3 mm forward from A -60.
CORONAL = Grid((24, 64, 64), np.array([[-0.75, 0, 0, 82], [0, 0, 3, -60], [0, -0.75, 0, 60], [0, 0, 0, 1]]))


def test_a_coronal_scan_opens_in_its_own_slices(tmp_path, serve_app, chromium, bright_models):
    t1ce = write_image(tmp_path / "t1.nii.gz", ball_volume(CORONAL).array, CORONAL.affine)
    server = serve_app("--t1ce", t1ce, "--models", bright_models, "--device", "cpu")
    context = chromium.new_context()
    tab = context.new_page()
    tab.goto(server.url)
    ready(tab)
    expect(over(tab, "Coronal")).to_be_visible()
    expect(over(tab, "T1ce")).to_be_hidden()
    # The middle of the image, A -25.5, lies between two slices, of which one is shown.
    place = over(tab, "Coronal").locator(".vs-position")
    expect(place).to_have_text("P 24.0")
    # The keys page the 24 slices, not the 64 rows.
    expect(tab.locator("#slice")).to_have_text("Slice 13 / 24")
    tab.keyboard.press("PageUp")
    expect(tab.locator("#slice")).to_have_text("Slice 14 / 24")
    expect(place).to_have_text("P 21.0")
    context.close()
