"""The file of a journal: each line is on the disk before it is told."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.io.files import check_file, is_there, sync_folder
from VSClickCorrectLib.session.chain import Line, decode, encode, read_lines


class JournalFile:
    """A file to which lines are appended.

    Parameters
    ----------
    path : Path
        The file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # Where the next line goes: what a crash left after the last whole line is written over, or, if only
        # its end is missing, written again.
        self._whole = 0
        self._unended = ""
        # What may lie beyond and is nobody else's: left by a crash, or by a try of our own that failed.
        self._ours = b""

    def read(self) -> list[Line]:
        """Return the lines that are there; raises `CorrectionError` if they cannot be read or are damaged."""
        try:
            if not is_there(self._path):
                return []
            check_file(self._path, CorrectionError)
            content = self._path.read_bytes()
        except OSError as error:
            raise CorrectionError(
                f"the journal {self._path} cannot be read ({error.strerror}); check the disk "
                "or the network and try again."
            ) from None
        found = read_lines(decode(content), f"the journal {self._path}")
        self._whole, self._unended, self._ours = found.whole, found.unended, found.rest
        return found.lines

    def append(self, line: str, before: Callable[[], str]) -> None:
        """Add a line; when this returns, it is on the disk.

        Parameters
        ----------
        line : str
            The line, with its end.
        before : callable
            Returns all lines before it, for a file that has lost them.

        Raises
        ------
        CorrectionError
            If it cannot be written, or somebody else has added lines.
        """
        try:
            with _opened(self._path) as file:
                # Of a file that lost what it held, or has gone, this is a new one: it gets everything again.
                whole = file.tell() >= self._whole
                start = self._whole if whole else 0
                content = encode((self._unended if whole else before()) + line)
                if file.tell() > start:
                    self._check_ours(start, content)
                self._ours = content
                file.truncate(start)
                try:
                    _write_whole(file, content)
                except OSError:
                    # Half a line must not stand before the next event.
                    file.truncate(start)
                    raise
        except OSError as error:
            raise CorrectionError(
                f"the journal {self._path} cannot be written ({error.strerror}), so nothing was changed; "
                "make room or choose another folder and try again."
            ) from None
        if start == 0:
            sync_folder(self._path.parent)
        self._whole, self._unended, self._ours = start + len(content), "", b""

    def _check_ours(self, start: int, content: bytes) -> None:
        """Refuse to write over whole lines that another program added."""
        beyond = self._path.read_bytes()[start:]
        if b"\n" in beyond and not any(ours.startswith(beyond) for ours in (content, self._ours)):
            raise CorrectionError(
                f"the journal {self._path} was continued by somebody else, so nothing was changed; "
                "open the case anew."
            )


@contextmanager
def _opened(path: Path) -> Iterator[io.FileIO]:
    # Without a buffer, which would try once more to write what a full disk had refused.
    file = open(path, "ab", buffering=0)  # noqa: SIM115
    try:
        yield file
    finally:
        # What was synced is on the disk, whatever closing says.
        with suppress(OSError):
            file.close()


def _write_whole(file: io.FileIO, content: bytes) -> None:
    while content:
        content = content[file.write(content) :]
    os.fsync(file.fileno())
