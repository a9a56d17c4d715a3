"""The mouse over the views of the page, in pixels from a view's middle, and waiting for what follows."""

import numpy as np
from bright_ball import GRID, ball, read_image, world

# What the app shows along a view's shorter side when it is opened: a small mask and its surroundings.
WIDTH_MM = 80.0
_START = ball(radius=5.0)
_ROUND_MS = 50
_PATIENCE_MS = 60_000
_FITS = "view => !window.vsclick.misfits(document.querySelector(`.vs-over[data-view=${view}]`).parentElement)"


def until(page, holds):
    """Wait until something holds, however slow the machine is; AssertionError if it never does."""
    for _ in range(_PATIENCE_MS // _ROUND_MS):
        if holds():
            return
        page.wait_for_timeout(_ROUND_MS)
    raise AssertionError("it never came to hold")


def settled(page, read):
    """Return what is read once it stays the same; for what may come to be anything."""
    found = read()
    for _ in range(_PATIENCE_MS // (4 * _ROUND_MS)):
        page.wait_for_timeout(4 * _ROUND_MS)
        before, found = found, read()
        if found == before:
            return found
    raise AssertionError(f"it never settled: {found}")


def over(page, view):
    """What lies over a view and takes its mouse."""
    return page.locator(f".vs-over[data-view={view}]")


def _area(page, view):
    """Where a view lies on the page, once its picture fills it; no press on another counts."""
    page.wait_for_function(_FITS, arg=view)
    return over(page, view).bounding_box()


def middle_of(page, view, right=0, down=0):
    """A point of the page, so far from a view's middle."""
    area = _area(page, view)
    return area["x"] + area["width"] / 2 + right, area["y"] + area["height"] / 2 + down


def drag(page, view, right, down, button="left"):
    """Drag from a view's middle, as slowly as a hand, and wait until the page has followed."""
    x, y = middle_of(page, view)
    page.mouse.move(x, y)
    page.mouse.down(button=button)
    for step in range(1, 6):
        page.mouse.move(x + right * step / 5, y + down * step / 5)
        page.wait_for_timeout(40)
    page.mouse.up(button=button)
    page.wait_for_timeout(300)


def pixel_of(page, ras, view="T1ce"):
    """Where a point lies on the page of the bright ball, as long as the view is as it was opened."""
    area = _area(page, view)
    inside = world(GRID)[_START]
    middle = (inside.min(axis=0) + inside.max(axis=0)) / 2
    right, front = np.subtract(ras, middle)[:2] / (WIDTH_MM / min(area["width"], area["height"]))
    return float(area["x"] + area["width"] / 2 - right), float(area["y"] + area["height"] / 2 - front)


def undo_all(page):
    """Undo until nothing is left: what was done last may still be on its way, or its undoing."""
    while settled(page, page.locator("#undo").is_enabled):
        page.click("#undo")


def saved_mask(page, folder):
    """Save the tumour's mask from the page, and return its voxels."""
    page.click("#save")
    with page.expect_download(timeout=_PATIENCE_MS) as download:
        page.click("#save-tumour-nii-gz")
    download.value.save_as(folder / "mask.nii.gz")
    return read_image(folder / "mask.nii.gz") > 0
