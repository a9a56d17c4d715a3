"""The child of a job: ``python -m VSClickCorrectLib.jobs.child FOLDER``."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from pathlib import Path

from VSClickCorrectLib.datasets.registration import Registration, register
from VSClickCorrectLib.errors import VSClickError
from VSClickCorrectLib.imaging.volume import Case
from VSClickCorrectLib.inference.initial import InitialMask, InitialSegmenter
from VSClickCorrectLib.inference.models import ModelFolder
from VSClickCorrectLib.jobs.exchange import read_task, write_progress, write_result
from VSClickCorrectLib.signals import end_on_signals


def main(folder: Path) -> None:
    """Do the task of a folder and leave its result there."""
    # Ctrl+C reaches the child of a terminal's program too; what is to be said, and removed, is the parent's.
    end_on_signals()
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
    try:
        result: InitialMask | Registration | VSClickError = _done(folder)
    except VSClickError as error:
        result = error
    write_result(folder, result)
    # At once: tidying up torch takes a second that somebody waits for.
    os._exit(0)


def _done(folder: Path) -> InitialMask | Registration:
    task, volumes = read_task(folder)
    if task["task"] == "registration":
        return register(volumes["t1ce"], volumes["t2"], lambda *step: write_progress(folder, *step))
    write_progress(folder, 0.0, "loading the models")
    models = ModelFolder(Path(task["models"]) if task["models"] else None)
    segmenter = InitialSegmenter.load(models, task["device"])
    return segmenter.segment(Case(**volumes), lambda *step: write_progress(folder, *step))


def _end_with_parent(folder: Path) -> None:
    """End when the parent's end of the pipe closes: nobody is left to take the result."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
