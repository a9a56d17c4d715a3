"""Where results may go: never onto, into or around what is read, nor over what somebody else wrote."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from VSClickCorrectLib.errors import StorageError
from VSClickCorrectLib.io.files import changing, make_folder
from VSClickCorrectLib.io.process_lock import process_lock

LOCK = ".vsclick.lock"
_Identity = tuple[int, int] | str


def same_place(one: Path, other: Path) -> bool:
    """Whether two paths name one file or folder, by whatever links and spelling; neither need be there.

    Names of what is not there yet are one name if they differ in case or in the spelling of accents alone:
    many drives take them for one.
    """
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):
        places = [Path(os.path.realpath(path)) for path in (one, other)]
        first, second = ((_identity(p.parent), _spelled(p.name)) for p in places)
        return first == second


def check_apart(folder: Path, inputs: Iterable[Path]) -> None:
    """Refuse a folder for results that is what is read, holds some of it or lies in it.

    Parameters
    ----------
    folder : Path
        Where results are to go; it need not be there.
    inputs : iterable of Path
        Files and folders that are read.

    Raises
    ------
    StorageError
        If results could get among what is read, or over it.
    """
    ways = _way(folder)
    known: dict[Path, bool] = {}
    for given in inputs:
        place = Path(os.path.realpath(given))
        if place.is_dir() and _identity(place) in ways:
            raise StorageError(
                f"the output {folder} is or lies in {given}, which is to be read; choose a folder outside it."
            )
        home = place if place.is_dir() else place.parent
        if home not in known:
            known[home] = ways[0] in _way(home)
        if known[home]:
            raise StorageError(
                f"the output {folder} holds {given}, which is to be read; choose another folder."
            )


def check_ours(folder: Path, names: Iterable[str], ours: bool) -> None:
    """Refuse a folder that holds files of the names we write, unless it is known that we wrote them.

    Raises
    ------
    StorageError
        If there is such a file of somebody else's.
    """
    for name in names:
        if not ours and os.path.lexists(folder / name):
            raise StorageError(
                f"{folder / name} is there and this command did not write it; move it away or choose another "
                "folder."
            )


@contextmanager
def writing_into(folder: Path) -> Iterator[None]:
    """Make a folder and hold it, so that no other process writes results into it meanwhile.

    Raises
    ------
    StorageError
        If it cannot be made or written, or another process holds it.
    """
    make_folder(folder)
    with ExitStack() as held:
        with changing(folder):
            ours = held.enter_context(process_lock(folder / LOCK))
        if not ours:
            raise StorageError(f"another command is writing into {folder}; wait until it has ended.")
        yield


def _way(path: Path) -> list[_Identity]:
    """Return what a place is, and what all folders are in which it lies."""
    place = Path(os.path.realpath(path))
    return [_identity(one) for one in (place, *place.parents)]


def _identity(path: Path) -> _Identity:
    """Return what tells a place from every other: by its name only while it is not there."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return _spelled(str(path))
    return (found.st_dev, found.st_ino) if found.st_ino else _spelled(str(path))


def _spelled(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
