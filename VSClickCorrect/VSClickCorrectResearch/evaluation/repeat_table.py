"""Experiments of several seeds as a table: means, spread over seeds, paired differences over cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from VSClickCorrectResearch.evaluation.markdown import DASH, table
from VSClickCorrectResearch.evaluation.statistics import paired_difference

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

    ``before`` and ``after`` are mean DSCs over test cases, the latter with the standard deviation over seeds.
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
    """
    rows: dict[str, dict[int, Trial]] = {}
    for trial in trials:
        rows.setdefault(trial.name, {})[trial.seed] = trial
    references = references or {}
    lines = [_row(name, rows[name], rows[base], references.get(name)) for name in rows]
    return table(_HEAD, lines) + "\n"


def _row(
    name: str,
    found: Mapping[int, Trial],
    base: Mapping[int, Trial],
    reference: tuple[str, float] | None,
) -> list[str]:
    trials = list(found.values())
    means = np.array([_values(trial).mean(axis=0) for trial in trials])
    before, after = means.mean(axis=0)
    spread = means[:, 1].std(ddof=min(1, len(trials) - 1))
    one = trials[0]
    return [
        name,
        reference[0] if reference else DASH,
        f"{reference[1]:.4f}" if reference else DASH,
        f"{before:.3f}",
        f"{after:.3f} ± {spread:.3f}",
        *_difference(found, base),
        f"{one.steps} × {one.batch}",
        f"{np.mean([gained_last(trial.course) for trial in trials]):.3f}",
    ]


def _difference(found: Mapping[int, Trial], base: Mapping[int, Trial]) -> tuple[str, str]:
    seeds = sorted(found.keys() & base.keys())
    if not seeds or found is base:
        return DASH, DASH
    ours, theirs = (np.stack([_values(one[seed])[:, 1] for seed in seeds]) for one in (found, base))
    difference = paired_difference(ours.mean(axis=0), theirs.mean(axis=0), seed=0)
    each = np.sign((ours - theirs).mean(axis=1))
    agreeing = int((each == np.sign(difference.mean)).sum())
    return (
        f"{difference.mean:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]",
        f"{agreeing} of {len(seeds)}",
    )


def _values(trial: Trial) -> np.ndarray:
    """Return the DSC of each case, ``(cases, before and after)``, in the order of their names."""
    return np.array([trial.dice[name] for name in sorted(trial.dice)])


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
