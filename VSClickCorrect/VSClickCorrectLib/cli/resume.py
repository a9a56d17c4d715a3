"""``vsclick resume``: the mask that a journal left."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from VSClickCorrectLib.cli.options import add_different_patients, add_label, add_sequences
from VSClickCorrectLib.cli.result_files import MaskResults, add_results
from VSClickCorrectLib.cli.telling import counted, tell
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.io.given_scans import GivenScans
from VSClickCorrectLib.io.images import read_mask
from VSClickCorrectLib.session.journal import Journal, history_of
from VSClickCorrectLib.session.removal import standing_clicks
from VSClickCorrectLib.session.start_mask import restored

_DESCRIPTION = """\
Rebuild a mask from the journal of its correction, after a crash for instance: every click, undo, redo,
removal and stroke of painting that the journal holds is done again, voxel for voxel, without a network.
Journals hold the mask with which they began; for one that does not, name it with --mask.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command's parser its options."""
    parser.description = _DESCRIPTION
    parser.add_argument("journal", type=Path, metavar="JOURNAL", help="journal, JSON Lines")
    add_sequences(parser)
    add_different_patients(parser)
    parser.add_argument("--mask", type=Path, metavar="MASK", help="mask with which the correction began")
    add_label(parser)
    parser.add_argument(
        "--other-image",
        action="store_true",
        help="take an image that lies on the grid of the journal's image but has other voxels, as another "
        "export of the scan has, or one without the face",
    )
    add_results(parser, "mask")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    with GivenScans(options.t1ce, options.t2) as scans:
        _resume(options, scans)


def _resume(options: argparse.Namespace, scans: GivenScans) -> None:
    if options.label is not None and options.mask is None:
        raise CorrectionError("--label chooses from the labels of a mask; name it with --mask.")
    results = MaskResults(options, scans, options.journal, options.mask)
    if not os.path.lexists(options.journal):
        raise CorrectionError(f"the journal {options.journal} does not exist; name another.")
    events = Journal(options.journal).events
    if not events:
        raise CorrectionError(f"the journal {options.journal} is empty; name another.")
    case = scans.case(options.different_patients, options.mask)
    tell(*case.remarks)
    grid = case.grid
    results.find_source(case.reference)
    start = read_mask(options.mask, grid, options.label) if options.mask else None
    values = restored(events, grid, start, None if options.other_image else case)
    where = results.write(values, case.reference)
    history, rounds = history_of(events)
    clicks = len(standing_clicks(history, grid))
    stand = "stands" if clicks == 1 else "stand"
    voxels = counted(int(values.sum()), "voxel")
    tell(f"{counted(clicks, 'click')} {stand}, round {rounds}; {voxels} written to {where}.")
