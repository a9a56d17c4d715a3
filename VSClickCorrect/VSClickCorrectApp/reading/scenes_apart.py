"""The case of a scene of unknown origin, read in a child process; see `apart`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.jobs.handover import save_array, volume_as_json, volume_from_json

from VSClickCorrectApp.reading.apart import answered
from VSClickCorrectApp.reading.offered_series import SEQUENCES
from VSClickCorrectApp.reading.reading_child import main
from VSClickCorrectApp.reading.scene_case import SceneCase, read_scene_case


def read_scene_apart(path: Path, most_bytes: int) -> SceneCase:
    """Read the case of an ``.mrb``; see `read_scene_case`.

    Raises
    ------
    ImageError, StorageError
        As `read_scene_case`, or if the scene holds more than ``most_bytes``, or the child takes too much
        memory or time, or dies.
    """
    with answered(path, {"most_bytes": most_bytes}, __name__) as (folder, answer):
        t1ce, t2 = (_volume(folder, name, answer) for name in SEQUENCES)
        mask = np.load(folder / "mask.npy", allow_pickle=False) if answer["mask"] else None
        return SceneCase(t1ce, t2, mask, answer["journal"])


def _volume(folder: Path, name: str, answer: dict[str, Any]) -> Volume | None:
    if answer[name] is None:
        return None
    return volume_from_json(np.load(folder / f"{name}.npy", allow_pickle=False), answer[name])


def _read(folder: Path, task: dict[str, Any]) -> dict[str, Any]:
    case = read_scene_case(Path(task["path"]), task["most_bytes"])
    answer: dict[str, Any] = {"journal": case.journal, "mask": case.mask is not None}
    for name, volume in zip(SEQUENCES, (case.t1ce, case.t2), strict=True):
        answer[name] = volume_as_json(volume) if volume is not None else None
        if volume is not None:
            save_array(folder / f"{name}.npy", volume.array)
    if case.mask is not None:
        save_array(folder / "mask.npy", case.mask)
    return answer


if __name__ == "__main__":
    main(Path(sys.argv[1]), _read)
