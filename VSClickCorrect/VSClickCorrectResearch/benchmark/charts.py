"""The charts of `Resources/Docs/performance.md`."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
from VSClickCorrectLib.io.files import write_atomically

from VSClickCorrectResearch.benchmark.results import PARTS, BenchmarkResults
from VSClickCorrectResearch.benchmark.timing import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CHARTS = ("click.png", "growth.png", "session.png", "comparisons.png", "limit.png")
# Okabe and Ito's palette, told apart by colour-blind readers too.
_COLOURS = ("#56B4E9", "#0072B2", "#009E73", "#D55E00", "#CC79A7", "#E69F00")
_OURS, _THEIRS = "#0072B2", "#999999"
# Behind numbers that a line may cross.
_CLEAR = {"facecolor": "white", "edgecolor": "none", "pad": 1}


def save_charts(folder: Path, results: BenchmarkResults) -> None:
    """Draw a chart of each part that was measured.

    Parameters
    ----------
    folder : Path
        Gets `CHARTS`.
    results : BenchmarkResults
        What was measured.

    Raises
    ------
    StorageError
        If a file cannot be written.
    """
    click, growth, session, comparisons, limit = (folder / name for name in CHARTS)
    if results.sizes:
        _save(click, (8.0, 3.6), 1, lambda axes: _click(axes[0], results))
        _save(growth, (8.0, 2.6), 2, lambda axes: _growth(axes, results))
        _save(session, (8.0, 3.4), 1, lambda axes: _session(axes[0], results))
    if results.comparisons:
        height = 1.2 + 0.6 * len(results.comparisons)
        _save(comparisons, (8.0, height), 1, lambda axes: _comparisons(axes[0], results))
    if results.networks and results.variants:
        _save(limit, (9.0, 3.6), 2, lambda axes: _limit(axes, results))


def _save(path: Path, size: tuple[float, float], columns: int, draw) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, columns))
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    draw(axes)
    FigureCanvasAgg(figure)
    write_atomically(path, lambda temporary: figure.savefig(temporary, dpi=130))


def _click(axis: Axes, results: BenchmarkResults) -> None:
    names = [_lines(size.size) for size in results.sizes]
    bottom = np.zeros(len(names))
    for part, colour in zip(PARTS, _COLOURS, strict=False):
        heights = np.array([row.median if (row := size.row(part)) else 0.0 for size in results.sizes])
        axis.bar(names, heights, bottom=bottom, color=colour, label=part, width=0.6)
        bottom += heights
    for x, total in enumerate(bottom):
        axis.annotate(f"{total:.1f}", (x, total), (0, 3), textcoords="offset points", ha="center")
    axis.tick_params(axis="x", labelsize=8)
    axis.set_ylabel("ms, medians added up")
    axis.set_title("One click, by volume size", fontsize=10)
    axis.figure.legend(frameon=False, fontsize=9, loc="outside right center", reverse=True)


def _growth(axes: np.ndarray, results: BenchmarkResults) -> None:
    names = [size.size for size in results.sizes][::-1]
    panels = (("initial mask", "initial mask, s"), ("peak memory, all of it", "peak memory, GB"))
    for axis, (what, title) in zip(axes, panels, strict=True):
        values = [row.median / 1000 if (row := size.row(what)) else 0.0 for size in results.sizes]
        bars = axis.barh(names, values[::-1], color=_OURS, height=0.6)
        axis.bar_label(bars, fmt="%.2f", padding=3, fontsize=9)
        axis.margins(x=0.15)
        axis.set_title(title, fontsize=10)
    axes[1].set_yticks([])


def _session(axis: Axes, results: BenchmarkResults) -> None:
    for size, colour in zip(results.sizes, _COLOURS, strict=False):
        times = size.session()
        window = max(1, len(times) // 20)
        middles = np.arange(0, len(times) - window + 1, max(1, window // 5))
        smooth = [np.median(times[m : m + window]) for m in middles]
        axis.plot(middles + window / 2, smooth, color=colour, label=size.size)
    axis.set_ylim(bottom=0)
    axis.set_xlabel("click of the session")
    axis.set_ylabel("ms, running median")
    axis.set_title("Every click on top of all before it", fontsize=10)
    axis.figure.legend(frameon=False, fontsize=9, loc="outside right center")


def _comparisons(axis: Axes, results: BenchmarkResults) -> None:
    rows = results.comparisons[::-1]
    ratios = [one.ratio for one in rows]
    names = [fill(one.name, 42) for one in rows]
    bars = axis.barh(names, np.array(ratios) - 1, left=1, color=_OURS, height=0.5)
    axis.axvline(1, color="black", linewidth=0.8)
    axis.tick_params(axis="y", labelsize=8)
    axis.bar_label(
        bars, [f"{number(ratio)}×" for ratio in ratios], padding=4, fontsize=9, zorder=4, bbox=_CLEAR
    )
    for y, one in enumerate(rows):
        axis.plot([one.target] * 2, [y - 0.34, y + 0.34], color=_COLOURS[3], linewidth=2)
    axis.set_xscale("log")
    axis.set_xlim(min(1, *ratios) / 4, 3 * max(*ratios, *(one.target for one in rows)))
    axis.set_xlabel("times faster, same run (vertical line: target)")


def _limit(axes: np.ndarray, results: BenchmarkResults) -> None:
    shares, ways = axes
    networks = results.networks[::-1]
    bars = shares.barh([one.name for one in networks], [100 * one.share for one in networks], color=_OURS)
    shares.bar_label(bars, fmt="%.0f %%", padding=3, fontsize=9)
    shares.set_xlim(0, 100)
    shares.set_title("of the machine's best matrix rate, %", fontsize=10)
    rows = results.variants[::-1]
    colours = [_THEIRS] * (len(rows) - 1) + [_OURS]
    bars = ways.barh([one.name for one in rows], [1000 * one.median for one in rows], color=colours)
    ways.bar_label(bars, fmt="%.1f", padding=3, fontsize=9)
    ways.set_title("corrector run in other ways, ms a cut", fontsize=10)


def _lines(size: str) -> str:
    return size.replace(", ", ",\n")
