"""``vsclick compare``: how a tumour changed between two examinations."""

from __future__ import annotations

import argparse
from pathlib import Path

from VSClickCorrectLib.cli.options import SCAN_HELP, add_different_patients, add_label
from VSClickCorrectLib.cli.telling import tell
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io.examinations import Examination, compare_examinations, register_examinations

_DESCRIPTION = """\
Compare the masks of two examinations: the change in volume and in the largest axial diameter, by how much
observers would differ at that size, and whether it reaches what is called growth (20 % of the volume, more
than 2 mm). Masks on different scans are registered rigidly if both scans are named; else each is measured
in its own slices.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command's parser its options."""
    parser.description = _DESCRIPTION
    for when in ("before", "after"):
        parser.add_argument(
            f"--{when}",
            type=Path,
            required=True,
            metavar="MASK",
            help=f"mask of the {'earlier' if when == 'before' else 'later'} examination",
        )
    for when in ("before", "after"):
        parser.add_argument(
            f"--{when}-scan", type=Path, metavar="SCAN", help=f"its scan, to be registered: {SCAN_HELP}"
        )
    add_label(parser)
    add_different_patients(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    if (options.before_scan is None) != (options.after_scan is None):
        raise ImageError("one scan cannot be registered; name both with --before-scan and --after-scan.")
    before = Examination.read(options.before, options.before_scan, options.label)
    after = Examination.read(options.after, options.after_scan, options.label)
    for one in (before, after):
        one.checked(options.different_patients)
    registration = register_examinations(
        before, after, lambda fraction, message: tell(f"{fraction:4.0%}  {message}")
    )
    tell(*compare_examinations(before, after, registration).as_text().split("\n"))
