"""The label curve as a table and a picture: DSC over labelled cases, one line for each round of clicks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from VSClickCorrectLib.io.files import write_atomically

from VSClickCorrectResearch.evaluation.markdown import table
from VSClickCorrectResearch.evaluation.statistics import mean_interval, spread_over, with_spread

_COLOURS = ("#999999", "#0072B2", "#009E73", "#D55E00")
_MARKERS = ("o", "s", "^", "D")


@dataclass(frozen=True)
class LabelCurve:
    """Mean DSC of one kind of pipeline.

    Parameters
    ----------
    sizes : tuple of int
        Labelled cases, ascending.
    mean, low, high : ndarray
        ``(sizes, rounds + 1)``: mean over test cases and seeds, and the ends of its 95 % bootstrap interval
        over test cases, each of which counts with its mean over seeds.
    spread : ndarray
        ``(sizes, rounds + 1)``: standard deviation over seeds of the mean over cases; NaN of one seed.
    gained : ndarray
        ``(sizes, 3)``: by how much round 1 is above the initial mask of most labelled cases, on the mean over
        test cases, and the ends of the 95 % bootstrap interval of this paired difference.
    """

    sizes: tuple[int, ...]
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    spread: np.ndarray
    gained: np.ndarray


def label_curve_of(dice: dict[int, np.ndarray]) -> LabelCurve:
    """Summarise the DSC of every number of labelled cases, ``(seeds, cases, rounds + 1)`` each."""
    sizes = tuple(sorted(dice))
    by_case = [dice[n].mean(axis=0) for n in sizes]
    gained = [one[:, 1] - by_case[-1][:, 0] for one in by_case]
    ends = np.array([[mean_interval(column, 0) for column in one.T] for one in by_case])
    return LabelCurve(
        sizes,
        np.array([one.mean(axis=0) for one in by_case]),
        ends[..., 0],
        ends[..., 1],
        np.array([spread_over(dice[n].mean(axis=1)) for n in sizes]),
        np.array([(one.mean(), *mean_interval(one, 0)) for one in gained]),
    )


def label_table(curve: LabelCurve) -> str:
    """Return the curve as Markdown: one row a number of cases, one column a round."""
    rounds = curve.mean.shape[1]
    heads = ["labelled training cases", "initial mask", *(f"round {n}" for n in range(1, rounds))]
    gained = f"round 1 less the initial mask of {curve.sizes[-1]} cases"
    lines = []
    for n, size in enumerate(curve.sizes):
        values = zip(curve.mean[n], curve.low[n], curve.high[n], curve.spread[n], strict=True)
        cells = [with_spread(f"{one:.3f} [{low:.3f}, {high:.3f}]", sd) for one, low, high, sd in values]
        mean, low, high = curve.gained[n]
        lines.append([str(size), *cells, f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]"])
    return table([*heads, gained], lines) + "\n"


def save_label_curves(path: Path, curves: dict[str, LabelCurve]) -> None:
    """Draw curves beside each other, by title; bands are 95 % intervals over test cases.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6 * len(curves), 4.2), layout="constrained")
    axes = figure.subplots(1, len(curves), sharey=True, squeeze=False)[0]
    for axis, (title, curve) in zip(axes, curves.items(), strict=True):
        _draw(axis, title, curve)
    axes[0].set_ylabel("mean DSC on test cases")
    axes[-1].legend(frameon=False, fontsize=9, loc="lower right")
    FigureCanvasAgg(figure)
    write_atomically(path, lambda temporary: figure.savefig(temporary, dpi=150))


def _draw(axis, title: str, curve: LabelCurve) -> None:
    for n in range(curve.mean.shape[1]):
        colour, marker = _COLOURS[n % len(_COLOURS)], _MARKERS[n % len(_MARKERS)]
        axis.fill_between(
            curve.sizes, curve.low[:, n], curve.high[:, n], color=colour, alpha=0.12, linewidth=0
        )
        label = "initial mask" if n == 0 else f"round {n}"
        axis.plot(curve.sizes, curve.mean[:, n], color=colour, marker=marker, markersize=4, label=label)
    axis.set_xscale("log", base=2)
    axis.set_xticks(curve.sizes, [str(n) for n in curve.sizes])
    axis.minorticks_off()
    axis.set_xlabel("labelled training cases")
    axis.set_title(title, fontsize=10)
    axis.spines[["top", "right"]].set_visible(False)
