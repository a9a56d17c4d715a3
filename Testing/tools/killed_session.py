"""A scripted session in a process that is killed, and what must be left of it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import signal
import time
from dataclasses import dataclass

import numpy as np
from session_doubles import OracleCorrector, case_on, click_at, with_blocks
from VSClickCorrectLib.clicks.click import ClickKind
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectLib.session.journal import Journal

SHAPE = (12, 40, 40)
GRID = Grid(SHAPE, np.diag([-1.0, -1.0, 2.0, 1.0]))
TRUTH = with_blocks(SHAPE, ((4, 9), (12, 25), (12, 25)))
START = with_blocks(SHAPE, ((3, 8), (15, 29), (10, 22)), ((1, 3), (33, 37), (3, 8)))
ACTIONS = 150
KINDS = ("click",) * 6 + ("together", "paint", "undo", "undo", "redo", "remove", "round")


@dataclass(frozen=True)
class Kill:
    """What a killed process had told, and when it was killed.

    Parameters
    ----------
    told : int
        Events of the journal at the last action that was reported done.
    seconds : float
        From the first action to the kill.
    """

    told: int
    seconds: float


def session_on(journal):
    """The session that the script drives."""
    return CorrectionSession(case_on(GRID), ArrayMask(GRID, START), OracleCorrector(TRUTH), journal=journal)


def actions(session):
    """Click, paint, undo, redo, take back and begin rounds, in an order that is always the same."""
    chance = random.Random(3)
    for _ in range(ACTIONS):
        what = chance.choice(KINDS)
        if what == "undo" and session.history.done:
            session.undo()
        elif what == "redo" and session.history.undone:
            session.redo()
        elif what == "remove" and session.standing:
            session.remove(chance.choice(session.standing))
        elif what == "round":
            session.next_round()
        elif what == "paint":
            _paint(chance, session.mask)
            session.note_painting()
        elif what == "together":
            _apply(session, [_click(chance) for _ in range(3)])
        else:
            _apply(session, [_click(chance)])
        yield


def states():
    """The mask after each number of events in the journal."""
    session = session_on(Journal())
    found = {len(session.journal.events): session.mask.values.copy()}
    for _ in actions(session):
        found[len(session.journal.events)] = session.mask.values.copy()
    return found


def killed(path, seconds):
    """Run the script with a journal in a file, in a process that is killed so long after its first action."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_run, args=(path, sender))
    child.start()
    sender.close()
    told = receiver.recv()
    time.sleep(seconds)
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    try:
        while True:
            told = receiver.recv()
    except EOFError:
        return Kill(told, seconds)


def _run(path, pipe):
    session = session_on(Journal(path))
    for _ in actions(session):
        pipe.send(len(session.journal.events))
    time.sleep(60)


def _apply(session, clicks):
    # A boundary click too far from any border is refused; it is so in every run.
    with contextlib.suppress(CorrectionError):
        session.apply_together(clicks)


def _click(chance):
    voxel = tuple(chance.randrange(n) for n in SHAPE)
    return click_at(GRID, voxel, chance.choice(list(ClickKind)))


def _paint(chance, mask):
    start = tuple(chance.randrange(n - 3) for n in SHAPE)
    box = Box(start, tuple(a + 3 for a in start))
    mask.write(box, np.full(box.shape, chance.random() < 0.5))
