"""The child of a job: ``python -m VSClickCorrectLib.jobs.child FOLDER``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from VSClickCorrectLib.errors import VSClickError, enough_memory
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.initial_mask import InitialMask
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.io.files import NO_ROOM
from VSClickCorrectLib.io.registration import Registration, register
from VSClickCorrectLib.jobs.exchange import read_task, write_progress, write_result
from VSClickCorrectLib.jobs.handover import NO_ROOM_STATUS, end_with_parent, yield_to_others
from VSClickCorrectLib.jobs.preparation import Preparation, prepare
from VSClickCorrectLib.signals import end_on_signals


def main(folder: Path) -> None:
    """Do the task of a folder and leave its result there."""
    # Ctrl+C reaches the child of a terminal's program too; what is to be said, and removed, is the parent's.
    end_on_signals()
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
            result: InitialMask | Registration | VSClickError = _done(folder)
    except VSClickError as error:
        result = error
    write_result(folder, result)


def _done(folder: Path) -> InitialMask | Registration:
    task, volumes = read_task(folder)
    if task["task"] == "registration":
        names = tuple(task["names"])
        return register(volumes["t1ce"], volumes["t2"], lambda *step: write_progress(folder, *step), names)
    if task["task"] == "preparation":
        yield_to_others()
        return prepare(Preparation.of(task), lambda *step: write_progress(folder, *step))
    write_progress(folder, 0.0, "loading the models")
    models = ModelFolder(Path(task["models"]) if task["models"] else None)
    segmenter = InitialSegmenter.load(models, task["device"])
    case = Case(volumes.get("t1ce"), volumes.get("t2"))
    return segmenter.segment(case, lambda *step: write_progress(folder, *step))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
