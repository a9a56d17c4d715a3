"""Files of unknown origin, read in a child process of limited memory and time, whose death harms nobody."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from VSClickCorrectLib.errors import ImageError, StorageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Scan, Volume
from VSClickCorrectLib.io.files import no_room, temporary_folder
from VSClickCorrectLib.jobs.handover import NO_ROOM_STATUS, disk_full, volume_from_json
from VSClickCorrectLib.jobs.process import NO_WINDOW, child_environment, python_executable

from VSClickCorrectApp.reading.offered_series import OfferedSeries

_CHILD = "VSClickCorrectApp.reading.reading_child"
# The largest image that is allowed takes a tenth of it.
_LIMIT_S = 300
# What is imported takes half a gigabyte of addresses; an image is held up to four times on its way.
_OWN_BYTES, _TIMES = 2 << 30, 4
# One thread each: addresses are set aside for every one.
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"), "1"
)


def read_volume_apart(path: Path, sequence: str, most_bytes: int) -> Volume:
    """Read a sequence; see `read_sent_volume`.

    Raises
    ------
    ImageError
        As `read_sent_volume`, or if the child takes too much memory or time, or dies.
    """
    return read_series_apart(path, sequence, most_bytes)[0]


def read_series_apart(
    path: Path, sequence: str, most_bytes: int, uid: str = ""
) -> tuple[Volume, tuple[dict[str, Any], ...]]:
    """Read a sequence and, if it is DICOM, its files' headers as JSON; raises as `read_volume_apart`."""
    array, answer = _read(path, {"sequence": sequence, "most_bytes": most_bytes, "uid": uid})
    return volume_from_json(array, answer), tuple(answer["headers"])


def read_mask_apart(path: Path, grid: Grid, most_bytes: int) -> tuple[np.ndarray, Scan | None]:
    """Read a mask, ``(K, J, I)`` bool on ``grid``, and whose it is; raises as `read_volume_apart`."""
    lattice = {"shape": grid.shape, "affine": grid.affine.tolist()}
    values, answer = _read(path, {"grid": lattice, "most_bytes": most_bytes})
    return values, _scan_of(answer)


def read_lone_mask_apart(path: Path, most_bytes: int) -> tuple[np.ndarray, Grid, Scan | None]:
    """Read a mask, ``(K, J, I)`` bool, its own grid, and whose it is; raises as `read_volume_apart`."""
    values, answer = _read(path, {"most_bytes": most_bytes})
    return values, Grid(values.shape, np.array(answer["affine"])), _scan_of(answer)


def _scan_of(answer: dict[str, Any]) -> Scan | None:
    return Scan(**answer["scan"]) if answer["scan"] else None


def list_series_apart(path: Path, most_bytes: int) -> list[OfferedSeries]:
    """Return the series of an archive to choose from; raises as `read_volume_apart`."""
    with answered(path, {"list": True, "most_bytes": most_bytes}) as (_, answer):
        return [
            OfferedSeries(**one | {"size": tuple(one["size"]), "meant": tuple(one["meant"])})
            for one in answer["series"]
        ]


def _read(path: Path, task: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    with answered(path, task) as (folder, answer):
        return np.load(folder / "voxels.npy", allow_pickle=False), answer


@contextmanager
def answered(path: Path, task: dict[str, Any], child: str = _CHILD) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Let a child do a task; yield the folder in which it left what it read, and its answer.

    Parameters
    ----------
    path : Path
        The file that is to be read.
    task : dict
        What the child is to do, as JSON; ``"most_bytes"`` says how large what it reads may be.
    child : str
        The module that is run, whose main function is that of `reading_child`.

    Raises
    ------
    ImageError, StorageError
        As `read_volume_apart`.
    """
    task |= {"path": str(path), "memory": _OWN_BYTES + _TIMES * task["most_bytes"]}
    with temporary_folder("vsclick-reading-") as folder:
        (folder / "task.json").write_text(json.dumps(task), encoding="utf-8")
        status = _run(folder, path, child)
        if status == NO_ROOM_STATUS:
            raise StorageError(no_room(disk_full()))
        if status != 0:
            raise ImageError(f"{path} ended the program that read it; export it again.")
        answer = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
        if "refused" in answer:
            raise ImageError(answer["refused"])
        yield folder, answer


def _run(folder: Path, path: Path, child: str) -> int:
    """Let the child read; return its exit status."""
    process = subprocess.Popen(  # noqa: S603, our own module, by our own interpreter
        [str(python_executable()), "-m", child, str(folder)],
        # The child ends when this pipe closes, however this process may end.
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=child_environment() | _ONE_THREAD,
        creationflags=NO_WINDOW,
    )
    try:
        return process.wait(_LIMIT_S)
    except subprocess.TimeoutExpired:
        raise ImageError(f"{path} takes longer than {_LIMIT_S} s to read; export it again.") from None
    finally:
        process.kill()
        process.communicate()
