"""Whether the initial networks find the tumour as often as they are sure of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from VSClickCorrectLib.io.files import write_atomically

from VSClickCorrectResearch.evaluation.metrics import FOUND
from VSClickCorrectResearch.evaluation.results import EvaluationResults

_BINS = 10


@dataclass(frozen=True)
class Bin:
    """Cases of which the networks are about as sure.

    Parameters
    ----------
    low, high : float
        Confidence from ``low`` to below ``high``; the last bin has 1 too.
    cases : int
        How many, at least 1.
    confidence, found : float
        Mean confidence, and the share whose tumour was found.
    """

    low: float
    high: float
    cases: int
    confidence: float
    found: float


@dataclass(frozen=True)
class Calibration:
    """How confidence and finding agree.

    Parameters
    ----------
    bins : tuple of Bin
        Those that have cases, least sure first.
    error : float
        Expected calibration error: over cases, the mean distance between confidence and share in their bin.
    area : float or None
        Area under the ROC curve: how often, of a tumour found and one not found, the former has the higher
        confidence, ties counted half. None where all or none were found.
    """

    bins: tuple[Bin, ...]
    error: float
    area: float | None


def calibrate(confidence: Sequence[float], found: Sequence[bool]) -> Calibration:
    """Hold confidence against what was found.

    Parameters
    ----------
    confidence : sequence of float
        One a case, 0 to 1; at least one.
    found : sequence of bool
        Whether that case's tumour was found.
    """
    sure, right = np.asarray(confidence, float), np.asarray(found, bool)
    # Not ``sure * 10``: 0.3 lies in the bin that begins at 0.3, whatever rounding makes of the product.
    edges = np.arange(1, _BINS) / _BINS
    places = np.digitize(sure, edges)
    bins = tuple(_bin(n, sure[places == n], right[places == n]) for n in np.unique(places))
    error = sum(one.cases * abs(one.confidence - one.found) for one in bins) / sure.size
    return Calibration(bins, float(error), _area(sure[right], sure[~right]))


def calibration_of(results: EvaluationResults) -> Calibration | None:
    """Return the calibration of an evaluation's starts, or None where no network said how sure it was."""
    pairs = [
        (case.confidence, case.rounds[results.methods[0]][0].scores.dice > FOUND)
        for case in results.cases
        if case.confidence is not None
    ]
    return calibrate(*zip(*pairs, strict=True)) if pairs else None


def save_calibration(path: Path, calibration: Calibration) -> None:
    """Draw the share found over confidence, and below it how many cases there are.

    Parameters
    ----------
    path : Path
        PNG to write; it appears whole or not at all.
    calibration : Calibration
        What is drawn.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6, 5.4), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    above.plot([0, 1], [0, 1], color="#999999", linestyle=":", label="as sure as right")
    confidence = [one.confidence for one in calibration.bins]
    found = [one.found for one in calibration.bins]
    above.plot(confidence, found, color="#D55E00", marker="o", label="found")
    left = [one.low for one in calibration.bins]
    below.bar(left, [one.cases for one in calibration.bins], 1 / _BINS, align="edge", color="#0072B2")
    above.set(xlim=(0, 1), ylim=(-0.02, 1.02), ylabel="share found")
    below.set(xlabel="confidence", ylabel="cases")
    for axis in (above, below):
        axis.spines[["top", "right"]].set_visible(False)
    above.legend(frameon=False, loc="upper left")
    above.set_title(f"expected calibration error {calibration.error:.3f}", fontsize=10)
    FigureCanvasAgg(figure)
    write_atomically(path, lambda temporary: figure.savefig(temporary, dpi=150))


def _bin(number: int, sure: np.ndarray, right: np.ndarray) -> Bin:
    low, high = number / _BINS, (number + 1) / _BINS
    return Bin(low, high, sure.size, float(sure.mean()), float(right.mean()))


def _area(found: np.ndarray, missed: np.ndarray) -> float | None:
    if not found.size or not missed.size:
        return None
    difference = found[:, None] - missed[None]
    return float(((difference > 0) + 0.5 * (difference == 0)).mean())
