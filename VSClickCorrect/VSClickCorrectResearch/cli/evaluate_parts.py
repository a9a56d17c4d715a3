"""``vsclick evaluate-parts``: how well a model of parts tells classes apart."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from VSClickCorrectLib.cli.options import add_models, model_folder
from VSClickCorrectLib.cli.telling import tell
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io.files import make_folder
from VSClickCorrectLib.io.outputs import check_apart, check_ours
from VSClickCorrectLib.measure.tumour_parts import EXTRAMEATAL, INTRAMEATAL
from VSClickCorrectLib.worklist.case_list import has_columns, write_rows

if TYPE_CHECKING:
    from VSClickCorrectResearch.evaluation.part_scores import PartScores

SCORES = "parts.csv"
_DESCRIPTION = """\
Part tumours whose classes are known by a model of role 'parts' and score it: the DSC of each class, the
generalised Dice score, and how far the extrameatal diameter is off.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command's parser its options."""
    parser.description = _DESCRIPTION
    parser.add_argument(
        "--cases",
        type=Path,
        required=True,
        metavar="CASES",
        help="classes.csv, or a cohort of 'vsclick simulate --classes'",
    )
    parser.add_argument(
        "--start",
        choices=("truth", "initial"),
        default="truth",
        help="what is parted: the right mask, or the initial networks' (default: %(default)s)",
    )
    parser.add_argument("--parts", metavar="NAME", help="model of the manifest (default: its first of parts)")
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help=f"where {SCORES} goes")
    add_models(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    from VSClickCorrectLib.inference.initial import InitialSegmenter
    from VSClickCorrectLib.inference.model_entry import MASK
    from VSClickCorrectLib.inference.parts import PartsSegmenter

    from VSClickCorrectResearch.datasets.class_cases import list_class_cases
    from VSClickCorrectResearch.evaluation.part_scores import score_parts

    models = model_folder(options)
    segmenter = PartsSegmenter.load(models, options.device, options.parts)
    initial = InitialSegmenter.load(models, options.device) if options.start == "initial" else None
    entry = segmenter.model.entry
    names = entry.classes
    cases = list_class_cases(options.cases, [one for one in entry.channels if one != MASK], names)
    columns = ("case", *names, "generalised_dice", "diameter_error_mm")
    check_apart(options.output, [options.cases, *(path for case in cases for path in case.files)])
    check_ours(options.output, (SCORES,), has_columns(options.output / SCORES, columns))
    scores = []
    for case in cases:
        found = score_parts(case.load(), segmenter, initial)
        if found is None:
            tell(f"{case.name}: no tumour, left out")
            continue
        scores.append(found)
        tell(
            f"{case.name}: " + ", ".join(f"{n} {_shown(d)}" for n, d in zip(names, found.dices, strict=True))
        )
    if not scores:
        raise ImageError(f"{options.cases} holds no case with a tumour; name one that does.")
    make_folder(options.output)
    write_rows(options.output / SCORES, columns, [_row(columns, one) for one in scores])
    tell(*_summary(names, scores))


def _row(columns: Sequence[str], one: PartScores) -> dict[str, str]:
    values = (*one.dices, one.generalised, one.diameter_error_mm)
    return dict(zip(columns, (one.name, *map(_shown, values)), strict=True))


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _summary(names: Sequence[str], scores: Sequence[PartScores]) -> list[str]:
    lines = [f"Mean DSC over {len(scores)} cases:"]
    for number, name in enumerate(names):
        some = [dice for one in scores if (dice := one.dices[number]) is not None]
        lines.append(f"  {name}: {np.mean(some):.3f} ({len(some)})" if some else f"  {name}: in no case")
    lines.append(f"Mean generalised Dice score: {np.mean([one.generalised for one in scores]):.3f}")
    return [*lines, *_diameters(names, scores)]


def _diameters(names: Sequence[str], scores: Sequence[PartScores]) -> list[str]:
    """Return how far the extrameatal diameter is off, and in how many cases none was found to compare."""
    if not {INTRAMEATAL, EXTRAMEATAL} <= set(names):
        return []
    there = [one for one in scores if one.dices[names.index(EXTRAMEATAL)] is not None]
    errors = [abs(one.diameter_error_mm) for one in there if one.diameter_error_mm is not None]
    off = f"off by {np.median(errors):.2f} mm in the median ({len(errors)})" if errors else "in no case"
    lost = len(there) - len(errors)
    return [f"Extrameatal diameter: {off}" + (f"; of {lost} more no such part was found" if lost else "")]
