"""Experiments of several seeds as a table: means, spread over seeds, paired differences over cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from VSClickCorrectResearch.evaluation.markdown import DASH, table
from VSClickCorrectResearch.evaluation.statistics import (
    in_one_order,
    paired_difference,
    spread_over,
    with_spread,
)

_HEAD = (
    "experiment",
    "thesis",
    "thesis, real",
    "before",
    "after",
    "difference",
    "seeds that agree",
    "steps × batch",
    "gained last",
)


@dataclass(frozen=True)
class Trial:
    """One training of a row.

    Parameters
    ----------
    name : str
        The row's.
    seed : int
        Of weights, examples and batches.
    steps, batch : int
        How much was learnt: steps until the end, examples a step.
    course : list of (int, float)
        Steps, and the validation score after each: what tells whether the curve is flat.
    dice : dict
        Of each test case, the mean DSC of its examples before and after.
    """

    name: str
    seed: int
    steps: int
    batch: int
    course: list[list[float]]
    dice: dict[str, list[float]]


def repeat_table(
    trials: Iterable[Trial], base: str, references: Mapping[str, tuple[str, float]] | None = None
) -> str:
    """Return experiments as Markdown, one row each, in the order in which they come.

    ``before`` and ``after`` are mean DSCs over test cases, the latter with the standard deviation over seeds
    if there are several.
    The difference is to ``base``, with its 95 % bootstrap interval over cases, each of which counts with its
    mean over the seeds that both have; seeds agree whose own difference has the same sign. What was gained
    last is by how much the best validation score rose in the last quarter of the steps, on the mean.

    Parameters
    ----------
    trials : iterable of Trial
        All on the same test cases.
    base : str
        The row against which the others are held.
    references : mapping, optional
        What the thesis calls a row, and its DSC there, by name.

    Raises
    ------
    ModelError
        If they are not all of the same test cases.
    """
    every = list(trials)
    rows: dict[str, dict[int, _Scored]] = {}
    for trial, values in zip(every, in_one_order(trial.dice for trial in every), strict=True):
        rows.setdefault(trial.name, {})[trial.seed] = _Scored(trial, values)
    references = references or {}
    lines = [_row(name, rows[name], rows[base], references.get(name)) for name in rows]
    return table(_HEAD, lines) + "\n"


class _Scored(NamedTuple):
    """A trial and its DSC of each case, ``(cases, before and after)``."""

    trial: Trial
    values: np.ndarray


def _row(
    name: str,
    found: Mapping[int, _Scored],
    base: Mapping[int, _Scored],
    reference: tuple[str, float] | None,
) -> list[str]:
    trials = [one.trial for one in found.values()]
    means = np.array([one.values.mean(axis=0) for one in found.values()])
    before, after = means.mean(axis=0)
    one = trials[0]
    return [
        name,
        reference[0] if reference else DASH,
        f"{reference[1]:.4f}" if reference else DASH,
        f"{before:.3f}",
        with_spread(f"{after:.3f}", spread_over(means)[1]),
        *_difference(found, base),
        f"{one.steps} × {one.batch}",
        f"{np.mean([gained_last(trial.course) for trial in trials]):.3f}",
    ]


def _difference(found: Mapping[int, _Scored], base: Mapping[int, _Scored]) -> tuple[str, str]:
    seeds = sorted(found.keys() & base.keys())
    if not seeds or found is base:
        return DASH, DASH
    ours, theirs = (np.stack([one[seed].values[:, 1] for seed in seeds]) for one in (found, base))
    difference = paired_difference(ours.mean(axis=0), theirs.mean(axis=0), seed=0)
    each = np.sign((ours - theirs).mean(axis=1))
    agreeing = int((each == np.sign(difference.mean)).sum())
    return (
        f"{difference.mean:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]",
        f"{agreeing} of {len(seeds)}",
    )


def gained_last(course: Sequence[Sequence[float]]) -> float:
    """Return by how much the best score rose in the last quarter of the steps.

    Parameters
    ----------
    course : sequence of (int, float)
        Steps and the score after each, ascending.
    """
    best = max(score for _, score in course)
    earlier = [score for step, score in course if step <= 0.75 * course[-1][0]]
    return best - max(earlier, default=0.0)
