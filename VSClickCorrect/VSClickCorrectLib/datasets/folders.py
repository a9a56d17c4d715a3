"""Folders of scans, by whatever links they are put together."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


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
    """
    top = os.path.realpath(root)
    seen = {top}
    for name, folders, files in os.walk(root, followlinks=True):
        here = Path(name)
        folders[:] = sorted(f for f in folders if not f.startswith(".") and _is_new(here / f, top, seen))
        yield here, folders, sorted(files)


def _is_new(folder: Path, top: str, seen: set[str]) -> bool:
    place = os.path.realpath(folder)
    if folder.is_symlink() and os.path.commonpath([place, top]) in (place, top):
        return False
    new = place not in seen
    seen.add(place)
    return new
