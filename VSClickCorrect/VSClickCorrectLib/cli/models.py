"""``vsclick models``: what models there are, and whether they do what they should."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from VSClickCorrectLib.cli.options import add_model_folder, add_models, model_folder
from VSClickCorrectLib.cli.telling import tell
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.inference.models import ModelFolder

if TYPE_CHECKING:
    from VSClickCorrectLib.evaluation.reference import Expected, Output

_LIST = """\
List the models of a folder. The first of each role is the one that is used where none is named.
"""
_VERIFY = """\
Check that every weights file is the one that the manifest names, and that each network says what is expected
of four synthetic cases that are made on the fly: in float32 on the processor, which must agree closely, and
on the chosen device in its own precision. What is expected stands in expected.json beside the manifest. Takes
about half a minute.
"""
_CALIBRATE = """\
Learn from cases whose tumour is known how sure the initial networks may be of what they find, and write it
into the manifest of the models. The cases must be of neither the training nor a test. For those who release
models.
"""


def add_parser(commands) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("models", help="list the models or verify them")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="list the models", description=_LIST)
    add_model_folder(listing)
    listing.set_defaults(run=run_list)
    verifying = actions.add_parser("verify", help="check weights and what networks say", description=_VERIFY)
    add_models(verifying)
    verifying.add_argument(
        "--record",
        action="store_true",
        help="write expected.json instead of comparing with it: for those who release models",
    )
    verifying.set_defaults(run=run_verify)
    calibrating = actions.add_parser("calibrate", help="learn how sure to be", description=_CALIBRATE)
    add_models(calibrating)
    calibrating.add_argument(
        "--cases", type=Path, required=True, help="CSV list of cases, or a cohort of 'vsclick simulate'"
    )
    calibrating.set_defaults(run=run_calibrate)


def run_list(options: argparse.Namespace) -> None:
    """Run ``vsclick models list``."""
    models = model_folder(options)
    tell(f"{models.folder}:")
    _row("name", "role", "network", "sha256")
    for entry in models.entries.values():
        _row(entry.name, entry.role, entry.network, f"{entry.sha256[:12]}…")


def run_verify(options: argparse.Namespace) -> None:
    """Run ``vsclick models verify``."""
    from VSClickCorrectLib.evaluation.reference import Expected, model_outputs, write_expected

    models = model_folder(options)
    _check_files(models)
    expected = None if options.record else Expected(models)
    _row("model", "case", "DSC", "differences: float32, device, DSC" if expected else "")
    outputs = []
    for one in model_outputs(models, options.device, tolerances=options.record):
        outputs.append(one)
        _row(one.model, one.case, f"{one.dice:.3f}", _verdict(expected, one) if expected else "")
    if expected is None:
        tell(f"Written to {write_expected(models, outputs)}.")
        return
    differing = [one for one in outputs if not expected.meets(one)]
    if differing:
        raise ModelError(_what_differs(differing, len(outputs)))
    tell("All files are those of the manifest; all networks say what is expected of them.")


def run_calibrate(options: argparse.Namespace) -> None:
    """Run ``vsclick models calibrate``."""
    from VSClickCorrectLib.datasets.cases import list_cases
    from VSClickCorrectLib.evaluation.certainty import candidates_of, fit_certainty, write_certainty
    from VSClickCorrectLib.inference.initial import InitialSegmenter

    models, candidates = model_folder(options), []
    segmenter = InitialSegmenter.load(models, options.device)
    for case in list_cases(options.cases):
        mine = list(candidates_of(case.load(), segmenter))
        candidates += mine
        tell(f"{case.name}: {sum(one.right for one in mine)} of {len(mine)} candidates right")
    certainty = fit_certainty(candidates)
    write_certainty(models, segmenter.segmenter.entry.name, certainty)
    tell(f"{segmenter.segmenter.entry.name}: {certainty}")


def _check_files(models: ModelFolder) -> None:
    for entry in models.entries.values():
        models.check(entry)
        tell(f"{entry.file}: sha256 {entry.sha256[:12]}… as in the manifest")


def _verdict(expected: Expected, one: Output) -> str:
    deviation = expected.deviation(one)
    if deviation is None:
        return "not recorded"
    numbers = f"{deviation.exact:.6f} {deviation.device:.5f} {deviation.dice:+.4f}"
    return numbers if deviation.within(expected.tolerance(one)) else numbers + "  differs"


def _what_differs(differing: list[Output], count: int) -> str:
    first = differing[0]
    return (
        f"{len(differing)} of {count} outputs are not what is expected, first {first.model} on "
        f"'{first.case}'; install vsclickcorrect and its models again or try another device."
    )


def _row(*cells: str) -> None:
    """Print four cells."""
    tell("{:<22}{:<22}{:<25}{}".format(*cells).rstrip())
