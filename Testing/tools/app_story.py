"""Take the moving picture of the README: three clicks on the page mend a tumour.

``python Testing/tools/app_story.py`` writes story.gif into Resources/Screenshots. It needs Chromium and the
packages playwright and Pillow.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from app_pictures import PICTURES
from app_server import CHROMIUM, AppServer
from PIL import Image, ImageDraw
from playwright.sync_api import Page, sync_playwright
from scipy import ndimage
from VSClickCorrectLib.io.images import write_mask, write_volume
from VSClickCorrectLib.io.sample_case import read_sample

_NAMES = {"t1ce": "T1ce.nii.gz", "t2": "T2.nii.gz", "mask": "mask.nii.gz"}
_TOO_SMALL_MM, _SHIFT_MM = 1.5, np.array([0.0, 2.0, -2.0])
# Pixels from the middle of the T1ce view, which shows the mask: where the tumour's border runs.
_CLICKS = ((-26, -37), (7, -53), (61, -15))
_WINDOW = {"width": 1280, "height": 720}
_SHOWN = (896, 504)
_AIM_MS, _RESULT_MS, _END_MS = 1100, 1700, 3500
# A pointer, as an arrow of so many pixels, since a browser does not draw it into its pictures.
_ARROW = ((0, 0), (0, 22), (6, 17), (10, 26), (14, 24), (10, 16), (17, 16))


def main() -> None:
    """Start the app, click, and write the picture."""
    with TemporaryDirectory(prefix="vsclick-story-") as folder:
        server = AppServer(*_files(Path(folder)), log=Path(folder) / "log.txt")
        try:
            frames = _frames(server.url)
        finally:
            server.close()
    images = [image for image, _ in frames]
    # Of marks and outlines, too, which are few pixels.
    palette = images[-1].quantize(256, kmeans=2)
    first, *others = (image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images)
    durations = [milliseconds for _, milliseconds in frames]
    path = PICTURES / "story.gif"
    first.save(path, save_all=True, append_images=others, duration=durations, loop=0, optimize=True)


def _files(folder: Path) -> list[str]:
    """Write the sample case with a mask that is shifted and too small; return the command's words for it."""
    sample = read_sample()
    spacing = sample.grid.spacing[::-1]
    inside = ndimage.distance_transform_edt(sample.truth, sampling=spacing) > _TOO_SMALL_MM
    mask = ndimage.shift(inside, _SHIFT_MM / spacing, order=0)
    write_volume(folder / "T1ce.nii.gz", sample.case.t1ce)
    write_volume(folder / "T2.nii.gz", sample.case.t2)
    write_mask(folder / "mask.nii.gz", mask, sample.grid)
    return [word for name in ("t1ce", "t2", "mask") for word in (f"--{name}", str(folder / _NAMES[name]))]


def _frames(address: str) -> list[tuple[Image.Image, int]]:
    """Return pictures and how many milliseconds each is shown: aim and result of each click."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport=_WINDOW)
        page.goto(address)
        page.locator("#status", has_text="Ready").wait_for(timeout=120_000)
        page.wait_for_timeout(3000)
        frames = []
        for right, down in _CLICKS:
            area = page.locator(".vs-over[data-view=T1ce]").bounding_box()
            x, y = area["x"] + area["width"] / 2 + right, area["y"] + area["height"] / 2 + down
            page.wait_for_timeout(500)
            frames.append((_picture(page, (x, y)), _AIM_MS))
            page.mouse.click(x, y)
            page.wait_for_timeout(2500)
            frames.append((_picture(page, (x, y)), _RESULT_MS))
        browser.close()
    frames[-1] = frames[-1][0], _END_MS
    return frames


def _picture(page: Page, pointer: tuple[float, float]) -> Image.Image:
    image = Image.open(BytesIO(page.screenshot())).convert("RGB")
    arrow = [(pointer[0] + x, pointer[1] + y) for x, y in _ARROW]
    ImageDraw.Draw(image).polygon(arrow, fill="white", outline="black")
    return image.resize(_SHOWN, Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
