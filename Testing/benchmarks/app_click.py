"""Milliseconds from a mouse click to the changed segment in the browser; first page and memory.

With ``--layout planes`` also to the last change in any view, that of the surface in the 3D view included.

Needs Chromium and the Python package playwright. The app runs as a user starts it, on a pair of
512×512×120 voxels, and a page of 1280×800 is watched: painted means that the picture of the view in which
the click was made has more pixels of the segment's green, or fewer, than before the click.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from playwright.sync_api import Page, sync_playwright
from VSClickCorrectLib.io.images import write_mask
from VSClickCorrectResearch.benchmark.examination import Size, write_examinations
from VSClickCorrectResearch.simulation.mask_perturbations import uneven_border

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

from app_server import CHROMIUM, AppServer  # noqa: E402

_PATIENCE_MS = 120_000
# Looks at the view's pictures as the browser shows them: every animation frame, 60 a second.
_WATCH = """() => {
  const of = (image) => {
    const canvas = document.createElement('canvas');
    canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
    const context = canvas.getContext('2d', {willReadFrequently: true});
    context.drawImage(image, 0, 0);
    const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
    let green = 0;
    for (let n = 0; n < data.length; n += 4) green += data[n + 1] - data[n] > 40;
    return green;
  };
  const image = [...document.images].filter(i => i.naturalWidth > 100)[0];
  const before = of(image);
  let last = image.src;
  window.vsPainted = null;
  const start = {time: null};
  const released = () => { start.time = performance.now(); };
  document.addEventListener('pointerup', released, {once: true, capture: true});
  const look = () => {
    if (start.time !== null && image.src !== last) {
      last = image.src;
      if (Math.abs(of(image) - before) > 4) { window.vsPainted = performance.now() - start.time; return; }
    }
    requestAnimationFrame(look);
  };
  look();
}"""

# Keeps what each view shows from the release of the button on, small, with its time.
_WATCH_ALL = """() => {
  const seenNow = (i) => i.naturalWidth > 100 && i.checkVisibility({visibilityProperty: true});
  const images = [...document.images].filter(seenNow);
  const of = (image) => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [image.naturalWidth / 2, image.naturalHeight / 2];
    const context = canvas.getContext('2d', {willReadFrequently: true});
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    return context.getImageData(0, 0, canvas.width, canvas.height).data;
  };
  const seen = images.map((image) => [{time: 0, src: image.src, data: of(image)}]);
  let released = null, ended = false;
  const release = () => { released = performance.now(); };
  document.addEventListener('pointerup', release, {once: true, capture: true});
  const look = () => {
    if (ended) return;
    if (released !== null) images.forEach((image, n) => {
      if (image.src !== seen[n].at(-1).src && image.complete)
        seen[n].push({time: performance.now() - released, src: image.src, data: of(image)});
    });
    requestAnimationFrame(look);
  };
  look();
  const alike = (a, b) => a.length === b.length && a.every((value, k) => Math.abs(value - b[k]) < 60);
  window.vsLast = () => {
    ended = true;
    const times = seen.map((all) => {
      const final = all.at(-1).data;
      const last = all.findLastIndex((one) => !alike(one.data, final));
      return last < 0 ? 0 : all[last + 1].time;
    });
    return Math.max(...times) || null;
  };
}"""


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clicks", type=int, default=30)
    parser.add_argument("--layout", default="axial")
    chosen = parser.parse_args()
    with TemporaryDirectory(prefix="vsclick-benchmark-") as folder:
        files = _files(Path(folder))
        started = time.perf_counter()
        server = AppServer(*files, log=Path(folder) / "log.txt")
        try:
            _measure(server, started, chosen.clicks, chosen.layout)
        finally:
            server.close()


def _files(folder: Path) -> list[str]:
    (examination,) = write_examinations(folder, (Size((120, 512, 512)),))
    grid = examination.read().grid
    start = uneven_border(examination.ball(grid), grid.spacing[::-1], np.random.default_rng(0))
    write_mask(folder / "mask.nii.gz", start, grid)
    paths = {"t1ce": examination.t1ce, "t2": examination.t2, "mask": folder / "mask.nii.gz"}
    return [argument for name, path in paths.items() for argument in (f"--{name}", str(path))]


def _measure(server: AppServer, started: float, clicks: int, layout: str) -> None:
    address = server.url
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(address)
        page.wait_for_selector("#status")
        print(f"{'command to page':36s} {time.perf_counter() - started:.1f} s")
        page.locator("#status", has_text="Ready").wait_for(timeout=_PATIENCE_MS)
        print(f"{'command to first click possible':36s} {time.perf_counter() - started:.1f} s")
        page.click(f"#layout-{layout}")
        page.wait_for_timeout(2000)
        if layout == "axial":
            _report("mouse click to painted segment", [_click(page, n) for n in range(clicks)])
        else:
            _report(
                "mouse click to the last view",
                [_click(page, n, "vsLast()", _WATCH_ALL) for n in range(clicks)],
            )
        browser.close()
    print(f"{'memory of the server, peak':36s} {_peak_mb(server.process.pid):.0f} MB")


def _report(what: str, found: list[float | None]) -> None:
    times = [time for time in found if time is not None]
    low, middle, high = np.percentile(times, [10, 50, 90])
    print(f"{what:36s} median {middle:.0f} ms, 10-90 % {low:.0f} to {high:.0f} ms, n = {len(times)}")


def _click(page: Page, number: int, told: str = "vsPainted", watch: str = _WATCH) -> float | None:
    """Click on the border at another angle each time; None if the click changed nothing that is seen."""
    area = page.locator(".vs-over[data-view=T1ce]").bounding_box()
    angle, radius = 2.4 * number, 0.09 + 0.02 * (number % 3)
    x = area["x"] + area["width"] * (0.5 + radius * np.cos(angle))
    y = area["y"] + area["height"] / 2 + area["width"] * radius * np.sin(angle)
    page.mouse.move(x, y)
    page.wait_for_timeout(600)
    page.evaluate(watch)
    page.mouse.down()
    page.mouse.up()
    page.wait_for_timeout(1500)
    return page.evaluate(f"window.{told}")


def _peak_mb(pid: int) -> float:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", text)[1]) / 1024


if __name__ == "__main__":
    main()
