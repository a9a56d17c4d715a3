"""The curve of an evaluation: DSC over rounds or clicks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from VSClickCorrectLib.io.files import write_atomically

from VSClickCorrectResearch.evaluation.results import GOALS, EvaluationResults, curve

# Okabe and Ito's palette, told apart by colour-blind readers too; shapes and dashes tell the methods apart
# where there is no colour.
_STYLES = (
    ("#D55E00", "-", "o"),
    ("#999999", ":", "x"),
    ("#0072B2", "--", "s"),
    ("#009E73", "-.", "^"),
    ("#CC79A7", (0, (5, 1, 1, 1, 1, 1)), "D"),
)
_STARTS = {
    "initial": "initial mask",
    "first-click": "after one include click",
    "spoiled": "spoiled mask",
    "mask": "given mask",
}


def save_curve(path: Path, results: EvaluationResults) -> None:
    """Draw the median DSC of every method, and of the corrector a band between its quartiles.

    Parameters
    ----------
    path : Path
        PNG to write; it appears whole or not at all.
    results : EvaluationResults
        At least one case.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.6), layout="constrained")
    axis = figure.subplots()
    for goal in GOALS:
        axis.axhline(goal, color="#DDDDDD", linewidth=0.8, zorder=0)
    # The corrector last, so that its curve lies on top.
    for n, method in reversed(list(enumerate(results.methods))):
        _draw(axis, method, *quartile_curve(results, method), _STYLES[n], banded=n == 0)
    _label(axis, results)
    FigureCanvasAgg(figure)
    write_atomically(path, lambda temporary: figure.savefig(temporary, dpi=150))


def quartile_curve(results: EvaluationResults, method: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the steps of the curve and lower quartile, median and upper quartile at each.

    A step is a click where clicks were applied one by one, else a round. Where a case has no click left to
    place, its DSC stays.

    Returns
    -------
    steps : ndarray of int
        ``0, 1, …``.
    quartiles : ndarray of float
        Shape ``(3, steps)``.
    """
    settings = results.settings
    if settings.one_by_one:
        last = settings.rounds * settings.clicks
        scores = [curve(case.rounds[method], True)[1] for case in results.cases]
        values = np.array([one + [one[-1]] * (last + 1 - len(one)) for one in scores])
    else:
        values = results.values(method, "dice")
    return np.arange(values.shape[1]), np.percentile(values, [25, 50, 75], axis=0)


def _draw(axis, method: str, steps: np.ndarray, quartiles: np.ndarray, style: tuple, banded: bool) -> None:
    colour, line, marker = style
    low, middle, high = quartiles
    if banded:
        axis.fill_between(steps, low, high, color=colour, alpha=0.18, linewidth=0)
    axis.plot(steps, middle, color=colour, linestyle=line, marker=marker, markersize=4, label=method)


def _label(axis, results: EvaluationResults) -> None:
    settings = results.settings
    what = "clicks" if settings.one_by_one else f"rounds of up to {settings.clicks} clicks"
    axis.set_xlabel(f"{what} (0: {_STARTS[settings.start]})")
    axis.set_ylabel("DSC")
    if not settings.one_by_one:
        axis.set_xticks(range(settings.rounds + 1))
    axis.set_ylim(top=1.0)
    axis.spines[["top", "right"]].set_visible(False)
    axis.set_title(
        f"{len(results.cases)} cases: medians; band: quartiles of {results.methods[0]}", fontsize=10
    )
    handles, labels = axis.get_legend_handles_labels()
    axis.figure.legend(
        handles[::-1], labels[::-1], frameon=False, fontsize=9, loc="outside lower center", ncols=3
    )
