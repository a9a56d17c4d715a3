"""Cases by the size of their tumour and by the kind of their head: a mean hides who fares badly."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import Any

import pandas as pd

from VSClickCorrectResearch.evaluation.metrics import FOUND
from VSClickCorrectResearch.evaluation.results import EvaluationResults, share

# Volumes at which a class of sizes ends and the next begins, mm³.
BOUNDS_MM3 = (150, 600, 1500, 4000)
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
    table = results.of_method(method)
    first, *_, last = BOUNDS_MM3
    between = [f"{a} to {b} mm³" for a, b in pairwise(BOUNDS_MM3)]
    names = [f"below {first} mm³", *between, f"{last} mm³ and more"]
    return _groups(table, pd.cut(table["volume_mm3"], [-inf, *BOUNDS_MM3, inf], right=False, labels=names))


def by_kind(results: EvaluationResults, method: str) -> list[Group]:
    """Return the kinds of heads in alphabetical order, those of which nobody said last."""
    table = results.of_method(method)
    kinds = [*sorted(set(table["kind"]) - {"", UNNAMED}), UNNAMED]
    return _groups(table, pd.Categorical(table["kind"].replace("", UNNAMED), kinds))


def every_case(results: EvaluationResults, method: str) -> Group:
    """Return all cases as one group."""
    return _group("all", results.of_method(method))


def _groups(table: pd.DataFrame, names: Any) -> list[Group]:
    return [_group(str(name), some) for name, some in table.groupby(names, observed=True)]


def _group(name: str, table: pd.DataFrame) -> Group:
    starts = table.loc[table["round"] == 0, "dice"]
    means = tuple(map(float, table.groupby("round")["dice"].mean()))
    return Group(name, len(starts), means, float((starts > FOUND).mean()), share(table["harmed"]))
