"""A file that tells whether any process opened it, in whatever language its code is written."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

# Of <sys/inotify.h>: opened, read or changed.
_ACCESS, _MODIFY, _OPEN = 0x1, 0x2, 0x20


class WatchedFile:
    """A file that Linux watches from now on.

    Parameters
    ----------
    path : Path
        An existing file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        library = ctypes.CDLL(None, use_errno=True)
        self._descriptor = library.inotify_init1(os.O_NONBLOCK)
        watched = library.inotify_add_watch(self._descriptor, os.fsencode(path), _ACCESS | _MODIFY | _OPEN)
        if self._descriptor < 0 or watched < 0:
            raise OSError(ctypes.get_errno(), "the file cannot be watched")

    @property
    def opened(self) -> bool:
        """Whether it was opened since it was asked last."""
        try:
            return bool(os.read(self._descriptor, 1 << 12))
        except BlockingIOError:
            return False

    def close(self) -> None:
        """Watch no longer."""
        os.close(self._descriptor)
