"""What an evaluation's records amount to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from itertools import pairwise
from math import isnan

import numpy as np
from pandas import DataFrame, Series

from VSClickCorrectResearch.evaluation.metrics import Scores
from VSClickCorrectResearch.evaluation.records import EvaluationSettings, PlayedCase, RoundRecord, plain
from VSClickCorrectResearch.evaluation.statistics import (
    Difference,
    Summary,
    clicks_needed,
    mean_interval,
    paired_difference,
    summarise,
)

# A DSC that falls by more than this has been made worse; less is a voxel or two.
WORSE = 0.001
GOALS = (0.85, 0.90, 0.95)
METRICS = tuple(field.name for field in fields(Scores))


@dataclass(frozen=True)
class Needed:
    """How many clicks a DSC took.

    Parameters
    ----------
    goal : float
        The DSC.
    share : float
        Share of cases that reached it within the rounds.
    median : float
        Median of all cases, those that did not reach it counted as infinite: infinite where fewer than half
        of the cases reached it.
    """

    goal: float
    share: float
    median: float


@dataclass(frozen=True)
class Worsened:
    """How often a DSC fell by more than `WORSE`.

    Parameters
    ----------
    rounds, clicks : float or None
        Share of the rounds in which a click was applied, and of the clicks that were; None where there were
        none, for clicks also where a round was applied at once. What was refused can do no harm.
    """

    rounds: float | None
    clicks: float | None


@dataclass(frozen=True)
class EvaluationResults:
    """Records of cases with a tumour, and what can be said of them together.

    Parameters
    ----------
    settings : EvaluationSettings
        Of the evaluation.
    records : sequence of PlayedCase
        Of all cases.
    """

    settings: EvaluationSettings
    records: Sequence[PlayedCase]

    @property
    def cases(self) -> list[PlayedCase]:
        """The cases with a tumour."""
        return [record for record in self.records if record.rounds]

    @property
    def methods(self) -> list[str]:
        """Names of the methods, the corrector first."""
        return list(self.cases[0].rounds)

    @cached_property
    def rounds(self) -> DataFrame:
        """A row for each case, method and round, the start being round 0, in this order.

        ``harmed`` says whether the DSC fell by more than `WORSE`; it is missing where no click was applied.
        """
        rows = [
            {
                "case": case.name,
                "kind": case.kind,
                "volume_mm3": case.volume_mm3,
                "method": method,
                "round": number,
                "clicks": played.clicks,
                "refused": played.refused,
                **asdict(played.scores),
                "milliseconds": sum(played.milliseconds),
            }
            for case in self.cases
            for method, rounds in case.rounds.items()
            for number, played in enumerate(rounds)
        ]
        table = DataFrame(rows)
        fallen = table.groupby(["case", "method"])["dice"].diff() < -WORSE
        applied = (table["round"] > 0) & (table["clicks"] > table["refused"])
        table["harmed"] = fallen.where(applied).astype("boolean")
        return table

    def of_method(self, method: str) -> DataFrame:
        """Return the rows of `rounds` of one method."""
        return self.rounds[self.rounds["method"] == method]

    def values(self, method: str, metric: str) -> np.ndarray:
        """Return one of `METRICS`, shape ``(cases, rounds + 1)``."""
        return self.of_method(method)[metric].to_numpy().reshape(len(self.cases), -1)

    def summaries(self, method: str, metric: str) -> list[Summary]:
        """Summarise a metric over cases, one summary a round."""
        return [summarise(column) for column in self.values(method, metric).T]

    def mean_intervals(self, method: str) -> list[tuple[float, float]]:
        """Return the 95 % confidence interval of the mean DSC, one a round."""
        return [mean_interval(column, self.settings.seed) for column in self.values(method, "dice").T]

    def differences(self, baseline: str) -> list[Difference]:
        """Return the corrector's DSC less a baseline's, one difference a round, without the start."""
        ours, theirs = (self.values(name, "dice").T[1:] for name in (self.methods[0], baseline))
        return [paired_difference(a, b, self.settings.seed) for a, b in zip(ours, theirs, strict=True)]

    def worsened(self, method: str) -> Worsened:
        """Return the shares of rounds and clicks that did harm."""
        clicks: list[bool] = []
        for case in self.cases if self.settings.one_by_one else []:
            for before, after in pairwise(case.rounds[method]):
                fallen = np.diff([before.scores.dice, *after.dice]) < -WORSE
                # A click that was refused took no time.
                clicks.extend(fallen[np.array(after.milliseconds) > 0])
        return Worsened(share(self.of_method(method)["harmed"]), share(Series(clicks)))

    def needed(self, method: str) -> list[Needed]:
        """Return how many clicks each of `GOALS` took."""
        curves = [curve(case.rounds[method], self.settings.one_by_one) for case in self.cases]
        every = [(goal, [clicks_needed(*one, goal) for one in curves]) for goal in GOALS]
        return [Needed(goal, float(np.mean(np.isfinite(n))), summarise(n).median) for goal, n in every]

    def refused(self, method: str) -> int:
        """Return how many clicks the session refused."""
        return int(self.of_method(method)["refused"].sum())

    def milliseconds(self, method: str) -> tuple[Summary, Summary] | None:
        """Summarise milliseconds a click and a round over all rounds played, or None if there was none.

        Clicks that were refused took no time, and do not count.
        """
        rounds = [r for case in self.cases for r in case.rounds[method][1:] if r.applied]
        if not rounds:
            return None
        a_round = [sum(r.milliseconds) for r in rounds]
        a_click = (
            [one for r in rounds for one in r.milliseconds if one > 0]
            if self.settings.one_by_one
            else [total / r.applied for total, r in zip(a_round, rounds, strict=True)]
        )
        return summarise(a_click), summarise(a_round)

    def ranked(self) -> list[PlayedCase]:
        """Return the cases from the worst to the best DSC of the corrector after the last round."""
        return sorted(self.cases, key=lambda c: (c.rounds[self.methods[0]][-1].scores.dice, c.name))

    def to_json(self) -> dict:
        """Return settings, summaries and cases as plain values."""
        summary = {method: self._summary_of(method) for method in self.methods}
        return {
            "settings": plain(asdict(self.settings)),
            "cases_with_tumour": len(self.cases),
            "cases_without_tumour": len(self.records) - len(self.cases),
            "methods": plain(summary),
            "cases": [record.to_json() for record in self.records],
        }

    def _summary_of(self, method: str) -> dict:
        times = self.milliseconds(method)
        summary: dict = {
            metric: [_described(one) for one in self.summaries(method, metric)] for metric in METRICS
        }
        summary["dice_mean_interval"] = self.mean_intervals(method)
        summary["clicks_refused"] = self.refused(method)
        summary["made_worse"] = asdict(self.worsened(method))
        summary["clicks_needed"] = [asdict(one) for one in self.needed(method)]
        if times:
            names = ("milliseconds_a_click", "milliseconds_a_round")
            summary |= {name: _described(one) for name, one in zip(names, times, strict=True)}
        if method != self.methods[0]:
            summary["corrector_less_this"] = [asdict(one) for one in self.differences(method)]
        return summary


def curve(rounds: Sequence[RoundRecord], one_by_one: bool) -> tuple[list[int], list[float]]:
    """Return clicks placed so far and the DSC after them: one point a click or one a round."""
    clicks, scores = [rounds[0].clicks], [rounds[0].scores.dice]
    for played in rounds[1:]:
        for value in played.dice:
            clicks.append(clicks[-1] + (1 if one_by_one else played.clicks))
            scores.append(value)
    return clicks, scores


def _described(summary: Summary) -> dict:
    values = asdict(summary)
    # JSON knows no NaN: the mean of nothing is left out.
    return {name: value for name, value in values.items() if not isnan(value)}


def share(flags: Series) -> float | None:
    """Return the share of flags that are set, among those that are not missing; None where there is none."""
    return float(flags.mean()) if flags.notna().any() else None
