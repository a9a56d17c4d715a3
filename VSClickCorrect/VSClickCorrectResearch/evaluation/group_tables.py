"""Sections of the summary beside the mean: the first click, sizes and kinds of heads, confidence."""

from __future__ import annotations

import numpy as np

from VSClickCorrectResearch.evaluation.calibration import Calibration, calibration_of
from VSClickCorrectResearch.evaluation.groups import Group, by_kind, by_size, every_case
from VSClickCorrectResearch.evaluation.markdown import DASH, percent, table
from VSClickCorrectResearch.evaluation.metrics import FOUND
from VSClickCorrectResearch.evaluation.results import EvaluationResults


def round_names(results: EvaluationResults) -> list[str]:
    """Return what the columns of start and rounds are called."""
    return ["start", *(f"round {n}" for n in range(1, results.settings.rounds + 1))]


def first_click_section(results: EvaluationResults) -> list[str]:
    """Return what one include click makes of an empty mask; nothing where none was made."""
    rows = []
    for place in results.cases[0].first:
        played = [case.first[place] for case in results.cases]
        dice = np.array([one.scores.dice for one in played])
        numbers = [f"{value:.4f}" for value in (dice.mean(), np.median(dice), dice.min())]
        refused = sum(one.refused for one in played)
        rows.append([place, str(dice.size), *numbers, percent((dice > FOUND).mean()), str(refused)])
    if not rows:
        return []
    head = ["where", "n", "mean DSC", "median", "worst", f"DSC > {FOUND:g}", "refused"]
    return [
        f"## One include click on an empty mask: {results.methods[0]}",
        table(head, rows),
        "The rounds go on from the click in the middle, the maximum of the distance transform of the truth.",
    ]


def group_sections(results: EvaluationResults) -> list[str]:
    """Return tables by size and by kind of head, the latter where anybody named one."""
    method = results.methods[0]
    every = every_case(results, method)
    parts = [f"## By size: {method}", _group_table(results, [*by_size(results, method), every])]
    if any(case.kind for case in results.cases):
        parts += [f"## By kind of head: {method}", _group_table(results, [*by_kind(results, method), every])]
    return [*parts, f"Mean DSC; found: the start has a DSC above {FOUND:g}. Made worse as above."]


def confidence_section(results: EvaluationResults) -> list[str]:
    """Return how confidence and finding agree; nothing where no network said how sure it was."""
    calibration = calibration_of(results)
    if calibration is None:
        return []
    return ["## Confidence of the initial mask", _calibration_table(calibration), _measures(calibration)]


def _group_table(results: EvaluationResults, groups: list[Group]) -> str:
    rows = [
        [one.name, str(one.cases), percent(one.found), *(f"{v:.4f}" for v in one.dice), percent(one.worse)]
        for one in groups
    ]
    return table(["cases", "n", "found", *round_names(results), "rounds made worse"], rows)


def _calibration_table(calibration: Calibration) -> str:
    rows = [
        [f"{one.low:.1f} to {one.high:.1f}", str(one.cases), f"{one.confidence:.3f}", percent(one.found)]
        for one in calibration.bins
    ]
    return table(["confidence", "n", "mean confidence", "found"], rows)


def _measures(calibration: Calibration) -> str:
    area = DASH if calibration.area is None else f"{calibration.area:.3f}"
    return (
        f"Expected calibration error {calibration.error:.3f}; area under the ROC curve {area}. "
        f"Found: a DSC above {FOUND:g}."
    )
