"""``vsclick prepare``: the initial masks of a worklist, made ahead."""

from __future__ import annotations

import argparse

from VSClickCorrectLib.cli.options import (
    add_different_patients,
    add_learned,
    add_models,
    add_worklist,
    model_folder,
)
from VSClickCorrectLib.cli.telling import counted, tell
from VSClickCorrectLib.cli.workers import add_workers, workers_of
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.inference.manifest import Choice
from VSClickCorrectLib.jobs.cases import Workers
from VSClickCorrectLib.jobs.preparation import prepare_apart
from VSClickCorrectLib.jobs.prepared import is_up_to_date
from VSClickCorrectLib.workflow.tasks import preparation_of
from VSClickCorrectLib.worklist.overview import waiting_without_mask
from VSClickCorrectLib.worklist.records import CaseState
from VSClickCorrectLib.worklist.worklist import Worklist

_DESCRIPTION = """\
Make the initial mask of every case of a worklist that has no mask and waits, so that it is there when the
case is opened. What was made is not made again, unless models or images are others now. A case that cannot be
read is named and passed over.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command's parser its options."""
    parser.description = _DESCRIPTION
    add_worklist(parser)
    add_different_patients(parser)
    add_learned(parser)
    add_models(parser)
    add_workers(parser, 1)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    with workers_of(options) as workers:
        _prepare(options, workers)


def _prepare(options: argparse.Namespace, workers: Workers) -> None:
    worklist = Worklist.open(options.cases, options.output)
    worklist.different_patients = options.different_patients
    models = model_folder(options)
    rows = worklist.rows()
    for row in rows:
        if row.record.state is CaseState.TODO and (problem := row.case.problem):
            tell(f"Left out: {row.case.name}: {problem}")
    waiting = list(waiting_without_mask(rows, None))
    choice = Choice(str(options.models or ""), models.version, options.device)
    every = [preparation_of(worklist, case, choice) for case in waiting]
    tasks = [task for task in every if not is_up_to_date(task)]
    remarks = {case.name: f" ({case.remark})" for case in waiting if case.remark}
    failed = 0
    for number, outcome in enumerate(workers.each(prepare_apart, tasks), 1):
        failed += outcome.error is not None
        why_not = f": {outcome.error}" if outcome.error else ""
        name = outcome.task.case
        tell(f"{number:4} of {len(tasks)}  {name}{remarks.get(name, '')}{why_not}")
    there, made = len(waiting) - len(tasks), len(tasks) - failed
    tell(f"{counted(made, 'mask')} made, {there} there already, {failed} failed.")
    if failed:
        raise ImageError(f"{counted(failed, 'case')} could not be prepared; see above, and run it again.")
