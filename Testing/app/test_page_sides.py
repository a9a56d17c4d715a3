"""A case of which nobody knows the sides, on the page in a real Chromium."""

import re
from importlib.util import find_spec

import nibabel as nib
import pytest
from bright_ball import AXIAL, ball_volume
from page_tab import ready

if find_spec("playwright") is None:
    pytest.skip("the tests in a browser need the Python package playwright", allow_module_level=True)

from playwright.sync_api import expect

# Loading the models takes a while on a busy machine.
PATIENCE_MS = 60_000


@pytest.mark.parametrize("code", [0, 1])
def test_the_views_bear_letters_only_where_the_sides_are_known(
    tmp_path, serve_app, chromium, bright_models, code
):
    image = nib.Nifti1Image(ball_volume().array.transpose(), None)
    image.header.set_zooms((0.75, 0.75, 1.5))
    image.set_sform(AXIAL, code, update_affine=False)
    nib.save(image, tmp_path / "t1.nii")
    server = serve_app("--t1ce", tmp_path / "t1.nii", "--models", bright_models, "--device", "cpu")
    context = chromium.new_context()
    tab = context.new_page()
    tab.goto(server.url)
    ready(tab)
    known = bool(code)
    expect(tab.locator("#status")).to_have_text(
        re.compile("^Ready" if known else "does not say where the image lies nor which side is left.*Ready")
    )
    assert (tab.locator(".vs-over[data-view=T1ce] .vs-side").count() == 4) is known
    context.close()
