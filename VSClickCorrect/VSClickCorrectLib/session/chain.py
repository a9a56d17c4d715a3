"""Lines of a journal: an event each, with a checksum over it and all before it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from VSClickCorrectLib.errors import CorrectionError, DamagedJournalError

FORMAT = 3
# Before 2 journals did not tell what was painted by hand, before 3 their lines had no checksums.
_READABLE = (1, 2, FORMAT)
_CHAINED = 3
_KEY = "chain"
Event = dict[str, Any]

_FIELDS = {
    "session": {"grid", "model", "merge"},
    "edit": {"round", "clicks", "milliseconds", "change"},
    "remove": {"round", "click", "milliseconds", "change"},
    "undo": {"change"},
    "redo": {"change"},
    "paint": {"change"},
    "tool": {"round", "tool", "milliseconds", "change"},
    "round": {"round"},
}
# Control characters, and what `decode` makes of bytes that are no UTF-8.
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\udc80-\udcff]")


@dataclass(frozen=True)
class JournalPoint:
    """A place in one certain journal.

    Parameters
    ----------
    events : int
        How many events lie before it.
    checksum : str
        The checksum over them; empty before the first, and where an earlier version told their number alone.
    """

    events: int = 0
    checksum: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the point as JSON-ready values."""
        return asdict(self)


@dataclass(frozen=True)
class Line:
    """One line.

    Parameters
    ----------
    event : dict
        What it tells.
    text : str
        The line as it is written, without its end.
    checksum : str
        Over the line and all before it; of older lines it is worked out alone, of others held against theirs.
    chained : bool
        Whether the line bears its checksum.
    """

    event: Event
    text: str
    checksum: str
    chained: bool = True


@dataclass(frozen=True)
class Lines:
    """What was read.

    Parameters
    ----------
    lines : list of Line
        The lines, also a last one that lacks only its end.
    whole : int
        Bytes up to the end of the last line that has one.
    unended : str
        The last line, with its end, if it lacks that; else empty.
    rest : bytes
        All that lies beyond ``whole``, what a crash left half-written for instance.
    """

    lines: list[Line]
    whole: int = 0
    unended: str = ""
    rest: bytes = b""


def new_line(event: Event, before: Sequence[Line]) -> Line:
    """Return the line that tells an event after other lines."""
    body = json.dumps(event)
    checksum = _checksum(before, body)
    return Line(event, body[:-1] + _ending(checksum), checksum)


def decode(content: bytes) -> str:
    """Return bytes as text, from which `encode` makes the same bytes, whatever they are."""
    return content.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """Return text as bytes; see `decode`."""
    return text.encode("utf-8", "surrogateescape")


def read_lines(text: str, name: str = "the journal") -> Lines:
    """Read JSON Lines; what a crash left half-written at the end is left out.

    Parameters
    ----------
    text : str
        From `decode`.
    name : str
        What the journal is called where it cannot be read.

    Raises
    ------
    DamagedJournalError
        If a line is no event or is not the one that was written there.
    CorrectionError
        If the journal is of another version.
    """
    lines: list[Line] = []
    whole = position = 0
    while (stop := text.find("\n", position)) >= 0:
        raw, position = text[position:stop], stop + 1
        if raw:
            line = _read_line(raw, lines, name)
            if line is None:
                break
            lines.append(line)
        whole = position
    rest = text[whole:]
    if not lines and _NO_TEXT.search(rest):
        raise DamagedJournalError(f"{name} cannot be read; name another.")
    last = None
    if "\n" not in rest:
        last = _unended(rest, lines, name)
    elif not _torn(rest):
        raise damaged(len(lines) + 1, name)
    found = lines if last is None else [*lines, last]
    return Lines(found, len(encode(text[:whole])), last.text + "\n" if last else "", encode(rest))


def damaged(number: int, name: str = "the journal") -> DamagedJournalError:
    """Return the error of a line that is no event."""
    return DamagedJournalError(f"line {number} of {name} cannot be understood; it may be damaged.")


def _read_line(raw: str, before: Sequence[Line], name: str) -> Line | None:
    """Read a line; None if it is no event."""
    try:
        # Bytes that are no text raise an error here.
        event = json.loads(raw.encode("utf-8"))
        for field in _FIELDS[event["event"]]:
            event[field]
    except (TypeError, ValueError, KeyError, RecursionError):
        return None
    if event.get("format", FORMAT) not in _READABLE:
        raise CorrectionError(
            f"{name} is of version {event['format']}, which is unknown here; update VSClickCorrect."
        )
    told = event.pop(_KEY, None)
    body = raw if told is None else raw.removesuffix(_ending(told)) + "}"
    checksum = _checksum(before, body)
    if told != checksum and (told is not None or _must_be_chained(event, before)):
        raise DamagedJournalError(
            f"line {len(before) + 1} of {name} is not what was written there: it is damaged, or "
            "lines are missing or double; use a copy of the journal or begin anew."
        )
    return Line(event, raw, checksum, told is not None)


def _must_be_chained(event: Event, before: Sequence[Line]) -> bool:
    return event.get("format", 0) >= _CHAINED or (bool(before) and before[-1].chained)


def _unended(rest: str, before: Sequence[Line], name: str) -> Line | None:
    """Read the last line if only its end is missing, or has become another character."""
    content = rest[: rest.rfind("}") + 1]
    line = _read_line(content, before, name) if content else None
    return line if line is not None and (line.chained or content == rest) else None


def _torn(rest: str) -> bool:
    """Whether what follows the last good line is what a crash left, and not a line that was damaged."""
    ours = (line.startswith('{"event"') or line.endswith("}") for line in rest.split("\n")[:-1])
    return _NO_TEXT.search(rest) is not None and not any(ours)


def _ending(checksum: str) -> str:
    return f', "{_KEY}": "{checksum}"}}'


def _checksum(before: Sequence[Line], body: str) -> str:
    # 128 bits are enough to tell what was damaged; no key makes it a signature.
    previous = before[-1].checksum if before else ""
    return hashlib.sha256((previous + body).encode("utf-8")).hexdigest()[:32]
