"""The results as one page of Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from VSClickCorrectResearch.benchmark.comparisons.comparison import Comparison
from VSClickCorrectResearch.benchmark.results import ENDS, SESSION, BenchmarkResults
from VSClickCorrectResearch.benchmark.timing import Timing, number
from VSClickCorrectResearch.evaluation.markdown import table

_DASH = "–"


def markdown(results: BenchmarkResults) -> str:
    """Return the page."""
    parts = ["# Benchmark", f"`{results.command}`", _machine(results)]
    if results.start:
        parts += ["## Start of a new process", _list(results.start)]
    if results.sizes:
        parts += ["## By volume size", _by_size(results), _reading(), "## A long session", _session(results)]
    if results.comparisons or results.missing:
        parts += ["## Side by side", *_comparisons(results)]
    if results.networks:
        parts += ["## Against the machine's own limit", _networks(results)]
    if results.variants:
        parts += ["## Other ways to run the corrector", _variants(results)]
    return "\n\n".join(parts) + "\n"


def _machine(results: BenchmarkResults) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in results.machine.items())


def _list(rows: Sequence[Timing]) -> str:
    return table(
        ["what", "median", "10–90 %", "n"],
        [[row.what, _with_unit(row), _spread(row), str(len(row.values))] for row in rows],
    )


def _by_size(results: BenchmarkResults) -> str:
    names = [row.what for row in results.sizes[0].rows if row.what != SESSION]
    lines = []
    for name in names:
        rows = [size.row(name) for size in results.sizes]
        cells = [_DASH if row is None else number(row.median) + _spread(row, " ({})") for row in rows]
        lines.append([name, results.sizes[0].row(name).unit, *cells])  # type: ignore[union-attr]
    return table(["what", "unit", *(size.size for size in results.sizes)], lines)


def _reading() -> str:
    return (
        "Medians (10–90 %). A click is a point placed as a view does it, with everything that follows: "
        "*cut* samples both sequences and the mask round it and brings the network's answer back to the "
        "voxels, *write* puts it into the segment in place, *notify and journal* is the journal in the "
        "scene, the markers and the list of clicks."
    )


def _session(results: BenchmarkResults) -> str:
    lines = []
    for size in results.sizes:
        first, last = size.session_ends()
        lines.append(
            [size.size, str(len(size.session())), number(first), number(last), f"{last / first:.2f}"]
        )
    head = ["size", "clicks", f"first {ENDS}, ms", f"last {ENDS}, ms", "last : first"]
    return table(head, lines) + "\n\nMedians; every click on top of all before it."


def _comparisons(results: BenchmarkResults) -> list[str]:
    lines = [_comparison_row(one) for one in results.comparisons]
    parts = [
        table(["what", "ours", "theirs", "ratio", "target", "equal output"], lines),
        *(f"- {one.name}: {one.note}" for one in results.comparisons),
        *(f"- {sentence}" for sentence in results.missing),
    ]
    return [parts[0], "\n".join(parts[1:])]


def _comparison_row(one: Comparison) -> list[str]:
    ours, reference = (
        Timing(one.name, "ms", tuple(1000 * s for s in t)) for t in (one.our_seconds, one.reference_seconds)
    )
    verdict = "met" if one.ratio >= one.target else "missed"
    return [
        one.name,
        f"{number(ours.median)} ms",
        f"{number(reference.median)} ms",
        f"{number(one.ratio)}×",
        f"≥ {one.target:g}×: {verdict}",
        _DASH if one.equal is None else f"DSC {one.equal:.4f}",
    ]


def _networks(results: BenchmarkResults) -> str:
    lines = [
        [
            one.name,
            "×".join(map(str, one.shape)),
            number(one.gigaflop),
            number(1000 * one.gigaflop / one.rate),
            number(one.rate),
            str(one.threads),
            number(one.best),
            f"{one.share:.0%}",
        ]
        for one in results.networks
    ]
    head = ["network", "input", "10⁹ operations", "ms", "10⁹ a second", "threads", "best of matrix products"]
    return (
        table([*head, "share"], lines)
        + "\n\nThe best rate is that of square matrix products on as many threads, in the same run."
    )


def _variants(results: BenchmarkResults) -> str:
    ships = results.variants[0].median
    lines = [[one.name, number(1000 * one.median), f"{one.median / ships:.2f}"] for one in results.variants]
    return table(["way", "ms a cut", "time, as it ships = 1"], lines)


def _with_unit(row: Timing) -> str:
    return f"{number(row.median)} {row.unit}"


def _spread(row: Timing, form: str = "{}") -> str:
    if len(row.values) == 1:
        return "" if form != "{}" else _DASH
    return form.format("–".join(number(value) for value in row.spread))
