"""``vsclick segment``: the initial mask."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from VSClickCorrectLib.cli.options import (
    add_different_patients,
    add_learned,
    add_models,
    add_sequences,
    count,
    model_folder,
)
from VSClickCorrectLib.cli.result_files import MaskResults, add_results
from VSClickCorrectLib.cli.telling import tell
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.found_text import candidate_text, found_text
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.initial_mask import InitialMask
from VSClickCorrectLib.io.given_scans import GivenScans

_DESCRIPTION = """\
Find the tumour and write its initial mask on the grid of the T1ce (of the T2 where there is no T1ce).
Where nothing is found the mask is empty and the command says so.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command's parser its options."""
    parser.description = _DESCRIPTION
    add_sequences(parser)
    add_different_patients(parser)
    add_results(parser, "mask")
    parser.add_argument(
        "--candidate",
        type=count,
        default=1,
        metavar="N",
        help="which of several candidates is written, the most likely first (default 1)",
    )
    add_learned(parser)
    add_models(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    with GivenScans(options.t1ce, options.t2) as scans:
        _segment(options, scans)


def _segment(options: argparse.Namespace, scans: GivenScans) -> None:
    results = MaskResults(options, scans, automatic=True)
    case = scans.case(options.different_patients)
    tell(*case.remarks)
    results.find_source(case.reference)
    if case.t2 is None:
        tell("No T2 given: the T1ce is used alone.")
    if case.t1ce is None:
        tell("No T1ce given: the T2 is used alone.")
    segmenter = InitialSegmenter.load(model_folder(options), options.device)
    found = segmenter.segment(case, progress=lambda fraction, message: tell(f"{fraction:4.0%}  {message}"))
    chosen = _chosen(found, options.candidate)
    # What is said is known before anything is written: it may be too much for the memory.
    said = list(_told(found, case, options.candidate))
    volume = case.grid.volume_of(chosen.values)
    what = f"A mask of {volume:.0f} mm³" if chosen.found else "An empty mask"
    where = results.write(chosen.on(case.grid), case.reference)
    tell(*said, f"{what} was written to {where}.")


def _told(found: InitialMask, case: Case, chosen: int) -> Iterator[str]:
    yield found_text(found, case, chosen)
    for number, one in enumerate(found.candidates, 1):
        if number != chosen:
            yield f"Candidate {number}: {candidate_text(one, case)}; --candidate {number} writes it."


def _chosen(found: InitialMask, number: int) -> InitialMask:
    if not found.found and number == 1:
        return found
    if number > len(found.candidates):
        raise ModelError(
            f"there is no candidate {number}, only {len(found.candidates)}; choose another by --candidate."
        )
    return found.candidates[number - 1]
