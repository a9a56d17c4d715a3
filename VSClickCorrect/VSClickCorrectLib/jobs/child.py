"""The child of a job: ``python -m VSClickCorrectLib.jobs.child FOLDER``."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

from VSClickCorrectLib.errors import VSClickError, enough_memory, passed_over
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.manifest import Choice
from VSClickCorrectLib.io.files import NO_ROOM
from VSClickCorrectLib.io.registration import register
from VSClickCorrectLib.jobs.adaptation import adapt
from VSClickCorrectLib.jobs.exchange import Answer, read_task, read_warming, write_progress, write_result
from VSClickCorrectLib.jobs.handover import NO_ROOM_STATUS, end_with_parent, wait_for_task, yield_to_others
from VSClickCorrectLib.jobs.learning_task import Adaptation
from VSClickCorrectLib.jobs.preparation import prepare, segmenter_of
from VSClickCorrectLib.jobs.prepared import Preparation
from VSClickCorrectLib.signals import end_on_signals


def main(folder: Path) -> None:
    """Do the task of a folder and leave its result there."""
    # Ctrl+C reaches the child of a terminal's program too; what is to be said, and removed, is the parent's.
    end_on_signals()
    choice = read_warming(folder)
    if choice is not None:
        # What is wrong with them is said where they are needed.
        with passed_over("the networks were not loaded ahead", VSClickError):
            segmenter_of(choice)
        wait_for_task(folder)
    end_with_parent(folder)
    try:
        _answer(folder)
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        # There is no room for words, either.
        os._exit(NO_ROOM_STATUS)
    # At once: tidying up torch takes a second that somebody waits for.
    os._exit(0)


def _answer(folder: Path) -> None:
    try:
        with enough_memory():
            result: Answer = _done(folder)
    except VSClickError as error:
        result = error
    write_result(folder, result)


def _done(folder: Path) -> Answer:
    task, told, volumes = read_task(folder)
    progress = partial(write_progress, folder)
    if task == "registration":
        return register(volumes["t1ce"], volumes["t2"], progress, tuple(told["names"]))
    if task == "preparation":
        yield_to_others()
        return prepare(Preparation(**told | {"choice": Choice(*told["choice"])}), progress)
    if task == "adaptation":
        yield_to_others()
        return adapt(Adaptation.of(told), progress)
    progress(0.0, "loading the models")
    segmenter = segmenter_of(Choice(**told))
    return segmenter.segment(Case(volumes.get("t1ce"), volumes.get("t2")), progress)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
