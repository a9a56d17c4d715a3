"""``vsclick adapt``: the networks learn from the accepted cases of a worklist."""

from __future__ import annotations

import argparse

from VSClickCorrectLib.cli.options import (
    add_corrector,
    add_different_patients,
    add_model_folder,
    add_worklist,
    model_folder,
)
from VSClickCorrectLib.cli.telling import tell
from VSClickCorrectLib.jobs.adaptation import adapt
from VSClickCorrectLib.workflow.tasks import adaptation_of
from VSClickCorrectLib.worklist.worklist import Worklist

_DESCRIPTION = """\
Let the corrector, and the network that gives the initial mask, learn from the cases of a worklist that are
done: from their clicks, and the masks that were accepted. Small steps on copies of the released weights,
which stay as they are. What each learned is kept as a version of its own, in a folder of your own on this
machine, only if it helps on your last cases, which it has not learned from, and loses next to nothing on a
set of synthetic ones. Nothing is sent anywhere. Takes some minutes of one core.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command's parser its options."""
    parser.description = _DESCRIPTION
    add_worklist(parser)
    parser.add_argument(
        "--annotator",
        default="",
        metavar="INITIALS",
        help="whose cases to learn from (default: those of all who worked on the list)",
    )
    add_different_patients(parser)
    add_model_folder(parser)
    add_corrector(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    worklist = Worklist.open(options.cases, options.output, options.annotator)
    worklist.different_patients = options.different_patients
    model_folder(options).entry("corrector")
    task = adaptation_of(worklist, str(options.models or ""), options.corrector or "")
    adapted = adapt(task, _Steps().tell)
    for sentence in adapted.left_out:
        tell(f"Left out: {sentence}")
    tell(adapted.sentence)


class _Steps:
    """Tells what is going on, once."""

    def __init__(self) -> None:
        self._last = ""

    def tell(self, _fraction: float, message: str) -> None:
        if message != self._last:
            self._last = message
            tell(f"{message[:1].upper()}{message[1:]} …")
