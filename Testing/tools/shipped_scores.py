"""What the networks that ship do on cases of the test: ``shipped_scores.py RUNS``.

RUNS is a folder with one evaluation each in ``both``, ``guided``, ``t1ce``, ``t2``, ``first`` and
``spoiled``, as ``make shipped-scores`` writes them. Their DSC, what is needed to count harm, and how sure the
networks were is written to ``RUNS/shipped-scores.json``, and the tables are printed.
``--print FILE`` prints the tables of such a file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import tables_command
from VSClickCorrectLib.inference.initial_mask import SURE
from VSClickCorrectLib.io.json_files import write_json
from VSClickCorrectResearch.evaluation.calibration import calibration_of
from VSClickCorrectResearch.evaluation.groups import by_size, every_case
from VSClickCorrectResearch.evaluation.markdown import DASH, percent, table
from VSClickCorrectResearch.evaluation.metrics import FOUND, Scores
from VSClickCorrectResearch.evaluation.records import EvaluationSettings, PlayedCase, RoundRecord
from VSClickCorrectResearch.evaluation.results import EvaluationResults

TITLES = {
    "both": "both sequences",
    "guided": "both, who clicks as the guide says",
    "t1ce": "T1ce alone",
    "t2": "T2 alone",
    "first": "an include click in the middle of the tumour, empty mask",
    "spoiled": "the tumour's surroundings, masks spoiled on purpose",
}
ROUNDS = 4


def main(runs: Path) -> None:
    """Write what the tables need, and print them."""
    kept = {name: _kept(runs / name / "results.json") for name in TITLES}
    write_json(runs / "shipped-scores.json", kept)
    print(printed(runs / "shipped-scores.json"), end="")


def _kept(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_text(encoding="utf-8"))
    settings = {word: value for word, value in found["settings"].items() if word != "cases"}
    cases = [_told(case) for case in map(PlayedCase.from_json, found["cases"]) if case.rounds]
    return {"settings": settings, "cases": cases}


def _told(case: PlayedCase) -> list[Any]:
    (played,) = case.rounds.values()
    rounds = [[one.clicks, one.refused, round(one.scores.dice, 5)] for one in played]
    sure = None if case.confidence is None else round(case.confidence, 4)
    return [case.name, case.kind, round(case.volume_mm3, 1), sure, rounds]


def results_of(kept: dict[str, Any]) -> EvaluationResults:
    """Return the results of one evaluation, whose distances and volumes are not kept."""
    records = [
        PlayedCase(name, volume, {"corrector": tuple(map(_record, rounds))}, kind, sure)
        for name, kind, volume, sure, rounds in kept["cases"]
    ]
    return EvaluationResults(EvaluationSettings(cases="", **kept["settings"]), records)


def _record(kept: list[Any]) -> RoundRecord:
    clicks, refused, dice = kept
    return RoundRecord(clicks, Scores(dice, np.nan, np.nan, np.nan, np.nan), refused=refused)


def printed(path: Path) -> str:
    """Return the tables of a file of results."""
    every = {name: results_of(kept) for name, kept in json.loads(path.read_text(encoding="utf-8")).items()}
    return "\n\n".join([_means(every), _sizes(every), _certainty(every)]) + "\n"


def _means(every: dict[str, EvaluationResults]) -> str:
    rows = []
    for name, results in every.items():
        group = every_case(results, "corrector")
        ends = results.mean_intervals("corrector")
        cells = [f"{mean:.3f} [{a:.3f}, {b:.3f}]" for mean, (a, b) in zip(group.dice, ends, strict=True)]
        medians = [f"{np.median(column):.3f}" for column in results.values("corrector", "dice").T]
        cells += [DASH] * (ROUNDS - len(cells))
        rows.append(
            [TITLES[name], *cells, f"{medians[0]}, {medians[-1]}", percent(group.found), percent(group.worse)]
        )
    names = ["start", *(f"round {n}" for n in range(1, ROUNDS))]
    return table(["shown, user", *names, "medians, first and last", "found", "rounds made worse"], rows)


def _sizes(every: dict[str, EvaluationResults]) -> str:
    groups = {name: by_size(every[name], "corrector") for name in ("both", "guided", "first", "t2")}
    rows = [
        [
            both.name,
            str(both.cases),
            percent(both.found),
            *(f"{value:.3f}" for value in (both.dice[0], both.dice[1], both.dice[3])),
            *(f"{value:.3f}" for value in (guided.dice[3], first.dice[0], alone.dice[0])),
        ]
        for both, guided, first, alone in zip(*groups.values(), strict=True)
    ]
    head = ["size", "n", "found", "start", "round 1", "round 3", "round 3, as the guide says"]
    return table([*head, "one include click", "T2 alone"], rows)


def _certainty(every: dict[str, EvaluationResults]) -> str:
    rows = []
    for name in ("both", "t1ce", "t2"):
        results = every[name]
        pairs = [(case.confidence or 0.0, case.rounds["corrector"][0].scores.dice) for case in results.cases]
        right = [dice > FOUND for sure, dice in pairs if sure >= SURE]
        found = calibration_of(results)
        assert found is not None
        area = DASH if found.area is None else f"{found.area:.2f}"
        rows.append([TITLES[name], str(len(right)), str(sum(right)), f"{found.error:.2f}", area])
    return table(
        ["shown", "called sure", "of these found", "calibration error", "area under the ROC curve"], rows
    )


if __name__ == "__main__":
    tables_command.run(__doc__, main, printed, trains=False)
