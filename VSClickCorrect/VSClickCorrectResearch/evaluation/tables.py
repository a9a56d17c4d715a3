"""The results as Markdown for people and CSV for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, isinf, isnan

from VSClickCorrectLib.cli.telling import counted
from VSClickCorrectLib.worklist.case_list import csv_text

from VSClickCorrectResearch.evaluation.group_tables import (
    confidence_section,
    first_click_section,
    group_sections,
    round_names,
)
from VSClickCorrectResearch.evaluation.markdown import DASH, percent, table
from VSClickCorrectResearch.evaluation.records import EvaluationSettings
from VSClickCorrectResearch.evaluation.results import METRICS, WORSE, EvaluationResults
from VSClickCorrectResearch.evaluation.statistics import Difference, Summary
from VSClickCorrectResearch.simulation.hand import OFF_TARGET_MM

_TITLES = {
    "dice": ("DSC", 4),
    "hd95_mm": ("HD95, mm", 2),
    "assd_mm": ("mean surface distance, mm", 2),
    "volume_error_mm3": ("volume error, mm³", 0),
    "volume_error_percent": ("volume error, %", 1),
}
_STARTS = {
    "initial": "the initial networks' masks",
    "first-click": "what one include click in the middle of the tumour makes of an empty mask",
    "spoiled": "the true masks, spoiled on purpose",
    "mask": "the cases' own masks",
}
_COLUMNS = ("case", "kind", "volume_mm3", "method", "round", "clicks", *METRICS, "milliseconds")


def summary_markdown(results: EvaluationResults) -> str:
    """Return the page that says it all."""
    parts = [
        "# Evaluation",
        _what(results),
        "## DSC after each round",
        _dice_table(results),
        *(_differences(results) if len(results.methods) > 1 else []),
        f"## All measures: {results.methods[0]}",
        _metrics_table(results, results.methods[0]),
        "## Clicks needed",
        _needed_table(results),
        "## Harm and time",
        _harm_table(results),
        *_infinite_note(results),
        *first_click_section(results),
        *group_sections(results),
        *confidence_section(results),
        "What is measured, and how, stands in Resources/Docs/evaluation.md.",
    ]
    return "\n\n".join(parts) + "\n"


def cases_csv(results: EvaluationResults) -> str:
    """Return one line a case, method and round."""
    forms = {"volume_mm3": ".1f", "milliseconds": ".1f", **dict.fromkeys(METRICS, ".6g")}
    rows = results.rounds[list(_COLUMNS)].to_dict("records")
    return csv_text(_COLUMNS, [{n: format(v, forms.get(n, "")) for n, v in row.items()} for row in rows])


def case_line(name: str, scores: Sequence[float]) -> str:
    """Return what is said of a case while the evaluation runs."""
    return f"{name}: DSC " + " → ".join(f"{value:.3f}" for value in scores)


def _what(results: EvaluationResults) -> str:
    settings = results.settings
    without = len(results.records) - len(results.cases)
    lines = [
        f"{counted(len(results.cases), 'case')} of `{settings.cases}`"
        + (f"; {without} more without a tumour left out" if without else ""),
        f"start: {_STARTS[settings.start]}; sequences: {settings.sequences}",
        f"{counted(settings.rounds, 'round')} of at most {counted(settings.clicks, 'click')} by the "
        f"simulated user {_USERS[settings.user]}, "
        + ("applied one by one" if settings.one_by_one else "a round's clicks applied at once"),
        _hand(settings),
        f"models: {', '.join(settings.models)}; merge: {settings.merge}; seed {settings.seed}; "
        f"vsclick {settings.version}",
    ]
    return "\n".join(f"- {line}" for line in lines)


_USERS = {
    "knowing": "who knows where the mask is most wrong",
    "led": "who is led to the places that the networks doubt",
    "random": "who looks at places of the mask's border at random",
    "guided": "who knows, and mends whole parts by include and exclude clicks",
    "thesis": "of the thesis's Algorithm 1",
}


def _hand(settings: EvaluationSettings) -> str:
    if not settings.jitter_mm and not settings.off_target:
        return "clicks are made exactly where they are meant"
    return (
        f"clicks are made with a normal error of {settings.jitter_mm:g} mm in each direction of the slice, "
        f"{settings.off_target:.1%} of them anywhere in it within {OFF_TARGET_MM:g} mm"
    )


def _dice_table(results: EvaluationResults) -> str:
    rows = []
    for method in results.methods:
        summaries, intervals = results.summaries(method, "dice"), results.mean_intervals(method)
        means = [f"{s.mean:.4f} [{a:.4f}, {b:.4f}]" for s, (a, b) in zip(summaries, intervals, strict=True)]
        rows.append([method, "mean [95 % CI]", *means])
        rows.append(["", "median (quartiles)", *(_quartiles(s, 4) for s in summaries)])
    return table(["method", "", *round_names(results)], rows)


def _differences(results: EvaluationResults) -> list[str]:
    rows = [
        [baseline, *(_difference(one) for one in results.differences(baseline))]
        for baseline in results.methods[1:]
    ]
    return [
        f"## DSC of {results.methods[0]} less that of each baseline",
        table(["baseline", *round_names(results)[1:]], rows),
        "Mean of the paired differences [95 % bootstrap interval over cases], p of the two-sided Wilcoxon "
        "signed-rank test (not corrected for the number of comparisons), and in how many cases the "
        "corrector was better : worse.",
    ]


def _difference(one: Difference) -> str:
    p = "p < 0.001" if one.p < 0.001 else f"p = {one.p:.3f}"
    return f"{one.mean:+.4f} [{one.low:+.4f}, {one.high:+.4f}], {p}, {one.better} : {one.worse}"


def _metrics_table(results: EvaluationResults, method: str) -> str:
    rows = []
    for metric, (title, digits) in _TITLES.items():
        summaries = results.summaries(method, metric)
        rows.append([title, "mean", *(_mean(s, digits) for s in summaries)])
        rows.append(["", "median (quartiles)", *(_quartiles(s, digits) for s in summaries)])
    return table(["measure", "", *round_names(results)], rows)


def _needed_table(results: EvaluationResults) -> str:
    first = results.settings.start == "first-click"
    most = results.settings.rounds * results.settings.clicks + first
    rows = []
    for method in results.methods:
        cells = []
        for one in results.needed(method):
            median = f"{one.median:g}" if isfinite(one.median) else f"not within {most}"
            cells += [f"{one.share:.0%}", median]
        rows.append([method, *cells])
    goals = [one.goal for one in results.needed(results.methods[0])]
    head = ["method", *(t for goal in goals for t in (f"reached DSC {goal:.2f}", "median clicks"))]
    steps = (
        "after every click"
        if results.settings.one_by_one
        else "after every round, so a number of clicks is that of whole rounds"
    )
    return (
        table(head, rows)
        + f"\n\nThe DSC is looked at {steps}. The median is that of all cases; those that did not reach the "
        "goal count as needing more clicks than any other."
    )


def _harm_table(results: EvaluationResults) -> str:
    rows = []
    for method in results.methods:
        worse, times = results.worsened(method), results.milliseconds(method)
        shares = [percent(v) for v in (worse.rounds, worse.clicks)]
        spans = [_quartiles(one, 1) for one in times] if times else [DASH, DASH]
        rows.append([method, *shares, str(results.refused(method)), *spans])
    head = ["method", "rounds made worse", "clicks made worse", "clicks refused", "ms a click", "ms a round"]
    note = f"Made worse: the DSC fell by more than {WORSE:g}; only rounds in which a click was applied count."
    if not results.settings.one_by_one:
        note += " Clicks of a round applied at once cannot be told apart; `--one-by-one` counts them."
    return table(head, rows) + f"\n\n{note} Times are medians (quartiles)."


def _infinite_note(results: EvaluationResults) -> list[str]:
    if not any(s.infinite for m in results.methods for s in results.summaries(m, "hd95_mm")):
        return []
    return [
        "∞: the distance to an empty mask. Means are those of the finite values; the number of infinite ones "
        "stands beside them. Medians and quartiles count them as the greatest."
    ]


def _mean(summary: Summary, digits: int) -> str:
    mean = DASH if isnan(summary.mean) else f"{summary.mean:.{digits}f}"
    return f"{mean} ({summary.infinite} × ∞)" if summary.infinite else mean


def _quartiles(summary: Summary, digits: int) -> str:
    low, middle, high = (_number(v, digits) for v in (summary.lower, summary.median, summary.upper))
    return f"{middle} ({low} to {high})"


def _number(value: float, digits: int) -> str:
    return "∞" if isinf(value) else f"{value:.{digits}f}"
