"""Files: read only if they are files, and written beside, brought to the disk, then renamed."""

from __future__ import annotations

import errno
import lzma
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir

from VSClickCorrectLib.errors import ImageError, StorageError, Unreadable, VSClickError, enough_memory
from VSClickCorrectLib.io.temporary import TemporaryFolder

# What zipfile raises of archives that are damaged, have a password or are packed in an unknown way.
DAMAGED_ZIP = (
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
# No room is left, or none for this user.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
# How names of what is being written begin.
BESIDE = ".writing-"
# Of a record, a lock or a sidecar; they hold a few kilobytes.
_MAX_BYTES = 1 << 24


def read_ordinary(path: Path) -> bytes | None:
    """Return what a small file holds, None if there is none; a pipe or a device is not waited for.

    Raises
    ------
    OSError
        If something is there that cannot be read: no sign that it holds nothing.
    """
    try:
        with open(path, "rb", opener=_open_at_once) as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise OSError(errno.EINVAL, "it is a pipe or a device")
            content = stream.read(_MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        # A link that leads nowhere may lead somewhere tomorrow.
        if os.path.islink(path):
            raise
        return None
    if len(content) > _MAX_BYTES:
        raise OSError(errno.EFBIG, "it is too large")
    return content


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def is_there(path: Path) -> bool:
    """Whether a name is taken, by a link that leads nowhere too; raises OSError where that cannot be told."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Raise `Unreadable` where what is read inside cannot be, which is no sign of damage."""
    try:
        yield
    except OSError as error:
        raise Unreadable(
            f"{path} cannot be read ({error.strerror or error}), so nothing was changed; "
            "check the disk or the network and try again."
        ) from None


def check_inside(path: Path, folder: Path) -> None:
    """Raise `StorageError` if a path leads out of a folder, through links for instance."""
    real = Path(os.path.realpath(path))
    if not real.is_relative_to(os.path.realpath(folder)):
        raise StorageError(f"{path} leads out of {folder}, to {real}; remove the link that does so.")


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` write a file in a temporary folder beside ``path``, then rename it into place.

    When this returns, the file is on the disk and not in a cache that a loss of power would empty.

    Parameters
    ----------
    path : Path
        The file.
    write : callable
        Writes the file whose path it is given, of the same name; raises OSError or RuntimeError if it cannot.

    Raises
    ------
    StorageError
        If it cannot be written; nothing is left behind and an older file stays as it was.
    """
    with changing(path.parent):
        folder = TemporaryFolder(BESIDE, path.parent)
    temporary = folder.path / path.name
    try:
        with enough_memory():
            write(temporary)
        _sync(temporary)
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:
        raise StorageError(f"cannot write {path}: {_reason(error)}.") from error
    finally:
        folder.remove()
    sync_folder(path.parent)


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8, its line ends as they are; raises as `write_atomically`.

    What is no text, in the name of a file for instance, is escaped as in JSON.
    """
    content = text.encode("utf-8", "backslashreplace")
    write_atomically(path, lambda temporary: temporary.write_bytes(content))


def write_once(path: Path, text: str) -> bool:
    """Let a text file appear under a name that nobody has; return whether it did.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    with changing(path.parent), TemporaryFolder(BESIDE, path.parent) as folder:
        whole = folder / path.name
        whole.write_bytes(text.encode("utf-8"))
        try:
            link(whole, path)
        except FileExistsError:
            return False
    return True


@contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """Give a folder in the system's temporary folder, and remove it with all that is in it.

    Raises
    ------
    StorageError
        If it cannot be made, or there is no room for what is written inside.
    """
    try:
        made = TemporaryFolder(prefix)
    except OSError as error:
        raise StorageError(no_room(error)) from None
    with made as folder:
        try:
            yield folder
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            raise StorageError(no_room(error)) from None


def no_room(error: OSError) -> str:
    """Return what is to be said of a temporary folder that cannot be written."""
    try:
        folder = f"the temporary folder {gettempdir()}"
    # Python finds none where not even a few bytes fit into any.
    except FileNotFoundError:
        folder = "the temporary folder"
    return f"{folder} cannot be written ({error.strerror}); make room there."


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, where they are missing; raises `StorageError` if it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"the folder {folder} cannot be made ({error.strerror}); choose another."
        ) from None


@contextmanager
def changing(folder: Path) -> Iterator[None]:
    """Raise `StorageError` where what is done inside, renaming, removing or making files, cannot be done."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"cannot write into {folder} ({error.strerror}); choose another folder.") from None


def is_text(path: Path) -> bool:
    """Whether a path is UTF-8 text; of others SimpleITK would end the program."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def check_name(path: Path) -> None:
    """Refuse a name that is no text; raises `ImageError`."""
    if not is_text(path):
        raise ImageError(f"the name {path} is not UTF-8 text; rename the file.")


def sync_folder(folder: Path) -> None:
    """Bring a folder's list of names to the disk, where the system can: a renamed file is found then."""
    if os.name == "nt":
        return
    # The file itself is there already, and some network drives refuse this.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _sync(path: Path) -> None:
    # Windows flushes only what is open for writing.
    with path.open("r+b") as stream:
        os.fsync(stream.fileno())


def link(whole: Path, path: Path) -> None:
    """Give a file a second name, which nobody has, or a copy where names cannot be shared; raises OSError."""
    try:
        os.link(whole, path)
    except FileExistsError:
        raise
    except OSError:
        # exFAT and some network drives know no links.
        with path.open("xb") as stream:
            try:
                stream.write(whole.read_bytes())
                stream.flush()
            except OSError:
                path.unlink(missing_ok=True)
                raise


def _reason(error: OSError | RuntimeError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "the disk may be full or the folder read-only"


def check_file(path: Path, error: type[VSClickError] = ImageError) -> None:
    """Refuse what is no ordinary file that can be read: opening a pipe or a device could wait for ever.

    Parameters
    ----------
    path : Path
        What a person named.
    error : type of VSClickError
        What is raised.

    Raises
    ------
    VSClickError
        If it is not there, a folder, a pipe or a device, or may not be read.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            path.open("rb").close()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise error(f"{path} does not exist.") from None
    except OSError as problem:
        kind = Unreadable if error is ImageError else error
        raise kind(f"{path} cannot be opened ({problem.strerror}); name another file.") from None
    if stat.S_ISDIR(mode):
        raise error(f"{path} is a folder; name a file.")
    if not stat.S_ISREG(mode):
        raise error(f"{path} is a pipe or a device; name a file.")
