"""Somebody who works on a shared worklist for a day, in a process of their own that may be killed."""

from __future__ import annotations

import hashlib
import random
import socket
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import numpy as np
from faulty_drive import FaultyDrive
from session_doubles import BOUNDARY, EXCLUDE, INCLUDE, BlockCorrector, click_at, with_blocks
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.errors import LockLostError, VSClickError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectLib.session.journal import Journal
from VSClickCorrectLib.session.start_mask import fingerprint_of
from VSClickCorrectLib.worklist import open_case, records
from VSClickCorrectLib.worklist.worklist import Worklist

SHAPE = (8, 24, 24)
GRID = Grid(SHAPE, np.diag([-1.0, -1.0, 2.0, 1.0]))
TRUTH = with_blocks(SHAPE, ((2, 6), (9, 17), (9, 17)))
# Clicks and paint keep away from the rows in which each case is signed.
FREE_ROWS = range(6, SHAPE[1])
KINDS = ("click",) * 6 + ("paint", "undo", "redo", "remove", "round", "comment", "keep")


def signed(number):
    """The mask with which a case begins: somewhere beside the tumour, and marked as this case's."""
    values = with_blocks(SHAPE, ((2, 6), (10, 19), (7, 15)))
    values[signature(number)] = True
    return values


def signature(number):
    """The voxels by which a case's mask is known."""
    return slice(None), 0, 2 * number


def told(event):
    """What of an event must be found in the journal."""
    return {key: event[key] for key in ("event", "round", "clicks", "click", "change") if key in event}


def digest(values):
    """A mask's hash."""
    return hashlib.sha256(np.packbits(values).tobytes()).hexdigest()


@dataclass(frozen=True)
class Day:
    """How somebody's day goes: who, where, which seed, how often the drive fails, how wrong the clock is."""

    who: str
    folder: object
    seed: int
    share: float
    clock: float = 0.0


class Annotator:
    """Does a day's work and tells of each step before it begins and once it is done or refused.

    Parameters
    ----------
    day : Day
        How it goes.
    pipe : Connection
        Gets ``(time, who, step, case, outcome, detail)``; the outcome is ``begun``, ``done``, ``refused``
        or ``lost``.
    """

    def __init__(self, day, pipe) -> None:
        self._day = day
        self._pipe = pipe
        self._chance = random.Random(day.seed)
        self._worklist = None

    def work(self):
        """Work until the day is over; what the program does not expect is told as a fault."""
        _set_clock(self._day.clock)
        socket.gethostname = lambda: f"computer-of-{self._day.who}"
        drive = FaultyDrive(self._day.folder, random.Random(self._day.seed + 1), self._day.share)
        try:
            with drive.attached():
                self._work()
        except Exception:  # noqa: BLE001, whatever it is, it is what is looked for
            self._tell("fault", "", "fault", traceback.format_exc())
        self._tell("faults", "", "done", drive.faults)

    def _work(self):
        while self._worklist is None:
            self._worklist = self._try("open", "", self._open)
        self._on_case(self._try("resume", "", self._worklist.resume))
        for _ in range(self._chance.randint(2, 5)):
            self._on_case(self._choose())
        self._try("close", self._name, self._worklist.close)

    def _open(self):
        return Worklist.open(self._day.folder / "cases.csv", self._day.folder / "out", self._day.who)

    def _choose(self):
        worklist, case = self._worklist, self._chance.choice(self._worklist.cases)
        over = self._chance.random() < 0.8
        step = self._chance.choice(("next", "next", "previous", "go to", "go to"))
        if step != "go to":
            return self._try(step, "", getattr(worklist, step))
        return self._try("take over" if over else "go to", case.name, lambda: worklist.go_to(case.name, over))

    def _on_case(self, case):
        if case is None or self._worklist.current is not case:
            return
        session = self._begin(case)
        if session is None:
            return
        for _ in range(self._chance.randint(0, 8)):
            if not self._act(session, case.name):
                return
        self._finish(session, case.name)

    def _begin(self, case):
        """Read the case and begin to correct it, as the user interfaces do."""
        worklist = self._worklist
        try:
            images = worklist.opened.load()
            values = worklist.opened.saved_mask(images.grid, images)
            journal = Journal(worklist.opened.journal_path, guard=worklist.opened.check_held)
        except VSClickError as error:
            why = error
            self._try("give up", case.name, lambda: worklist.give_up(why))
            return None
        mask, corrector = ArrayMask(images.grid, values), BlockCorrector(TRUTH | values, (1, 3, 3))
        return self._try(
            "begin", case.name, lambda: CorrectionSession(images, mask, corrector, journal=journal), journal
        )

    def _act(self, session, name):
        """Do one thing; return whether the case can be gone on with."""
        what = self._chance.choice(KINDS)
        if what == "comment":
            text = f"{self._day.who} {self._chance.random()}"
            return (
                self._try("comment", name, lambda: self._worklist.update(comment=text), detail=text) != "lost"
            )
        if what == "keep":
            return self._try("keep", name, lambda: self._keep(session, name), session.journal) != "lost"
        outcome = self._try(what, name, lambda: self._edit(session, what), session.journal)
        return outcome is not None

    def _edit(self, session, what):
        if what == "undo" and session.history.done:
            session.undo()
        elif what == "redo" and session.history.undone:
            session.redo()
        elif what == "remove" and session.standing:
            session.remove(self._chance.choice(session.standing))
        elif what == "round":
            session.next_round()
        elif what == "paint":
            self._paint(session.mask)
            session.note_painting()
        else:
            session.apply(click_at(GRID, self._voxel(), self._chance.choice((BOUNDARY, INCLUDE, EXCLUDE))))
        self._worklist.update(
            clicks=len(session.clicks),
            rounds=session.round,
            models=[session.corrector.identity],
            mask=fingerprint_of(session.mask),
        )
        return "edited"

    def _finish(self, session, name):
        how = self._chance.choice(("done", "done", "keep", "leave", "skip", "close"))
        if how == "done":
            label = digest(session.mask.values)
            self._try("done", name, lambda: self._done(session, name), session.journal, label)
        elif how == "keep":
            self._try("keep", name, lambda: self._keep(session, name), session.journal)
        elif how == "skip" and self._chance.random() < 0.4:
            self._try("skip", name, lambda: self._worklist.skip("unclear"))
        elif how == "close":
            self._try("close", name, self._worklist.close)

    def _keep(self, session, name):
        session.note_painting()
        self._worklist.opened.keep(session.mask.values, session.case.grid, name)

    def _done(self, session, name):
        session.note_painting()
        self._worklist.done(session.mask.values, session.case.grid, name)

    def _voxel(self):
        return (
            self._chance.randrange(SHAPE[0]),
            self._chance.choice(FREE_ROWS),
            self._chance.randrange(SHAPE[2]),
        )

    def _paint(self, mask):
        k, j, i = self._voxel()
        box = Box((k, j, i), (k + 1, j + 3, i + 3)).clipped(SHAPE)
        mask.write(box, np.full(box.shape, self._chance.random() < 0.5))

    @property
    def _name(self):
        return self._worklist.current.name if self._worklist.current is not None else ""

    def _try(self, step, case, action, journal=None, detail=None):
        """Do something; return what comes of it, ``lost`` if the case is not ours, None if it is refused."""
        before = len(journal.events) if journal is not None else 0
        self._tell(step, case, "begun", detail)
        try:
            result = action()
        except LockLostError as error:
            self._tell(step, case, "lost", str(error))
            with suppress(VSClickError):
                self._worklist.close()
            return "lost" if step in ("comment", "keep") else None
        except VSClickError as error:
            self._tell(step, case, "refused", str(error))
            return None
        # Each with its place in the journal: who takes a case over may tell before the other has told.
        events = list(enumerate(map(told, journal.events[before:]), before)) if journal is not None else []
        self._tell(step, case, "done", (detail, events))
        return result

    def _tell(self, step, case, outcome, detail):
        self._pipe.send((time.monotonic_ns(), self._day.who, step, case, outcome, detail))


def _set_clock(seconds):
    """Let this process's clock be wrong."""
    really = time.time
    time.time = lambda: really() + seconds

    def now():
        return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).isoformat(timespec="seconds")

    records.now = open_case.now = now
