"""``vsclick simulate``: a cohort of synthetic cases."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from VSClickCorrectLib.cli.options import count, natural
from VSClickCorrectLib.cli.telling import tell
from VSClickCorrectLib.cli.workers import add_workers, workers_of
from VSClickCorrectLib.errors import VSClickError

_DESCRIPTION = """\
Write a cohort of synthetic cases for training: tumour shapes of patients and made-up ones in borrowed heads,
in heads drawn from label maps and in phantoms. The data folder holds 'vs-seg-contours.tar.gz', 'heads' and
'label-maps'; see Resources/Docs/data.md.
"""

# In the order of their seeds, where none is named.
_SPLITS = ("training", "validation", "test")


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command's parser its options."""
    parser.description = _DESCRIPTION
    parser.add_argument(
        "--data", type=Path, required=True, metavar="FOLDER", help="contours, heads and label maps"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="where the cases go")
    parser.add_argument(
        "--split",
        choices=_SPLITS,
        default="training",
        help="whose heads and tumours; none is in two splits (default: training)",
    )
    parser.add_argument(
        "--extent",
        choices=("region", "box", "head", "scan"),
        default="region",
        help="the tumour's surroundings, wider ones, the whole head at low resolution, or at the scanner's "
        "(default: region)",
    )
    parser.add_argument(
        "--balanced",
        action="store_true",
        help="what is seldom as often as what is usual: sizes, looks, scans",
    )
    parser.add_argument(
        "--other-side",
        action="store_true",
        help="with --balanced: a second tumour on the other side of nearly half of the heads, and a "
        "meningioma there in most others",
    )
    parser.add_argument(
        "--classes",
        action="store_true",
        help="keep intrameatal and extrameatal tumour and cochlea, too; heads whose inner ear nobody drew "
        "are left out",
    )
    parser.add_argument("--count", type=count, default=300, metavar="N", help="cases (default: %(default)s)")
    parser.add_argument(
        "--seed",
        type=natural,
        metavar="N",
        help="one seed, one cohort; phantoms and made-up tumours follow from it whatever the split, so that "
        "cohorts of different splits need different ones (default: 0, 1 or 2 by the split)",
    )
    add_workers(parser, os.cpu_count(), "one for each core")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    from VSClickCorrectResearch.datasets.cohort import CohortRecipe, write_cohort

    if options.other_side and not options.balanced:
        raise VSClickError("--other-side is of balanced cohorts; name it with --balanced.")
    seed = _SPLITS.index(options.split) if options.seed is None else options.seed
    recipe = CohortRecipe(
        options.split,
        options.extent,
        options.count,
        seed,
        options.balanced,
        options.classes,
        other_side=options.other_side,
    )
    with workers_of(options) as workers:
        write_cohort(options.output, recipe, options.data, workers)
    tell(f"{recipe.count} cases in {options.output}.")
