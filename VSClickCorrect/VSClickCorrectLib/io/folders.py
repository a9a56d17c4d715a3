"""Folders of scans, by whatever links they are put together."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from VSClickCorrectLib.errors import ImageError


def walk(root: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Walk through a folder as `os.walk` does, through links too, but into each real folder once.

    Hidden folders are left out. A folder that lies in ``root`` is taken where it lies, not where a link leads
    to it.

    Yields
    ------
    folder : Path
        ``root`` itself, then the folders in it.
    folders, files : list of str
        What lies in it, sorted; folders that are taken out of the list are not walked into.

    Raises
    ------
    ImageError
        If the drive fails: what it does not show is not taken for gone. Folders of others that may not be
        looked into are passed over.
    """
    top = os.path.realpath(root)
    seen = {top}
    for name, folders, files in os.walk(root, onerror=_refuse, followlinks=True):
        here = Path(name)
        folders[:] = sorted(f for f in folders if not f.startswith(".") and _is_new(here / f, top, seen))
        yield here, folders, sorted(files)


def _refuse(error: OSError) -> None:
    if error.errno not in (errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR):
        raise ImageError(
            f"the folder {error.filename} cannot be read ({error.strerror}); check the disk or the network."
        ) from None


def _is_new(folder: Path, top: str, seen: set[str]) -> bool:
    place = os.path.realpath(folder)
    if folder.is_symlink() and os.path.commonpath([place, top]) in (place, top):
        return False
    new = place not in seen
    seen.add(place)
    return new
