"""The folder of an evaluation's results: tables, charts and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from VSClickCorrectLib.io.files import make_folder, write_text
from VSClickCorrectLib.io.json_files import write_json

from VSClickCorrectResearch.datasets.cases import LazyCase
from VSClickCorrectResearch.evaluation.calibration import calibration_of, save_calibration
from VSClickCorrectResearch.evaluation.charts import save_curve
from VSClickCorrectResearch.evaluation.experiment import EvaluationRun
from VSClickCorrectResearch.evaluation.groups import by_kind, by_size
from VSClickCorrectResearch.evaluation.progress import save_progress
from VSClickCorrectResearch.evaluation.records import plain
from VSClickCorrectResearch.evaluation.results import EvaluationResults
from VSClickCorrectResearch.evaluation.tables import cases_csv, summary_markdown

_WORST = 10
# Names in the folder of what this module writes.
WRITTEN = (
    *("results.json", "cases.csv", "summary.md", "dice.png", "calibration.png"),
    *("case-best.png", "case-middle.png", "case-worst.png", "worst"),
)


def write_tables(folder: Path, results: EvaluationResults) -> str:
    """Write tables and charts; returns the summary.

    Raises
    ------
    StorageError
        If a file cannot be written.
    """
    summary = summary_markdown(results)
    write_json(folder / "results.json", _to_json(results))
    write_text(folder / "cases.csv", cases_csv(results))
    write_text(folder / "summary.md", summary)
    save_curve(folder / "dice.png", results)
    calibration = calibration_of(results)
    if calibration:
        save_calibration(folder / "calibration.png", calibration)
    return summary


def save_pictures(
    folder: Path, results: EvaluationResults, experiment: EvaluationRun, cases: Sequence[LazyCase]
) -> None:
    """Draw the best and the middle case and the worst ones, which are played again for it.

    Raises
    ------
    StorageError
        If a file cannot be written.
    """
    make_folder(folder / "worst")
    # There may have been more cases before.
    for number in range(len(results.cases) + 1, _WORST + 1):
        (folder / f"worst/{number:02d}.png").unlink(missing_ok=True)
    by_name, ranked = {case.name: case for case in cases}, results.ranked()
    best, middle, worst = ranked[-1], ranked[(len(ranked) - 1) // 2], ranked[0]
    chosen = [("best", "case-best", best), ("middle", "case-middle", middle), ("worst", "case-worst", worst)]
    chosen += [(f"{n}. worst", f"worst/{n:02d}", one) for n, one in enumerate(ranked[:_WORST], start=1)]
    for record in {one.name: one for *_, one in chosen}.values():
        case, rounds = experiment.replay(by_name[record.name])
        kind = f", {record.kind}" if record.kind else ""
        for which, name in [(which, name) for which, name, one in chosen if one is record]:
            title = f"{which} case: {case.name}{kind}, {record.volume_mm3:.0f} mm³, {results.methods[0]}"
            save_progress(folder / f"{name}.png", case.case, case.truth, rounds, title)


def _to_json(results: EvaluationResults) -> dict:
    values, calibration = results.to_json(), calibration_of(results)
    for method in results.methods:
        groups = {"by_size": by_size(results, method), "by_kind": by_kind(results, method)}
        values["methods"][method] |= {n: plain([asdict(one) for one in g]) for n, g in groups.items()}
    return values | ({"confidence": plain(asdict(calibration))} if calibration else {})
