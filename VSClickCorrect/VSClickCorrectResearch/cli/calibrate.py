"""``vsclick calibrate``: how sure the initial networks may be of what they find."""

from __future__ import annotations

import argparse
from pathlib import Path

from VSClickCorrectLib.cli.options import add_models, model_folder
from VSClickCorrectLib.cli.telling import tell

_DESCRIPTION = """\
Learn from cases whose tumour is known how sure the initial networks may be of what they find, and write it
into the manifest of the models. The cases must be of neither the training nor a test. For those who release
models.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command's parser its options."""
    parser.description = _DESCRIPTION
    add_models(parser)
    parser.add_argument(
        "--cases",
        type=Path,
        required=True,
        nargs="+",
        help="CSV lists of cases, or cohorts of 'vsclick simulate'",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    from VSClickCorrectLib.inference.initial import InitialSegmenter

    from VSClickCorrectResearch.datasets.cases import list_cases
    from VSClickCorrectResearch.evaluation.certainty import candidates_of, fit_certainty, write_certainty

    cases = [case for listed in options.cases for case in list_cases(listed)]
    models, candidates = model_folder(options), []
    segmenter = InitialSegmenter.load(models, options.device)
    for case in cases:
        mine = list(candidates_of(case.load(), segmenter))
        candidates += mine
        tell(f"{case.name}: {sum(one.right for one in mine)} of {len(mine)} candidates right")
    certainty = fit_certainty(candidates)
    write_certainty(models, segmenter.segmenter.entry.name, certainty)
    tell(f"{segmenter.segmenter.entry.name}: {certainty}")
