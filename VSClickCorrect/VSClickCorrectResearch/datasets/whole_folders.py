"""Folders that are replaced as a whole, whatever ends it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from shutil import rmtree

from VSClickCorrectLib.errors import StorageError, passed_over
from VSClickCorrectLib.io.files import BESIDE, changing, sync_folder
from VSClickCorrectLib.io.temporary import remove_folder
from VSClickCorrectLib.signals import finished_before_signals, undone_by_signals

# How the name of a folder begins that waits until a newer one has its name.
_OLD = ".vsclick-old-"


def write_folder(folder: Path, fill: Callable[[Path], object]) -> None:
    """Let ``fill`` fill a new folder beside ``folder``, then put it in the place of the one that is there.

    Whatever ends this, one of the two is there as a whole, by its name or where `restore_folders` finds it.

    Parameters
    ----------
    folder : Path
        The folder; an older one of that name is replaced as a whole. Nobody else may write it meanwhile.
    fill : callable
        Writes files into the folder that it is given, each by `write_atomically`.

    Raises
    ------
    StorageError
        If it cannot be written; an older folder stays as it was.
    """
    beside, old = _beside(folder)
    try:
        _restore_folder(folder)
        with undone_by_signals(lambda: remove_folder(beside)):
            beside.mkdir()
            fill(beside)
            with finished_before_signals():
                if folder.exists():
                    folder.rename(old)
                beside.rename(folder)
                _restore_folder(folder)
    except OSError as error:
        raise StorageError(f"the folder {folder} cannot be written: {error.strerror}.") from None
    finally:
        # What cannot be put back now is put back by whoever comes next.
        with passed_over(f"{folder} waits to be put back", OSError):
            _restore_folder(folder)


def _restore_folder(folder: Path) -> None:
    """Put back a folder that `write_folder` moved aside and did not replace; remove what else it left beside.

    Raises
    ------
    OSError
        If it cannot be put back; it stays aside then.
    """
    beside, old = _beside(folder)
    if old.exists() and not os.path.lexists(folder):
        old.rename(folder)
    # The newer folder has its name on the disk before the older one goes.
    sync_folder(folder.parent)
    for left in (beside, old):
        rmtree(left, ignore_errors=True)


def restore_folders(parent: Path) -> None:
    """Put back every folder in another that a kill left aside, and remove what else `write_folder` left.

    Raises
    ------
    StorageError
        If one cannot be put back; it stays aside then.
    """
    with changing(parent):
        for name in os.listdir(parent):
            for prefix in (BESIDE, _OLD):
                if name.startswith(prefix):
                    _restore_folder(parent / name.removeprefix(prefix))


def _beside(folder: Path) -> tuple[Path, Path]:
    """Return where a folder is filled and where the older one waits meanwhile."""
    return folder.with_name(BESIDE + folder.name), folder.with_name(_OLD + folder.name)
