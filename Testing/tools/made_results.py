"""Results of an evaluation that never took place, with numbers that are easy to follow."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from VSClickCorrectResearch.evaluation.metrics import Scores
from VSClickCorrectResearch.evaluation.records import EvaluationSettings, PlayedCase, RoundRecord
from VSClickCorrectResearch.evaluation.results import EvaluationResults

SETTINGS = EvaluationSettings(
    cases="list.csv",
    start="mask",
    sequences="both",
    rounds=2,
    clicks=5,
    one_by_one=False,
    merge="progressive",
    baselines=True,
    seed=0,
    models=("net@0123",),
    version="1.2.3",
)


def settings(**changes) -> EvaluationSettings:
    """`SETTINGS` with changes."""
    return replace(SETTINGS, **changes)


def played(*each: float, hd95: float = 2.0) -> RoundRecord:
    """A round of clicks after each of which the DSC was that; every application took 10 ms."""
    return RoundRecord(len(each), Scores(each[-1], hd95, 0.5, -30.0, -3.0), each, (10.0,) * len(each))


def started(dice: float, hd95: float = 4.0) -> RoundRecord:
    """A start."""
    return RoundRecord(0, Scores(dice, hd95, 1.0, 60.0, 6.0))


def made_results(one_by_one: bool = False) -> EvaluationResults:
    """Three cases with a tumour, one of them with an empty start, and one case without."""
    a = (started(0.8), played(0.82, 0.84, 0.86, 0.88, 0.9), played(0.91, 0.92, 0.93, 0.95, 0.96))
    # The second round harms; the last click of the first round does, too.
    b = (started(0.86), played(0.9, 0.94, 0.92), played(0.915, 0.91))
    # In the second round there was nothing to click.
    c = (started(0.0, inf), played(0.3, 0.5, 0.6, 0.65, 0.7), started(0.7))
    nothing = [
        (started(0.8), played(*[0.8] * 5), played(*[0.8] * 5)),
        (started(0.86), played(*[0.86] * 5), played(*[0.8595] * 5)),
        (started(0.0, inf), played(*[0.0] * 5, hd95=inf), played(*[0.0] * 5, hd95=inf)),
    ]
    records = [
        PlayedCase("a", 1000.0, {"net": a, "none": nothing[0]}),
        PlayedCase("b", 500.0, {"net": b, "none": nothing[1]}),
        PlayedCase("c", 200.0, {"net": c, "none": nothing[2]}),
        PlayedCase("empty", 0.0, {}),
    ]
    if not one_by_one:
        records = [_at_once(record) for record in records]
    return EvaluationResults(settings(one_by_one=one_by_one), records)


def _at_once(record: PlayedCase) -> PlayedCase:
    rounds = {
        name: tuple(replace(r, dice=r.dice[-1:], milliseconds=r.milliseconds[:1]) for r in every)
        for name, every in record.rounds.items()
    }
    return replace(record, rounds=rounds)
