"""What passes between a job and its child: tasks, progress and results as files of one folder."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from VSClickCorrectLib import errors
from VSClickCorrectLib.errors import ModelError, VSClickError
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.inference.candidate_arrays import arrays_of, initial_of
from VSClickCorrectLib.inference.initial_mask import InitialMask
from VSClickCorrectLib.inference.manifest import Choice
from VSClickCorrectLib.io.files import no_room
from VSClickCorrectLib.io.registration import Registration
from VSClickCorrectLib.jobs.handover import (
    NO_ROOM_STATUS,
    disk_full,
    save_array,
    volume_as_json,
    volume_from_json,
)
from VSClickCorrectLib.jobs.learning_task import Adapted

_TASK, _WARMING, _PROGRESS = "task.json", "warming.json", "progress.txt"
_RESULT, _ERRORS = "result.npz", "errors.txt"
Answer = InitialMask | Registration | Adapted | VSClickError


def write_task(
    folder: Path, task: str, told: dict[str, Any], volumes: Mapping[str, Volume] = MappingProxyType({})
) -> None:
    """Write what a child is to do.

    Parameters
    ----------
    folder : Path
        The child's.
    task : str
        Which of those that `jobs.child` knows.
    told : dict
        What it needs for that, as JSON can hold it.
    volumes : mapping of Volume, optional
        Likewise, by their names.
    """
    for name, volume in volumes.items():
        save_array(folder / f"{name}.npy", volume.array)
    headers = {name: volume_as_json(volume) for name, volume in volumes.items()}
    content = {"task": task, "told": told, "volumes": headers}
    (folder / _TASK).write_text(json.dumps(content), encoding="utf-8")


def write_warming(folder: Path, choice: Choice) -> None:
    """Write which networks the child is to load before it has a task."""
    (folder / _WARMING).write_text(json.dumps(choice), encoding="utf-8")


def read_warming(folder: Path) -> Choice | None:
    """Return which networks are to be loaded before there is a task; None if there is one already."""
    path = folder / _WARMING
    return Choice(*json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def read_task(folder: Path) -> tuple[str, dict[str, Any], dict[str, Volume]]:
    """Return what `write_task` wrote; the volumes' voxels stay in their files until they are needed."""
    content = json.loads((folder / _TASK).read_text(encoding="utf-8"))
    volumes = {}
    for name, header in content["volumes"].items():
        array = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        volumes[name] = volume_from_json(array, header)
    return content["task"], content["told"], volumes


def write_progress(folder: Path, fraction: float, message: str) -> None:
    """Say how far the work is."""
    with open(folder / _PROGRESS, "a", encoding="utf-8") as file:
        file.write(f"{fraction:.4f} {message}\n")


def last_progress(folder: Path) -> tuple[float, str]:
    """Return the fraction and the message that were written last."""
    try:
        lines = (folder / _PROGRESS).read_text(encoding="utf-8").split("\n")
    except OSError:
        return 0.0, "starting"
    # What follows the last line end may be half a line.
    fraction, _, message = lines[-2].partition(" ") if len(lines) > 1 else ("0", "", "starting")
    return float(fraction), message


def write_result(folder: Path, result: Answer) -> None:
    """Write a result, or the error that stands for it; the file appears whole or not at all."""
    temporary = folder / f"unfinished-{_RESULT}"
    np.savez(temporary, **_arrays_of(result))
    os.replace(temporary, folder / _RESULT)


def read_result(folder: Path, returncode: int) -> Answer:
    """Return what the child left: its result, or the error to raise."""
    try:
        with np.load(folder / _RESULT, allow_pickle=False) as arrays:
            return _result_of({name: arrays[name] for name in arrays.files})
    except (OSError, ValueError):
        return _died(folder, returncode)


def _arrays_of(result: Answer) -> dict[str, Any]:
    if isinstance(result, VSClickError):
        return {"error": type(result).__name__, "sentence": str(result), "fields": json.dumps(vars(result))}
    if isinstance(result, Registration):
        return {"registration": True, **vars(result)}
    if isinstance(result, Adapted):
        return {"adapted": json.dumps(asdict(result))}
    return arrays_of(result)


def _result_of(arrays: dict[str, np.ndarray]) -> Answer:
    if "error" in arrays:
        kind: type[VSClickError] = getattr(errors, str(arrays["error"]))
        return kind.told(str(arrays["sentence"]), **json.loads(str(arrays["fields"])))
    if "adapted" in arrays:
        return Adapted.of(json.loads(str(arrays["adapted"])))
    if "registration" in arrays:
        plain: dict[str, Any] = {
            name: value if value.ndim else value.item() for name, value in arrays.items()
        }
        del plain["registration"]
        return Registration(**plain)
    return initial_of(arrays)


def _died(folder: Path, returncode: int) -> ModelError:
    if returncode == NO_ROOM_STATUS:
        return ModelError(no_room(disk_full()))
    try:
        lines = (folder / _ERRORS).read_text(encoding="utf-8", errors="replace").strip().split("\n")
    except OSError:
        lines = [""]
    reason = lines[-1].strip() or f"exit code {returncode}"
    return ModelError(
        f"the computation ended before it was done ({reason}); close other programs to free memory "
        "and try again."
    )
