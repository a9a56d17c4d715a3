"""What a process and its child have in common: arrays in files, no room for them, and the end."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Scan, Volume

_PATIENCE = 10
# With this status a child ends that found no room for its files.
NO_ROOM_STATUS = 28


def disk_full() -> OSError:
    """Return what the system says of a disk on which no room is left."""
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def end_with_parent(folder: Path) -> None:
    """From now on, end when the parent's end of the pipe closes: nobody is left to take the result."""
    threading.Thread(target=_wait, args=(folder,), daemon=True).start()


def save_array(path: Path, array: np.ndarray) -> None:
    """Write an array as ``.npy``; raises OSError if it cannot be.

    On a full disk numpy's says how much was written, and not why no more.
    """
    try:
        np.save(path, array)
    except OSError as error:
        raise disk_full() if error.errno is None else error from None


def volume_as_json(volume: Volume) -> dict[str, Any]:
    """Return all of a volume but its voxels."""
    return {
        "affine": volume.grid.affine.tolist(),
        "remarks": volume.remarks,
        "sides_known": volume.sides_known,
        "scan": asdict(volume.scan) if volume.scan is not None else None,
    }


def volume_from_json(array: np.ndarray, told: dict[str, Any]) -> Volume:
    """Return the volume of these voxels, ``(K, J, I)``, of which `volume_as_json` told."""
    grid = Grid(array.shape, np.array(told["affine"]))
    scan = Scan(**told["scan"]) if told["scan"] else None
    return Volume(array, grid, tuple(told["remarks"]), told["sides_known"], scan)


def wait_for_task(folder: Path) -> None:
    """Wait until the parent says that there is a task; end if it is gone instead."""
    if not os.read(sys.stdin.fileno(), 1):
        _leave(folder)


def yield_to_others() -> None:
    """From now on, take what others leave of the processor, where the system knows of such a thing."""
    if hasattr(os, "nice"):
        os.nice(_PATIENCE)


def _wait(folder: Path) -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    _leave(folder)


def _leave(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)
