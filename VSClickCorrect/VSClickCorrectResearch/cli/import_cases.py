"""``vsclick import``: public and own data as cases on one grid."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from VSClickCorrectLib.cli.options import add_different_patients, label
from VSClickCorrectLib.cli.telling import tell
from VSClickCorrectLib.cli.workers import add_workers, workers_of
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io.outputs import check_apart
from VSClickCorrectLib.jobs.cases import Workers
from VSClickCorrectLib.worklist.case_list import CASES

from VSClickCorrectResearch.datasets import brats, crossmoda, table, vs_seg
from VSClickCorrectResearch.datasets.importing import REPORT, CaseSource, ImportOutcome, import_cases

_DESCRIPTION = """\
Turn labelled scans into cases: T1ce.nii.gz, T2.nii.gz and label.nii.gz on the grid of the T1ce, one folder a
case, listed in CASES/cases.csv. What is there already is kept, so an import that was stopped goes on where
it was. A case that cannot be imported does not stop the others; CASES/report.csv says what became of each.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command's parser its options."""
    parser.description = _DESCRIPTION
    kinds = parser.add_subparsers(title="data", metavar="DATA", required=True)
    seg = kinds.add_parser("vs-seg", help="VS-SEG of TCIA: DICOM, contours and matrices")
    seg.add_argument("source", type=Path, metavar="FOLDER", help="the downloads, in any layout")
    seg.set_defaults(run=run, find=_find_vs_seg)
    moda = kinds.add_parser("crossmoda", help="crossMoDA 2021 to 2023: NIfTI")
    moda.add_argument("source", type=Path, metavar="FOLDER", help="the downloads, in any layout")
    moda.set_defaults(run=run, find=_find_crossmoda)
    glioma = kinds.add_parser("brats", help="BraTS: NIfTI of four sequences, oedema and tumour")
    glioma.add_argument("source", type=Path, metavar="FOLDER", help="the download, in any layout")
    glioma.set_defaults(run=run, find=lambda options: brats.find_cases(options.source))
    for kind in (seg, moda):
        kind.add_argument(
            "--classes",
            action="store_true",
            help="keep intrameatal and extrameatal tumour and cochlea, too, and list them in classes.csv; "
            "where the parts were not drawn, the porus between them is derived",
        )
    listed = kinds.add_parser("csv", help="any images that a CSV file lists")
    listed.add_argument(
        "source",
        type=Path,
        metavar="FILE",
        help="CSV with the columns case, t1ce, t2, label and, if wanted, mask and t1_to_t2 (a transform of "
        "ITK that maps points of the T1ce to the T2); files relative to it",
    )
    listed.set_defaults(run=run, find=_find_csv)
    add_different_patients(listed)
    listed.add_argument(
        "--classes",
        nargs="+",
        default=(),
        metavar="NAME",
        help="keep all classes of the label maps, too, and list them in classes.csv; what 1, 2, ... are",
    )
    for kind in (moda, listed):
        kind.add_argument(
            "--tumour-label",
            "--label",
            type=label,
            nargs="+",
            metavar="LABEL",
            help="the labels or segments, by name or number, that are the tumour, where files hold several",
        )
    for kind in (seg, moda, glioma, listed):
        kind.add_argument("--output", type=Path, required=True, metavar="CASES", help="folder of the cases")
        add_workers(kind, None, "one, in the command itself")
    for kind in (seg, moda, listed):
        kind.add_argument(
            "--register",
            action="store_true",
            help="register the T2 to the T1ce, rigidly, where no matrix is known and the frames differ",
        )


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    with workers_of(options) as workers:
        _run(options, workers)


def _run(options: argparse.Namespace, workers: Workers) -> None:
    check_apart(options.output, [options.source])
    sources, root = options.find(options), options.source
    numbers = iter(range(1, len(sources) + 1))
    outcomes = import_cases(
        sources,
        root if root.is_dir() else root.parent,
        options.output,
        lambda o: tell(f"[{next(numbers)}/{len(sources)}] {o.name}: {o.status}, {o.message}"),
        workers,
    )
    counts = Counter(outcome.status for outcome in outcomes)
    written = options.output / (CASES if (options.output / CASES).exists() else REPORT)
    tell(", ".join(f"{n} {status}" for status, n in counts.items()) + f"; see {written}.")
    _report_failures(outcomes, options.output)


def _find_vs_seg(options: argparse.Namespace) -> list[CaseSource]:
    tell(f"Looking through {options.source} …", to=sys.stderr)
    return vs_seg.find_cases(options.source, options.register, options.classes)


def _find_crossmoda(options: argparse.Namespace) -> list[CaseSource]:
    return crossmoda.find_cases(options.source, options.tumour_label, options.register, options.classes)


def _find_csv(options: argparse.Namespace) -> list[CaseSource]:
    return table.find_cases(
        options.source,
        options.tumour_label,
        options.register,
        options.different_patients,
        options.classes,
    )


def _report_failures(outcomes: Sequence[ImportOutcome], output: Path) -> None:
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    for outcome in failed:
        tell(f"{outcome.name}: {outcome.message}", to=sys.stderr)
    if failed:
        cases = "case" if len(failed) == 1 else "cases"
        raise ImageError(
            f"{len(failed)} {cases} of {len(outcomes)} could not be imported; the reasons are in "
            f"{output / REPORT}."
        )
