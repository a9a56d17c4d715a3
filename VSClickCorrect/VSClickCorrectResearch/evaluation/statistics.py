"""What can be said of many cases from the few that were measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from VSClickCorrectLib.errors import ModelError

_RESAMPLES = 10_000


@dataclass(frozen=True)
class Summary:
    """Where values lie.

    Parameters
    ----------
    mean : float
        Of the finite values; NaN if there is none.
    median, lower, upper : float
        Median and quartiles of all values, an infinite one counted as the greatest.
    infinite : int
        Values that are infinite: a distance to an empty mask.
    """

    mean: float
    median: float
    lower: float
    upper: float
    infinite: int


@dataclass(frozen=True)
class Difference:
    """Paired differences over cases.

    Parameters
    ----------
    mean, low, high : float
        Mean and the ends of its 95 % bootstrap confidence interval.
    p : float
        Of the two-sided Wilcoxon signed-rank test; 1 where no case differs.
    better, worse : int
        Cases with a positive and with a negative difference.
    """

    mean: float
    low: float
    high: float
    p: float
    better: int
    worse: int


def in_one_order(each: Iterable[Mapping[str, Sequence[float]]]) -> list[np.ndarray]:
    """Return what was measured of each case as arrays, ``(cases, ...)``, whose rows are of the same cases.

    Raises
    ------
    ModelError
        If not all were measured on the same cases: differences between them would be of nothing.
    """
    measured = list(each)
    names = sorted(measured[0])
    if any(sorted(one) != names for one in measured):
        raise ModelError("the results are not all of the same cases; measure them anew on one cohort.")
    return [np.array([one[name] for name in names]) for one in measured]


def spread_over(means: np.ndarray) -> np.ndarray:
    """Return the standard deviation over seeds, the first axis: NaN where one seed says nothing of others."""
    return means.std(axis=0, ddof=1) if len(means) > 1 else np.full(means.shape[1:], np.nan)


def with_spread(mean: str, spread: float) -> str:
    """Return a mean as tables show it, with the spread over seeds if that is known."""
    return mean if np.isnan(spread) else f"{mean} ± {spread:.3f}"


def summarise(values: Sequence[float]) -> Summary:
    """Summarise values, at least one, some of which may be infinite."""
    every = np.asarray(values, float)
    finite = every[np.isfinite(every)]
    # Quartiles between an infinite and a finite value would be NaN if they were interpolated.
    lower, median, upper = (_quantile(every, q) for q in (0.25, 0.5, 0.75))
    mean = float(finite.mean()) if finite.size else float("nan")
    return Summary(mean, median, lower, upper, every.size - finite.size)


def mean_interval(values: Sequence[float], seed: int) -> tuple[float, float]:
    """Return the ends of the 95 % percentile bootstrap confidence interval of a mean over cases.

    Parameters
    ----------
    values : sequence of float
        One of each case, finite.
    seed : int
        One seed, one interval.
    """
    from scipy.stats import bootstrap

    array = np.asarray(values, float)
    if array.size < 2:
        # One case says nothing of others; SciPy refuses it.
        return float(array.mean()), float(array.mean())
    rng = np.random.default_rng(seed)
    found = bootstrap((array,), np.mean, n_resamples=_RESAMPLES, method="percentile", random_state=rng)
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def paired_difference(ours: Sequence[float], theirs: Sequence[float], seed: int) -> Difference:
    """Compare two methods on the same cases.

    Parameters
    ----------
    ours, theirs : sequence of float
        One value of each case, in the same order, finite.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Difference
        Of ``ours - theirs``.
    """
    from scipy.stats import wilcoxon

    difference = np.asarray(ours, float) - np.asarray(theirs, float)
    p = float(wilcoxon(difference).pvalue) if difference.any() else 1.0
    return Difference(
        float(difference.mean()),
        *mean_interval(difference, seed),
        p,
        int((difference > 0).sum()),
        int((difference < 0).sum()),
    )


def clicks_needed(clicks: Sequence[int], scores: Sequence[float], goal: float) -> float:
    """Return after how many clicks a score was first reached, infinite if it was not.

    Parameters
    ----------
    clicks : sequence of int
        Clicks placed so far, one number a score, from 0 on.
    scores : sequence of float
        DSC after that many clicks.
    goal : float
        The DSC to reach.
    """
    return next((float(n) for n, value in zip(clicks, scores, strict=True) if value >= goal), inf)


def _quantile(values: np.ndarray, share: float) -> float:
    """Return a quantile, interpolated between neighbours unless the greater of them is infinite."""
    ordered = np.sort(values)
    place = share * (ordered.size - 1)
    below, above = ordered[int(np.floor(place))], ordered[int(np.ceil(place))]
    weight = place - np.floor(place)
    return float(above if weight == 1 or np.isinf(above) else below + weight * (above - below))
