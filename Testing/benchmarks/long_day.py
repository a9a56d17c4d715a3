"""A long day in one process: 50 cases of ten clicks each, and what the process holds after every case.

``--app`` works in the browser app (its server, and Chromium's tab) instead of on the module's panel. Both
use the shipped corrector on 256×256×60 voxels, with undo, redo, clicks taken back, a label saved, and the
worklist's next case. Each writes a JSON file into the folder of results; ``--chart`` draws what is there.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

# No display is needed.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

import numpy as np
from day_cases import DayCase, moderate_cases, write_cases
from process_figures import figures
from VSClickCorrectLib.io.files import write_text

# By then everything that is loaded or cached once is there.
SETTLED = 10


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--app", action="store_true", help="in the browser app")
    parser.add_argument("--cases", type=int, default=50)
    parser.add_argument("--clicks", type=int, default=10, help="clicks a case")
    parser.add_argument("--output", type=Path, default=Path("long-day-output"))
    parser.add_argument("--chart", type=Path, help="draw the results in --output as this picture, and end")
    chosen = parser.parse_args()
    if chosen.chart:
        _draw(chosen.output, chosen.chart)
        return
    chosen.output.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="vsclick-day-") as folder:
        root = Path(folder)
        cases = write_cases(root / "cases", chosen.cases, moderate_cases())
        day = _app_day(root, cases, chosen.clicks) if chosen.app else _panel_day(root, cases, chosen.clicks)
        name = "long-day-app.json" if chosen.app else "long-day-panel.json"
        rows = _kept(day, chosen.output / name, chosen.clicks)
    _conclude(rows)


def _panel_day(root: Path, cases: list[DayCase], clicks: int) -> Iterator[dict[str, float]]:
    from panel_day import PanelDay

    day = PanelDay(root, cases, clicks)
    day.begin()
    for times in day.work():
        yield {**asdict(figures()), "click_ms": float(np.median(times)), **day.counts()}
    held = figures().own_mb
    day.end()
    ctypes.CDLL(None).malloc_trim(0)
    left = figures().own_mb
    print(f"own_mb {held:.0f} at the end, {left:.0f} with the panel closed and freed pages given back")


def _app_day(root: Path, cases: list[DayCase], clicks: int) -> Iterator[dict[str, float]]:
    from app_day import AppDay

    with AppDay(root, cases, clicks) as day:
        for times in day.work():
            held = asdict(figures(day.process_id))
            yield {**held, "click_ms": float(np.median(times)), **day.counts()}


def _kept(day: Iterator[dict[str, float]], path: Path, clicks: int) -> list[dict[str, float]]:
    """Print and write down each case once it is worked on."""
    rows = []
    for number, row in enumerate(day, start=1):
        rows.append({"case": number, **row})
        print("  ".join(f"{name} {value:.4g}" for name, value in rows[-1].items()), flush=True)
        write_text(path, json.dumps({"clicks": clicks, "cases": rows}, indent=1) + "\n")
    return rows


def _conclude(rows: list[dict[str, float]]) -> None:
    """Print how far memory strays from what it was after the tenth case."""
    for name in [n for n in rows[0] if n.endswith("_mb")]:
        values = [row[name] for row in rows[min(SETTLED, len(rows)) - 1 :]]
        stray = max(abs(value - values[0]) for value in values) / values[0]
        print(
            f"{name}: {values[0]:.0f} after case {SETTLED}, {values[-1]:.0f} at the end, strays {stray:.1%}"
        )


def _draw(folder: Path, picture: Path) -> None:
    """Draw memory by case."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=(7.2, 3.6), layout="constrained")
    lines = (
        ("long-day-panel.json", "own_mb", "panel: the process with its scene", "#0072b2"),
        ("long-day-app.json", "own_mb", "browser app: the server", "#d55e00"),
        ("long-day-app.json", "heap_mb", "browser app: the tab's JavaScript heap", "#999999"),
    )
    for file, name, label, color in lines:
        if (folder / file).exists():
            rows = json.loads((folder / file).read_text(encoding="utf-8"))["cases"]
            axis.plot([r["case"] for r in rows], [r[name] for r in rows], label=label, color=color)
    axis.axvline(SETTLED, color="#cccccc", linewidth=1, zorder=0)
    axis.set(xlabel="cases done, ten clicks each", ylabel="memory, MB", xlim=(1, None), ylim=(0, None))
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, loc="center right")
    figure.savefig(picture, dpi=150)


if __name__ == "__main__":
    main()
