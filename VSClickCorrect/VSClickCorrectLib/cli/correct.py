"""``vsclick correct``: one round of clicks on a mask."""

from __future__ import annotations

import argparse
import os
from contextlib import ExitStack
from pathlib import Path

from VSClickCorrectLib.cli.options import (
    add_corrector,
    add_different_patients,
    add_hold_clicks,
    add_label,
    add_models,
    add_sequences,
    model_folder,
)
from VSClickCorrectLib.cli.result_files import MaskResults, add_results
from VSClickCorrectLib.cli.telling import counted, tell
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.clicks.merging import MERGES
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.inference.model_set import Networks
from VSClickCorrectLib.io.dicom_out import NAMES
from VSClickCorrectLib.io.given_scans import GivenScans
from VSClickCorrectLib.io.images import read_mask
from VSClickCorrectLib.io.markups import read_clicks
from VSClickCorrectLib.io.outputs import same_place
from VSClickCorrectLib.session.correction import DEFAULT_MERGE, CorrectionSession
from VSClickCorrectLib.signals import finished_before_signals

_DESCRIPTION = """\
Correct a mask around clicks. The clicks are points placed in Slicer and saved as Markups JSON
(.mrk.json); what a click means stands in the point's description, or in its label where that is empty:
'boundary' (the border runs here; also if neither says anything), 'include' (this is tumour) or 'exclude'
(this is not). All clicks of a file are one round: they are applied together to the mask as it is. Run the
command again on its output for another, with a journal of its own.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command's parser its options."""
    parser.description = _DESCRIPTION
    add_sequences(parser)
    add_different_patients(parser)
    parser.add_argument("--mask", type=Path, required=True, metavar="MASK", help="mask to correct")
    add_label(parser)
    parser.add_argument("--clicks", type=Path, required=True, metavar="FILE", help="clicks, .mrk.json")
    add_results(parser, "corrected mask")
    parser.add_argument(
        "--merge",
        choices=tuple(MERGES),
        default=DEFAULT_MERGE,
        help="how corrections enter the mask: 'progressive' changes only what belongs to a click, "
        "'blend' averages overlapping patches, 'replace' writes each over the last (default: %(default)s)",
    )
    parser.add_argument(
        "--journal", type=Path, metavar="FILE", help="new file for a record of the clicks (JSON Lines)"
    )
    add_corrector(parser)
    add_hold_clicks(parser)
    add_models(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    with GivenScans(options.t1ce, options.t2) as scans:
        _correct(options, scans)


def _correct(options: argparse.Namespace, scans: GivenScans) -> None:
    # Of several labels the others would go with the file.
    replaced = options.mask if options.label is None else None
    results = MaskResults(options, scans, options.clicks, replaced=replaced)
    _check_journal_path(options)
    clicks = read_clicks(options.clicks)
    case = scans.case(options.different_patients, options.mask)
    tell(*case.remarks)
    results.find_source(case.reference)
    mask = ArrayMask(case.grid, read_mask(options.mask, case.grid, options.label))
    networks = Networks.load(model_folder(options), options.device, hold_clicks=options.hold_clicks)
    initial_proposer = networks.segmenter.propose
    session = CorrectionSession(case, mask, networks.corrector, initial_proposer, options.merge)
    edit = session.apply_together(clicks)
    where = _write(options, session, results)
    added, removed = edit.change.count
    if edit.remark:
        tell(edit.remark)
    what = f"{counted(len(clicks), 'click')}: {counted(added, 'voxel')} added, {removed} removed"
    tell(f"{what} in {edit.milliseconds:.0f} ms; written to {where}.")


def _check_journal_path(options: argparse.Namespace) -> None:
    """Refuse a journal that could not be written, before any work is done for it."""
    path = options.journal
    if path is None:
        return
    if same_place(path, options.output):
        raise CorrectionError(f"journal and mask are both called {path}; name another file for the journal.")
    if options.dicom is not None and any(same_place(path, options.dicom / name) for name in NAMES):
        raise CorrectionError(f"{path} is the place of a DICOM object; choose another name for the journal.")
    if os.path.lexists(path):
        raise CorrectionError(f"the journal {path} exists already; name a new file.")
    if not os.path.isdir(path.parent):
        raise CorrectionError(f"the folder {path.parent} does not exist; create it or choose another.")


def _write(options: argparse.Namespace, session: CorrectionSession, results: MaskResults) -> str:
    """Write the journal, if asked for, and the mask: both or neither; return where the mask went."""
    with finished_before_signals(), ExitStack() as undone:
        if options.journal is not None:
            session.journal.save(options.journal)
            # Whatever it is that hinders the mask: memory that runs out, say.
            undone.callback(options.journal.unlink)
        where = results.write(session.mask.read(session.mask.grid.box), session.case.reference)
        undone.pop_all()
        return where
