"""The child that reads one file: ``python -m VSClickCorrectApp.reading.reading_child FOLDER``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from VSClickCorrectLib.errors import OutOfMemory, VSClickError, enough_memory
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.io.dicom_masks import scan_of_mask
from VSClickCorrectLib.io.files import NO_ROOM
from VSClickCorrectLib.jobs.handover import NO_ROOM_STATUS, end_with_parent, save_array, volume_as_json
from VSClickCorrectLib.signals import end_on_signals

from VSClickCorrectApp.reading.sent_files import (
    read_sent_lone_mask,
    read_sent_mask,
    read_sent_volume,
    sent_headers,
    sent_series,
)


def main(folder: Path, read: Callable[[Path, dict[str, Any]], dict[str, Any]]) -> None:
    """Do the task of a folder and leave the answer there.

    Parameters
    ----------
    folder : Path
        Where the task is, and where arrays and the answer go.
    read : callable
        Gets the folder and the task, leaves arrays and returns the answer.
    """
    # Ctrl+C reaches the child of a terminal's program too; what is to be said, and removed, is the parent's.
    end_on_signals()
    end_with_parent(folder)
    task = json.loads((folder / "task.json").read_text(encoding="utf-8"))
    _limit(task["memory"])
    sitk.ProcessObject.GlobalWarningDisplayOff()
    try:
        answer = json.dumps(_answer(folder, task, read))
        (folder / "answer.json").write_text(answer, encoding="utf-8")
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        # There is no room for words, either.
        os._exit(NO_ROOM_STATUS)


def _answer(
    folder: Path, task: dict[str, Any], read: Callable[[Path, dict[str, Any]], dict[str, Any]]
) -> dict[str, Any]:
    try:
        with enough_memory():
            return read(folder, task)
    except OutOfMemory:
        gigabytes = task["memory"] / (1 << 30)
        return {
            "refused": f"{task['path']} takes more than {gigabytes:.0f} GB of memory to read; crop it first."
        }
    except VSClickError as error:
        return {"refused": str(error)}


def _read(folder: Path, task: dict[str, Any]) -> dict[str, Any]:
    if task.get("list"):
        found = sent_series(Path(task["path"]), task["most_bytes"])
        return {"series": [asdict(one) for one in found]}
    array, answer = _image(task)
    save_array(folder / "voxels.npy", array)
    return answer


def _image(task: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    path, most_bytes = Path(task["path"]), task["most_bytes"]
    if "grid" in task:
        grid = Grid(task["grid"]["shape"], np.array(task["grid"]["affine"]))
        return read_sent_mask(path, grid, most_bytes), {"scan": _scan_of(path)}
    if "sequence" not in task:
        values, grid = read_sent_lone_mask(path, most_bytes)
        return values, {"affine": grid.affine.tolist(), "scan": _scan_of(path)}
    volume = read_sent_volume(path, task["sequence"], most_bytes, task["uid"])
    return volume.array, volume_as_json(volume) | {"headers": sent_headers(path, volume.series)}


def _scan_of(mask: Path) -> dict[str, str] | None:
    scan = scan_of_mask(mask)
    return asdict(scan) if scan is not None else None


def _limit(memory: int) -> None:
    """Take no more memory from now on, where the system can be asked for that, and leave no core behind."""
    try:
        import resource
    # Windows knows no such limits.
    except ModuleNotFoundError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main(Path(sys.argv[1]), _read)
