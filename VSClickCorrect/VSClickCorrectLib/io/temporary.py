"""Temporary folders and files: they go with the process, in whatever way it ends."""

from __future__ import annotations

import os
import shutil
import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import gettempdir

from VSClickCorrectLib.signals import undo_on_signals

# A thread may be writing into a folder that is being removed.
_TRIES = 5


class TemporaryFolder:
    """A new folder for this user alone; it goes when it is removed or dropped, and with the process.

    Parameters
    ----------
    prefix : str
        How its name begins.
    parent : Path, optional
        Where it is made; the folder for temporary files if left out.

    Attributes
    ----------
    path : Path
        The folder.

    Raises
    ------
    OSError
        If it cannot be made.
    """

    def __init__(self, prefix: str, parent: Path | None = None) -> None:
        # Known before it is there: a signal may come at any time.
        self.path = Path(parent or gettempdir()) / f"{prefix}{os.urandom(8).hex()}"
        forget = undo_on_signals(partial(remove_folder, self.path))
        self._remove = weakref.finalize(self, _removed, self.path, forget)
        try:
            self.path.mkdir(mode=0o700)
        except OSError:
            self._remove()
            raise

    def remove(self) -> None:
        """Remove it with all that is in it; removing twice does no harm."""
        self._remove()

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_exception: object) -> None:
        self._remove()


def remove_folder(path: Path) -> None:
    """Remove a folder, also from under a thread that still writes into it."""
    for _ in range(_TRIES):
        shutil.rmtree(path, ignore_errors=True)
        # A drive that does not answer is not asked again.
        if not os.path.lexists(path):
            return


def _removed(path: Path, forget: Callable[[], object]) -> None:
    remove_folder(path)
    forget()
