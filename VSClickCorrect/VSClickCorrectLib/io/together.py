"""Files that belong together: all of them appear, or go, or none does."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from VSClickCorrectLib.io.files import changing, is_there, link, sync_folder, write_atomically
from VSClickCorrectLib.io.temporary import TemporaryFolder
from VSClickCorrectLib.signals import finished_before_signals


def write_together(folder: Path, writers: Mapping[str, Callable[[Path], object] | None]) -> None:
    """Let files that belong together appear in a folder, replacing older ones, once all are on the disk.

    Parameters
    ----------
    folder : Path
        The folder, which is there.
    writers : dict of callable or None
        By the files' names; each as the ``write`` of `write_atomically`, None for one that is to go.

    Raises
    ------
    StorageError
        If one cannot be written or removed; nothing is left behind and the older files stay as they were.
    """
    new = {name: write for name, write in writers.items() if write is not None}
    with changing(folder), TemporaryFolder(".writing-", folder) as beside:
        for name, write in new.items():
            write_atomically(beside / name, write)
        with finished_before_signals(), ExitStack() as back:
            for name in writers:
                back.callback(_kept(folder / name, beside / f"older-{name}"))
                if name in new:
                    os.replace(beside / name, folder / name)
                else:
                    (folder / name).unlink(missing_ok=True)
            back.pop_all()
    sync_folder(folder)


def _kept(path: Path, beside: Path) -> Callable[[], object]:
    """Keep a file, if there is one, under a second name; return what brings things back to how they are."""
    if not is_there(path):
        return lambda: path.unlink(missing_ok=True)
    link(path, beside)
    return lambda: os.replace(beside, path)
