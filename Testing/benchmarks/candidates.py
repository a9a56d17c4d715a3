"""What the initial networks make of validation heads, and how well the right candidate is chosen.

python Testing/benchmarks/candidates.py COHORT [COHORT ...] [--models FOLDER] [--keep FILE]

Every head is shown with all sequences and with each alone. How sure the networks may be is learnt anew with
each head left out, so that networks that nobody calibrated can be held beside those that ship.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.initial_mask import SURE, chance_of
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectResearch.datasets.cases import list_cases
from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.evaluation.calibration import calibrate
from VSClickCorrectResearch.evaluation.certainty import (
    Candidate,
    fit_certainty,
    judged,
    tumours_of,
    with_less,
)
from VSClickCorrectResearch.evaluation.metrics import FOUND, dice


@dataclass(frozen=True)
class Seen:
    """A candidate of one head.

    Parameters
    ----------
    case : str
        The head.
    shown : str
        The sequences that the networks saw.
    truth_mm3 : float
        Volume of the tumour.
    first, again : float
        DSC of the first look and of the second.
    candidate : Candidate
        What certainty is learnt from.
    """

    case: str
    shown: str
    truth_mm3: float
    first: float
    again: float
    candidate: Candidate


def main() -> None:
    """Look at every head, and print a table for each way of showing them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cohorts", type=Path, nargs="+")
    parser.add_argument("--models", type=Path)
    parser.add_argument("--keep", type=Path, help="JSON, one object a candidate")
    options = parser.parse_args()
    segmenter = InitialSegmenter.load(ModelFolder(options.models), "cpu")
    seen = []
    for cohort in options.cohorts:
        for listed in list_cases(cohort):
            case = listed.load()
            if case.truth.any():
                found = candidates_of(f"{cohort.name}/{listed.name}", case, segmenter)
                print(
                    f"{cohort.name}/{listed.name}",
                    *(f"{one.shown} {one.again:.3f}" for one in found),
                    flush=True,
                )
                seen += found
    if options.keep:
        options.keep.write_text(json.dumps([asdict(one) for one in seen], indent=1), encoding="utf-8")
    print_tables(seen)


def candidates_of(name: str, case: LabelledCase, segmenter: InitialSegmenter) -> list[Seen]:
    """Return all candidates of a head, however it is shown."""
    truth_mm3, tumours, seen = case.grid.volume_of(case.truth), tumours_of(case.truth), []
    for shown in with_less(case.case):
        names = "+".join(shown.present)
        for one in segmenter.search(shown).candidates:
            first, again = one.on(case.grid), segmenter.looked_again(shown, one).on(case.grid)
            scores = dice(first, case.truth), dice(again, case.truth)
            seen.append(Seen(name, names, truth_mm3, *scores, judged(one, shown, tumours)))
    return seen


def chosen(seen: Sequence[Seen]) -> dict[tuple[str, str], tuple[Seen, float]]:
    """Return of each head and way of showing it the likeliest candidate, and how likely that is."""
    best: dict[tuple[str, str], tuple[Seen, float]] = {}
    for case in sorted({one.case for one in seen}):
        coefficients = fit_certainty([one.candidate for one in seen if one.case != case])
        for one in (one for one in seen if one.case == case):
            sure, key = chance_of(one.candidate.measured, coefficients), (case, one.shown)
            if key not in best or sure > best[key][1]:
                best[key] = one, sure
    return best


COLUMNS = "shown|heads|found|first look|as shown|best of all|sure|of these right|ECE"


def print_tables(seen: Sequence[Seen]) -> None:
    """Print a row for each way of showing the heads; a head in which nothing was found has a DSC of 0."""
    best, heads = chosen(seen), len({one.case for one in seen})
    print("|", COLUMNS.replace("|", " | "), "|")
    print("|" + "---|" * len(COLUMNS.split("|")))
    for shown in sorted({one.shown for one in seen}, key=lambda names: (-len(names), names)):
        mine = [value for (_, names), value in best.items() if names == shown]
        print(
            "|",
            " | ".join([shown, str(heads), *_row(mine, [s for s in seen if s.shown == shown], heads)]),
            "|",
        )


def _row(mine: Sequence[tuple[Seen, float]], seen: Sequence[Seen], heads: int) -> list[str]:
    """Return the cells of one way of showing the heads, of those chosen among all that were seen so."""
    tops: dict[str, float] = {}
    for one in seen:
        tops[one.case] = max(one.again, tops.get(one.case, 0.0))
    sums = sum(one.first for one, _ in mine), sum(one.again for one, _ in mine), sum(tops.values())
    sure = [one.candidate.right for one, chance in mine if chance >= SURE]
    error = calibrate([chance for _, chance in mine], [one.candidate.right for one, _ in mine]).error
    found = sum(one.again > FOUND for one, _ in mine)
    means = [f"{total / heads:.3f}" for total in sums]
    return [str(found), *means, str(len(sure)), str(sum(sure)), f"{error:.2f}"]


if __name__ == "__main__":
    main()
