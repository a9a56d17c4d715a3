"""The journal: every event of a session as a line of JSON, written before it is reported done."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.mask import Mask
from VSClickCorrectLib.errors import CorrectionError, DamagedJournalError, LockLostError, VSClickError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.io.files import write_text
from VSClickCorrectLib.session.chain import FORMAT, Event, JournalPoint, damaged, new_line, read_lines
from VSClickCorrectLib.session.edit import Change, Edit
from VSClickCorrectLib.session.history import EditHistory
from VSClickCorrectLib.session.journal_file import JournalFile

Guard = Callable[[], object]
_MOVED = (
    "the image lies elsewhere than when its journal began; put it back where it was (in Slicer by its "
    "transform), or begin anew with a copy of the segment in another segmentation."
)


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
        If an existing journal cannot be read, or is not as it was written.
    """

    def __init__(self, path: Path | None = None, text: str = "", guard: Guard = lambda: None) -> None:
        self._guard = guard
        self._file = JournalFile(path) if path is not None else None
        self._lines = read_lines(text).lines if self._file is None else self._file.read()
        self.events: list[Event] = [line.event for line in self._lines]

    @property
    def in_file(self) -> bool:
        """Whether it is kept in a file, event by event."""
        return self._file is not None

    @property
    def text(self) -> str:
        """The whole journal as JSON Lines."""
        return self.lines_after(0)

    @property
    def point(self) -> JournalPoint:
        """Where the journal is now, for what is kept of the mask to name."""
        return JournalPoint(len(self._lines), self._lines[-1].checksum) if self._lines else JournalPoint()

    def position(self, point: JournalPoint) -> int | None:
        """Return how many of the events a mask holds that was kept at a point.

        Returns
        -------
        int or None
            None if the journal does not contain the point: it is another one, or has lost its end.
        """
        for number in range(len(self.events), 0, -1):
            if self.events[number - 1].get("since") == point.to_json():
                return number
        if point.events > len(self._lines):
            return None
        known = self._lines[point.events - 1].checksum if point.events else ""
        return point.events if point.checksum in ("", known) else None

    def lines_after(self, count: int) -> str:
        """Return all but the first ``count`` lines, so that keeping a copy costs only what is new."""
        return "".join(line.text + "\n" for line in self._lines[count:])

    def append(self, event: Event) -> None:
        """Add an event; when this returns, it is on the disk.

        Raises
        ------
        CorrectionError
            If the file cannot be written. The event is not part of the journal then, nor if the guard raises.
        LockLostError
            If somebody took the case over meanwhile, who may have read the file before the event was in it.
        """
        self._guard()
        line = new_line(event, self._lines)
        if self._file is not None:
            self._file.append(line.text + "\n", lambda: self.text)
            self._check_not_lost()
        self._lines.append(line)
        self.events.append(event)

    def save(self, path: Path) -> None:
        """Write the whole journal to a file, which appears whole or not at all.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        write_text(path, self.text)

    def _check_not_lost(self) -> None:
        try:
            self._guard()
        except LockLostError:
            raise
        except VSClickError:
            pass  # the event is on the disk, and the next one is told


def session_event(
    grid: Grid,
    model: str,
    merge: str,
    start: dict[str, Any],
    case: Case | None = None,
    since: JournalPoint | None = None,
) -> Event:
    """Return the first line of a session: on what images and mask, with which corrector and merge.

    Parameters
    ----------
    grid : Grid
        The mask's.
    model, merge : str
        Name and hash of the corrector's model, and the name of the merge.
    start : dict
        What `session.start_mask.start_json` says of the mask; older journals lack it.
    case : Case, optional
        The images, whose fingerprints the event tells.
    since : JournalPoint, optional
        The point, of another journal or one that has been lost, at which the mask was kept.
    """
    event = {
        "event": "session",
        "format": FORMAT,
        "id": uuid4().hex,
        "grid": {"shape": list(grid.shape), "ijk_to_ras": np.round(grid.affine, 6).tolist()},
        "model": model,
        "merge": merge,
        "start": start,
    }
    if case is not None:
        event["images"] = case.fingerprints()
    if since is not None:
        event["since"] = since.to_json()
    return event


def edit_event(edit: Edit, model: str, merge: str) -> Event:
    """Return the line of an edit: of clicks, of a click that is taken back, or of a step by hand.

    A click that is taken back is known by its number. A step by hand can be undone, unlike other painting.
    """
    added, removed = edit.change.count
    effect = {
        "voxels_added": added,
        "voxels_removed": removed,
        "milliseconds": round(edit.milliseconds, 2),
        "change": edit.change.to_json(),
    }
    if edit.tool:
        return {"event": "tool", "tool": edit.tool, "round": edit.round, **effect}
    if edit.removed:
        (number,), (click,) = edit.numbers, edit.removed
        return {"event": "remove", "round": edit.round, "click": number, **_click_json(click), **effect}
    clicks = list(map(_click_json, edit.clicks))
    told = {"event": "edit", "round": edit.round, "clicks": clicks, "model": model, "merge": merge}
    return {**told, **effect}


def change_event(name: str, change: Change) -> Event:
    """Return the line of an undo or a redo, or of painting by hand: what it flipped."""
    return {"event": name, "change": change.to_json()}


def round_event(number: int) -> Event:
    """Return the line by which a round begins."""
    return {"event": "round", "round": number}


def session_start(events: Sequence[Event]) -> int:
    """Return where the session begins that counts, the last one: the place of its event, 0 without one."""
    return max((n for n, event in enumerate(events) if event["event"] == "session"), default=0)


def session_of(events: Sequence[Event]) -> Event:
    """Return the event with which the session begins that counts; empty without one."""
    event = events[session_start(events)] if events else {}
    return event if event.get("event") == "session" else {}


def check_grid(events: Sequence[Event], grid: Grid) -> None:
    """Raise `CorrectionError` if a journal belongs to an image on another grid."""
    session = session_of(events)
    if session and not _recorded_grid(session).matches(grid):
        raise CorrectionError("the journal belongs to another image; choose the one of this case.")


def check_case(events: Sequence[Event], case: Case) -> None:
    """Raise `CorrectionError` if a journal belongs to other images, be they on the same grid.

    The T1ce decides, or the T2 where either has no T1ce: beside a T1ce the T2 may have been registered or
    resampled anew. An image may have been called T1ce then and T2 now. Journals of earlier versions tell the
    grid alone.

    Parameters
    ----------
    events : sequence of dict
        The journal's events.
    case : Case
        The images at hand.
    """
    told = session_of(events).get("images")
    known = told if isinstance(told, dict) else {}
    try:
        check_grid(events, case.grid)
    except CorrectionError:
        if case.reference.fingerprint in known.values():
            raise CorrectionError(_MOVED) from None
        raise
    if told is None:
        return
    decides = next((name for name in case.present if name in known), next(iter(case.present)))
    if case.present[decides].fingerprint not in known.values():
        raise CorrectionError(
            "the journal belongs to another image on the same grid; choose the one of this case."
        )


def _recorded_grid(event: Event) -> Grid:
    try:
        return Grid(tuple(event["grid"]["shape"]), np.array(event["grid"]["ijk_to_ras"]))
    except (VSClickError, IndexError, KeyError, OverflowError, TypeError, ValueError):
        raise DamagedJournalError(
            "the journal does not say on which image it was kept; it may be damaged."
        ) from None


def history_of(events: Sequence[Event]) -> tuple[EditHistory, int]:
    """Rebuild what can be undone and redone, and the current round.

    Raises
    ------
    CorrectionError
        If an event cannot follow those before it.
    """
    history, current = EditHistory(), 1
    for number, event in enumerate(events, start=1):
        try:
            if event["event"] == "session":
                history, current = EditHistory(), 1
            current = _follow(history, current, event)
        except (VSClickError, AttributeError, IndexError, KeyError, StopIteration, TypeError, ValueError):
            raise damaged(number) from None
    return history, current


def clicks_of(events: Sequence[Event]) -> tuple[int, int]:
    """Return how many clicks stand by a journal, and its round; raises `CorrectionError` if it is damaged."""
    history, rounds = history_of(events)
    return sum(len(edit.clicks) - len(edit.removed) for edit in history.done), rounds


def holds_work(events: Sequence[Event]) -> bool:
    """Return whether clicks stand by a journal, or what a hand has painted; raises as `clicks_of`."""
    history, _ = history_of(events)
    painted = any(edit.tool for edit in history.done) or any(event["event"] == "paint" for event in events)
    return painted or clicks_of(events)[0] > 0


def _follow(history: EditHistory, current: int, event: Event) -> int:
    """Let one event act on the history; return the round after it."""
    if event["event"] == "round":
        return event["round"]
    if event["event"] in ("edit", "remove", "tool"):
        history.push(_edit_of(event, history))
    elif event["event"] == "undo":
        history.note_undo(Change.from_json(event["change"]))
    elif event["event"] == "redo":
        history.note_redo(Change.from_json(event["change"]))
    return current


def replay(events: Sequence[Event], mask: Mask) -> None:
    """Do everything again that a journal records, on the mask with which its session began.

    Raises
    ------
    CorrectionError
        If a change is damaged.
    """
    for event in events:
        if "change" in event:
            try:
                _change_in(event, mask.grid).overwrite(mask)
            except (VSClickError, IndexError, KeyError, OverflowError, TypeError, ValueError, zlib.error):
                raise DamagedJournalError(
                    "the journal is damaged: a change in it cannot be understood."
                ) from None


def _change_in(event: Event, grid: Grid) -> Change:
    change = Change.from_json(event["change"])
    if not (change.box.empty or grid.box.contains(change.box)):
        raise ValueError("a change lies outside the image")
    return change


def _edit_of(event: Event, history: EditHistory) -> Edit:
    edit = Edit((), event["round"], Change.from_json(event["change"]), event["milliseconds"])
    if event["event"] == "tool":
        return replace(edit, tool=str(event["tool"]))
    if event["event"] == "remove":
        number = event["click"]
        known = (pair for one in history.done for pair in zip(one.numbers, one.clicks, strict=False))
        return replace(edit, removed=(next(c for n, c in known if n == number),), numbers=(number,))
    clicks = tuple(Click(tuple(c["ras"]), ClickKind(c["kind"])) for c in event["clicks"])
    return replace(edit, clicks=clicks, numbers=history.next_numbers(len(clicks)))


def _click_json(click: Click) -> Event:
    return {"ras": [float(v) for v in click.position_ras], "kind": click.kind.value}
