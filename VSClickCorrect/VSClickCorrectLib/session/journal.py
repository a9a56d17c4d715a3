"""The journal: every event of a session as a line of JSON, written before it is reported done."""

from __future__ import annotations

import io
import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.files import check_file, sync_folder, write_text
from VSClickCorrectLib.imaging.click import Click, ClickKind
from VSClickCorrectLib.imaging.grid import Grid
from VSClickCorrectLib.session.edit import Change, Edit
from VSClickCorrectLib.session.history import EditHistory
from VSClickCorrectLib.session.mask import Mask

FORMAT = 2
# Before 2 journals did not tell what was painted by hand.
_READABLE = (1, FORMAT)
Event = dict[str, Any]
Guard = Callable[[], object]

_FIELDS = {
    "session": {"grid", "model", "merge"},
    "edit": {"round", "clicks", "milliseconds", "change"},
    "remove": {"round", "click", "milliseconds", "change"},
    "undo": {"change"},
    "redo": {"change"},
    "paint": {"change"},
    "round": {"round"},
}


class Journal:
    """Events in order, in memory and, if a path is given, in a file.

    Parameters
    ----------
    path : Path, optional
        A JSON Lines file. An existing one is continued.
    text : str, optional
        An earlier journal to continue in memory, for instance one stored in a scene.
    guard : callable, optional
        Called before every event; raises where the file is no longer ours to write.

    Raises
    ------
    CorrectionError
        If an existing journal cannot be read.
    """

    def __init__(self, path: Path | None = None, text: str = "", guard: Guard = lambda: None) -> None:
        self._path = path
        self._guard = guard
        if path is not None and os.path.lexists(path):
            text = _read(path)
        self.events: list[Event] = parse(text)
        self._lines = list(map(_line, self.events))
        # Where the next line goes: what a crash left after the last whole line is written over, or, if only
        # its end is missing, written again.
        whole = text[: text.rfind("\n") + 1]
        self._length = len(whole.encode("utf-8"))
        self._unended = "".join(map(_line, parse(text[len(whole) :])))

    @property
    def text(self) -> str:
        """The whole journal as JSON Lines."""
        return "".join(self._lines)

    def lines_after(self, count: int) -> str:
        """Return all but the first ``count`` lines, so that keeping a copy costs only what is new."""
        return "".join(self._lines[count:])

    def append(self, event: Event) -> None:
        """Add an event; when this returns, it is on the disk.

        Raises
        ------
        CorrectionError
            If the file cannot be written. The event is not part of the journal then, nor if the guard raises.
        """
        self._guard()
        line = _line(event)
        if self._path is not None:
            self._write(self._path, line)
        self.events.append(event)
        self._lines.append(line)

    def save(self, path: Path) -> None:
        """Write the whole journal to a file, which appears whole or not at all.

        Raises
        ------
        ImageError
            If it cannot be written.
        """
        write_text(path, self.text)

    def _write(self, path: Path, line: str) -> None:
        try:
            # Without a buffer, which would try once more to write what a full disk had refused.
            with open(path, "ab", buffering=0) as file:
                # Of a file that lost what it held, or has gone, this is a new one: it gets everything again.
                whole = file.tell() >= self._length
                start = self._length if whole else 0
                content = ((self._unended if whole else self.text) + line).encode("utf-8")
                if file.tell() > start:
                    _check_ours(path, start, content)
                file.truncate(start)
                try:
                    _write_whole(file, content)
                except OSError:
                    # Half a line must not stand before the next event.
                    file.truncate(start)
                    raise
        except OSError as error:
            raise CorrectionError(
                f"the journal {path} cannot be written ({error.strerror}), so nothing was changed; "
                "make room or choose another folder and try again."
            ) from None
        if start == 0:
            sync_folder(path.parent)
        self._length, self._unended = start + len(content), ""


def parse(text: str) -> list[Event]:
    """Read JSON Lines; a last line that a crash cut short is left out.

    Raises
    ------
    CorrectionError
        If another line is no event, or the journal is of another version.
    """
    lines = [line for line in text.split("\n") if line]
    events = []
    for number, line in enumerate(lines, start=1):
        try:
            event = _event_of(line)
        except (TypeError, ValueError, KeyError, RecursionError):
            if number == len(lines) and not text.endswith("\n"):
                break
            raise _damaged(number) from None
        if event.get("format", FORMAT) not in _READABLE:
            raise CorrectionError(
                f"the journal is of version {event['format']}, which is unknown here; update VSClickCorrect."
            )
        events.append(event)
    return events


def _damaged(number: int) -> CorrectionError:
    return CorrectionError(f"line {number} of the journal cannot be understood; it may be damaged.")


def _event_of(line: str) -> Event:
    event = json.loads(line)
    for name in _FIELDS[event["event"]]:
        event[name]
    return event


def session_event(grid: Grid, model: str, merge: str, start: dict[str, Any]) -> Event:
    """Return the first line of a session: on what grid and mask, with which corrector and merge.

    ``start`` is what `session.start.start_json` says of the mask; older journals lack it.
    """
    return {
        "event": "session",
        "format": FORMAT,
        "grid": {"shape": list(grid.shape), "ijk_to_ras": np.round(grid.affine, 6).tolist()},
        "model": model,
        "merge": merge,
        "start": start,
    }


def edit_event(edit: Edit, model: str, merge: str) -> Event:
    """Return the line of an edit."""
    added, removed = edit.change.count
    return {
        "event": "edit",
        "round": edit.round,
        "clicks": list(map(_click_json, edit.clicks)),
        "model": model,
        "merge": merge,
        "voxels_added": added,
        "voxels_removed": removed,
        "milliseconds": round(edit.milliseconds, 2),
        "change": edit.change.to_json(),
    }


def remove_event(edit: Edit) -> Event:
    """Return the line by which one click, known by its number, is taken back."""
    added, removed = edit.change.count
    (number,), (click,) = edit.numbers, edit.removed
    return {
        "event": "remove",
        "round": edit.round,
        "click": number,
        **_click_json(click),
        "voxels_added": added,
        "voxels_removed": removed,
        "milliseconds": round(edit.milliseconds, 2),
        "change": edit.change.to_json(),
    }


def change_event(name: str, change: Change) -> Event:
    """Return the line of an undo or a redo, or of painting by hand: what it flipped."""
    return {"event": name, "change": change.to_json()}


def round_event(number: int) -> Event:
    """Return the line by which a round begins."""
    return {"event": "round", "round": number}


def check_grid(events: list[Event], grid: Grid) -> None:
    """Raise `CorrectionError` if a journal belongs to an image on another grid."""
    for event in events:
        if event["event"] == "session" and not _recorded_grid(event).matches(grid):
            raise CorrectionError("the journal belongs to another image; choose the one of this case.")


def _recorded_grid(event: Event) -> Grid:
    try:
        return Grid(tuple(event["grid"]["shape"]), np.array(event["grid"]["ijk_to_ras"]))
    except (IndexError, KeyError, OverflowError, TypeError, ValueError):
        raise CorrectionError(
            "the journal does not say on which image it was kept; it may be damaged."
        ) from None


def history_of(events: list[Event]) -> tuple[EditHistory, int]:
    """Rebuild what can be undone and redone, and the current round.

    Raises
    ------
    CorrectionError
        If an event cannot follow those before it.
    """
    history, current = EditHistory(), 1
    for number, event in enumerate(events, start=1):
        try:
            current = _follow(history, current, event)
        except (AttributeError, IndexError, KeyError, StopIteration, TypeError, ValueError):
            raise _damaged(number) from None
    return history, current


def _follow(history: EditHistory, current: int, event: Event) -> int:
    """Let one event act on the history; return the round after it."""
    if event["event"] == "round":
        return event["round"]
    if event["event"] == "edit":
        history.push(_edit_of(event, history))
    elif event["event"] == "remove":
        history.push(_removal_of(event, history))
    elif event["event"] == "undo":
        history.undone.append((history.done.pop(), Change.from_json(event["change"])))
    elif event["event"] == "redo":
        edit, _ = history.undone.pop()
        history.done.append(edit.with_change(Change.from_json(event["change"])))
    return current


def replay(events: list[Event], mask: Mask) -> None:
    """Do everything again that a journal records, on the mask with which its session began.

    Raises
    ------
    CorrectionError
        If a change is damaged.
    """
    for event in events:
        if "change" in event:
            try:
                _change_in(event, mask.grid).impose(mask)
            except (IndexError, KeyError, OverflowError, TypeError, ValueError, zlib.error):
                raise CorrectionError(
                    "the journal is damaged: a change in it cannot be understood."
                ) from None


def _change_in(event: Event, grid: Grid) -> Change:
    change = Change.from_json(event["change"])
    if not (change.box.empty or grid.box.contains(change.box)):
        raise ValueError("a change lies outside the image")
    return change


def _edit_of(event: Event, history: EditHistory) -> Edit:
    clicks = tuple(Click(tuple(c["ras"]), ClickKind(c["kind"])) for c in event["clicks"])
    change, numbers = Change.from_json(event["change"]), history.next_numbers(len(clicks))
    return Edit(clicks, event["round"], change, event["milliseconds"], numbers=numbers)


def _removal_of(event: Event, history: EditHistory) -> Edit:
    number = event["click"]
    click = next(
        c for edit in history.done for n, c in zip(edit.numbers, edit.clicks, strict=False) if n == number
    )
    change = Change.from_json(event["change"])
    return Edit((), event["round"], change, event["milliseconds"], (click,), (number,))


def _click_json(click: Click) -> Event:
    return {"ras": [float(v) for v in click.position_ras], "kind": click.kind.value}


def _check_ours(path: Path, start: int, content: bytes) -> None:
    """Refuse to write over whole lines that another program added; half a line is what a crash left."""
    beyond = path.read_bytes()[start:]
    if b"\n" in beyond and not content.startswith(beyond):
        raise CorrectionError(
            f"the journal {path} was continued by somebody else, so nothing was changed; open the case anew."
        )


def _read(path: Path) -> str:
    check_file(path, CorrectionError)
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise CorrectionError(f"the journal {path} cannot be read; name another.") from None


def _line(event: Event) -> str:
    return json.dumps(event) + "\n"


def _write_whole(file: io.FileIO, content: bytes) -> None:
    while content:
        content = content[file.write(content) :]
    os.fsync(file.fileno())
