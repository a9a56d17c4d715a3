"""A worklist of small cases, worked on by a reader who clicks, with the truth in place of the networks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.inference import examples, learning
from VSClickCorrectLib.inference.examples import BUILTIN, BUILTIN_BOXES
from VSClickCorrectLib.io.images import write_mask, write_volume
from VSClickCorrectLib.io.shipped import shipped_folder
from VSClickCorrectLib.jobs import adaptation, lessons
from VSClickCorrectLib.jobs.accepted_case import AcceptedWork
from VSClickCorrectLib.jobs.learning_task import AcceptedCase
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectLib.session.oracle import Oracle
from VSClickCorrectLib.worklist.worklist import Worklist
from VSClickCorrectResearch.simulation.user import border_clicks

_FEW_PLACES, _FEW_SAMPLES = 2, slice(16, 32)


def write_cases(folder, small, start, count):
    """Write cases that differ a little, so that no two have the same voxels."""
    rng = np.random.default_rng(0)
    for number in range(1, count + 1):
        case = folder / f"case{number}"
        case.mkdir(parents=True)
        noise = rng.integers(0, 60, small.grid.shape, np.int16)
        write_volume(case / "T1ce.nii.gz", Volume(small.t1ce.array + noise, small.grid))
        write_volume(case / "T2.nii.gz", small.t2)
        write_mask(case / "mask.nii.gz", start, small.grid)
    return folder


def short_courses(monkeypatch, steps):
    """Let every network learn in so many steps."""
    for role, course in learning.COURSES.items():
        monkeypatch.setitem(learning.COURSES, role, replace(course, steps=steps))


def write_few_builtin(folder):
    """Write a few of the examples that ship, boxes with few samples, and return the folder."""
    for name, part in ((BUILTIN, slice(None)), (BUILTIN_BOXES, _FEW_SAMPLES)):
        with np.load(shipped_folder("models") / name) as arrays:
            told = dict(arrays)
        kinds = (np.flatnonzero(told["held_out"] == held_out) for held_out in (False, True))
        places = np.sort(np.concatenate([numbers[:_FEW_PLACES] for numbers in kinds]))
        which = np.isin(told["place"], places)
        told["images"] = told["images"][places][..., part, part, part]
        told["cuts"] = told["cuts"][which][..., part, part, part]
        told["place"] = np.searchsorted(places, told["place"][which])
        told["held_out"] = told["held_out"][places]
        np.savez(folder / name, **told)
    return folder


def few_builtin(monkeypatch, folder):
    """Let those that `write_few_builtin` wrote be the built-in ones, and boxes of cases be as small."""
    monkeypatch.setattr(examples, "BUILTIN", str(folder / BUILTIN))
    monkeypatch.setattr(lessons, "BUILTIN_BOXES", str(folder / BUILTIN_BOXES))
    monkeypatch.setattr(lessons, "TAUGHT_SAMPLES", _FEW_SAMPLES.stop - _FEW_SAMPLES.start)


def taught_once(monkeypatch, remembered):
    """Read cases that stay as they are once, and work out once what they teach each network.

    Parameters
    ----------
    monkeypatch : pytest.MonkeyPatch
        Of the test.
    remembered : dict
        Where it is kept, for all tests that read the same cases.
    """

    def named(asked):
        if isinstance(asked, AcceptedCase):
            return repr(asked)
        return id(asked) if isinstance(asked, AcceptedWork) else asked.entry.sha256

    def once(function):
        def answer(*asked):
            key = (function.__qualname__, *map(named, asked))
            if key not in remembered:
                # What was asked is kept, too: no other object is to get its id.
                remembered[key] = function(*asked), asked
            return remembered[key][0]

        return answer

    functions = [(adaptation, "read_accepted")]
    for lesson in (lessons.InitialLesson, lessons.CorrectorLesson):
        functions += [(lesson, "taught_by"), (lesson, "scored_by")]
    for owner, name in functions:
        monkeypatch.setattr(owner, name, once(getattr(owner, name)))


def worklist_of(folder, output):
    """Open a worklist for AB."""
    return Worklist.open(folder, output, "AB")


def clicked(worklist, name, small, clicks=2):
    """Open a case and click; return the session."""
    worklist.go_to(name)
    case = worklist.opened.load()
    mask = ArrayMask(case.grid, worklist.opened.saved_mask(case.grid, case))
    session = CorrectionSession(case, mask, Oracle(small.truth), journal=worklist.opened.journal())
    for click in border_clicks(case.grid, small.truth, mask.values, clicks):
        session.apply(Click(click.position_ras, click.kind))
    worklist.update(clicks=len(session.clicks))
    return session


def accept(worklist, name, small, clicks=2):
    """Correct a case by clicks and call it done."""
    session = clicked(worklist, name, small, clicks)
    worklist.done(session.mask.values, session.case.grid)
    return session
