"""``vsclick models``: what models there are, and whether they do what they should."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from VSClickCorrectLib.cli.options import add_model_folder, add_models, model_folder
from VSClickCorrectLib.cli.telling import tell
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.model_entry import ModelEntry

if TYPE_CHECKING:
    from VSClickCorrectResearch.evaluation.reference import Expected, Output

_LIST = """\
List the models of a folder. The first of each role is the one that is used where none is named. What has
learned from accepted cases ('vsclick adapt') comes last; --corrector, or --learned where no corrector is
needed, chooses it by its name, with what it learned beside.
"""
_VERIFY = """\
Check that every weights file is the one that the manifest names, and that each network says what is expected
of the sample case, with both sequences and with each alone: in float32 on the processor, which must agree
closely, and on the chosen device in its own precision. What is expected stands in expected.json beside the
manifest. Takes some seconds.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command's parser its options."""
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


def run_list(options: argparse.Namespace) -> None:
    """Run ``vsclick models list``."""
    models = model_folder(options)
    tell(f"{models.folder}:")
    _row("name", "role", "network", "sha256")
    for entry in models.entries.values():
        _row(entry.name, entry.role, entry.network, f"{entry.sha256[:12]}…")
    for entry in models.adapted.values():
        _tell_adapted(entry)
    if models.remark:
        tell(models.remark)


def _tell_adapted(entry: ModelEntry) -> None:
    told = entry.adapted
    own, builtin = (f"{before:.4f} → {after:.4f}" for before, after in (told["own"], told["builtin"]))
    tell(
        f"{entry.name}: sha256 {entry.sha256[:12]}…, {told['date']}, mean DSC on own cases {own}, "
        f"on the built-in ones {builtin}"
    )


def run_verify(options: argparse.Namespace) -> None:
    """Run ``vsclick models verify``."""
    from VSClickCorrectResearch.evaluation.reference import Expected, model_outputs, write_expected

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
