"""``vsclick segment``: the initial mask."""

from __future__ import annotations

import argparse
from pathlib import Path

from VSClickCorrectLib.cli.options import add_models, add_sequences, model_folder
from VSClickCorrectLib.cli.telling import tell
from VSClickCorrectLib.imaging.io import check_mask_path, read_case, write_mask
from VSClickCorrectLib.inference.initial import InitialSegmenter

_DESCRIPTION = """\
Find the tumour and write its initial mask on the grid of the T1ce (of the T2 where there is no T1ce).
Where nothing is found the mask is empty and the command says so.
"""


def add_parser(commands) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("segment", help="make the initial mask", description=_DESCRIPTION)
    add_sequences(parser)
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="MASK",
        help="mask to write: .nii.gz, .nii, .seg.nrrd or .nrrd",
    )
    add_models(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    check_mask_path(options.output, options.t1ce, options.t2)
    case = read_case(options.t1ce, options.t2)
    tell(*case.remarks)
    if case.t2 is None:
        tell("No T2 given: the T1ce is used alone.")
    if case.t1ce is None:
        tell("No T1ce given: the T2 is used alone, on which the present models rarely find the tumour.")
        tell("Look at the mask with care; you may have to begin with an include click.")
    segmenter = InitialSegmenter.load(model_folder(options), options.device)
    initial = segmenter.segment(case, progress=lambda fraction, message: tell(f"{fraction:4.0%}  {message}"))
    mask = initial.on(case.grid)
    write_mask(options.output, mask, case.grid)
    if initial.found:
        volume = mask.sum() * case.grid.voxel_volume
        tell(f"Tumour of {volume:.0f} mm³ ({volume / 1000:.2f} cm³) written to {options.output}.")
    else:
        tell(
            f"Nothing was found; an empty mask was written to {options.output}. Start with an include click."
        )
