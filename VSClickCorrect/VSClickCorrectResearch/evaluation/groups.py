"""Cases by the size of their tumour and by the kind of their head: a mean hides who fares badly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from VSClickCorrectResearch.evaluation.results import EvaluationResults

# Volumes at which a class of sizes ends and the next begins, mm³.
BOUNDS_MM3 = (150, 600, 1500, 4000)
# A tumour counts as found from this DSC on.
FOUND = 0.5
UNNAMED = "not said"


@dataclass(frozen=True)
class Group:
    """How one method fared on some of the cases.

    Parameters
    ----------
    name : str
        What they have in common.
    cases : int
        How many, at least 1.
    dice : tuple of float
        Mean DSC of the start and after each round.
    found : float
        Share whose start has a DSC above `FOUND`.
    worse : float or None
        Share of rounds made worse, see `results.Worsened`.
    """

    name: str
    cases: int
    dice: tuple[float, ...]
    found: float
    worse: float | None


def by_size(results: EvaluationResults, method: str) -> list[Group]:
    """Return the classes of sizes that have cases, smallest first."""
    classes = [int(np.digitize(case.volume_mm3, BOUNDS_MM3)) for case in results.cases]
    return [_group(results, method, name, [c == n for c in classes]) for n, name in _classes(classes)]


def by_kind(results: EvaluationResults, method: str) -> list[Group]:
    """Return the kinds of heads in alphabetical order, those of which nobody said last."""
    kinds = [case.kind for case in results.cases]
    ordered = sorted(set(kinds), key=lambda kind: (not kind, kind))
    return [_group(results, method, kind or UNNAMED, [k == kind for k in kinds]) for kind in ordered]


def every_case(results: EvaluationResults, method: str) -> Group:
    """Return all cases as one group."""
    return _group(results, method, "all", [True] * len(results.cases))


def _classes(found: Sequence[int]) -> list[tuple[int, str]]:
    first, *_, last = BOUNDS_MM3
    between = [f"{a} to {b} mm³" for a, b in zip(BOUNDS_MM3, BOUNDS_MM3[1:], strict=False)]
    names = [f"below {first} mm³", *between, f"{last} mm³ and more"]
    return [(n, name) for n, name in enumerate(names) if n in found]


def _group(results: EvaluationResults, method: str, name: str, chosen: Sequence[bool]) -> Group:
    some = EvaluationResults(
        results.settings, [c for c, mine in zip(results.cases, chosen, strict=True) if mine]
    )
    dice = some.values(method, "dice")
    means = tuple(map(float, dice.mean(axis=0)))
    return Group(name, len(dice), means, float((dice[:, 0] > FOUND).mean()), some.worsened(method).rounds)
