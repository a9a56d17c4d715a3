"""Where results may go: never onto, into or around what is read, nor over what somebody else wrote."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from VSClickCorrectLib.errors import StorageError
from VSClickCorrectLib.io.files import changing, make_folder
from VSClickCorrectLib.signals import undone_by_signals

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LOCK = ".vsclick.lock"
_TRIES = 100  # to take a lock whose file others remove at the same moment
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
    with changing(folder):
        held = _held(folder / LOCK)
    if held is None:
        raise StorageError(f"another command is writing into {folder}; wait until it has ended.")
    try:
        with undone_by_signals(lambda: _remove(folder / LOCK)):
            yield
    finally:
        # Before it is let go, so that the next one makes a file of its own; Windows removes no open file.
        if sys.platform != "win32":
            _remove(folder / LOCK)
        os.close(held)
        if sys.platform == "win32":
            _remove(folder / LOCK)


def _held(path: Path) -> int | None:
    """Return the descriptor of a lock that is ours until this process ends; None if it is another's."""
    for _ in range(_TRIES):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        if not _lock(descriptor):
            os.close(descriptor)
            return None
        # Its last holder may have removed it between our opening and our locking.
        try:
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return descriptor
        except FileNotFoundError:
            pass
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)
    return None


def _lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        # Some network drives know no locks; files and folders appear whole there too.
        return True
    return True


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


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
