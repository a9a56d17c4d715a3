"""``vsclick prepare``: the initial masks of a worklist, made ahead."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

from VSClickCorrectLib.cli.options import add_different_patients, add_models, count, model_folder
from VSClickCorrectLib.cli.telling import counted, tell
from VSClickCorrectLib.errors import ImageError, VSClickError, enough_memory
from VSClickCorrectLib.jobs.preparation import Preparation, is_prepared, prepare
from VSClickCorrectLib.signals import end_workers, undone_by_signals
from VSClickCorrectLib.workflow.preparing import preparation_of
from VSClickCorrectLib.worklist.overview import waiting_without_mask
from VSClickCorrectLib.worklist.worklist import Worklist

_DESCRIPTION = """\
Make the initial mask of every case of a worklist that has no mask and waits, so that it is there when the
case is opened. What was made is not made again, unless models or images are others now. A case that cannot be
read is named and passed over.
"""
# A process that dies takes others' cases with it; each gets another chance.
_TRIES = 2
_DIED = "its process ended before it was done; close other programs to free memory."


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command's parser its options."""
    parser.description = _DESCRIPTION
    parser.add_argument(
        "cases", type=Path, metavar="CASES", help="folder of cases, or CSV list (case, t1ce, t2, mask)"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="folder of the results")
    add_different_patients(parser)
    add_models(parser)
    parser.add_argument(
        "--processes", type=count, default=1, metavar="N", help="cases at a time (default: %(default)s)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    worklist = Worklist.open(options.cases, options.output)
    worklist.different_patients = options.different_patients
    models = model_folder(options)
    waiting = waiting_without_mask(worklist.rows(), None)
    tasks = [
        preparation_of(worklist, case, str(options.models or ""), options.device)
        for case in waiting
        if not is_prepared(worklist.prepared_path(case.name), models)
    ]
    failed = 0
    for number, (task, why_not) in enumerate(_outcomes(tasks, options.processes), 1):
        failed += bool(why_not)
        tell(f"{number:4} of {len(tasks)}  {task.case}{f': {why_not}' if why_not else ''}")
    there, made = len(waiting) - len(tasks), len(tasks) - failed
    tell(f"{counted(made, 'mask')} made, {there} there already, {failed} failed.")
    if failed:
        raise ImageError(f"{counted(failed, 'case')} could not be prepared; see above, and run it again.")


def _outcomes(tasks: list[Preparation], processes: int) -> Iterator[tuple[Preparation, str]]:
    """Yield each case as it is done, and why it could not be; empty if it could."""
    left = tasks
    for attempt in range(1, _TRIES + 1):
        tried, left = left, []
        for task, why_not in _tried(tried, processes):
            if why_not == _DIED and attempt < _TRIES:
                left.append(task)
            else:
                yield task, why_not


def _tried(tasks: list[Preparation], processes: int) -> Iterator[tuple[Preparation, str]]:
    # Not forked: torch's threads do not survive that.
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _share_cores, (processes,))
    with undone_by_signals(end_workers), pool:
        futures = {pool.submit(_prepare, task): task for task in tasks}
        for future in as_completed(futures):
            try:
                yield futures[future], future.result()
            except BrokenProcessPool:
                yield futures[future], _DIED


def _prepare(task: Preparation) -> str:
    """Prepare a case in a process of the pool; return why that cannot be done, empty if it was."""
    try:
        with enough_memory():
            prepare(task)
    except VSClickError as error:
        return str(error)
    return ""


def _share_cores(processes: int) -> None:
    """Leave each process its share of the cores; torch reads this as it is imported."""
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))
