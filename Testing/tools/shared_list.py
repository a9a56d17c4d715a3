"""A worklist that two people share for many days, and whether all that they were told is there at night."""

from __future__ import annotations

import csv
import json
import math
import multiprocessing
import os
import random
import signal
import socket
import time
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from operator import itemgetter
from pathlib import Path

import numpy as np
from annotator import GRID, SHAPE, Annotator, Day, digest, signature, signed, told
from volume_files import written
from VSClickCorrectLib.errors import VSClickError
from VSClickCorrectLib.io.images import read_mask
from VSClickCorrectLib.session.journal import Journal, history_of
from VSClickCorrectLib.session.start_mask import restored
from VSClickCorrectLib.worklist.locks import STALE_S
from VSClickCorrectLib.worklist.worklist import Worklist

CASES = 4
# A day that takes so long hangs.
LONGEST_S = 90.0
SHARES = (0.0, 0.002, 0.005, 0.02)
NAMES = [f"patient-{number}" for number in range(CASES)]
MAY_REOPEN = ("click", "undo", "redo", "remove", "paint", "keep")
FORK = multiprocessing.get_context("fork")


@dataclass
class Told:
    """What was told of a case: events by their places in the journal, and what must hold of the rest of it.

    None stands for what is not certain, because a step that would change it was cut short.
    """

    placed: list = field(default_factory=list)
    comment: str | None = ""
    label: str | None = None
    labelled: bool = False
    state: str | None = None
    clicked: bool = False

    @property
    def events(self):
        """In the order of the journal."""
        return [event for _, event in self.placed]


@dataclass
class _Person:
    """A process at work, and after how many steps told it is to be killed."""

    child: object
    pipe: object
    steps: float


@dataclass
class Counts:
    """How much was tried."""

    days: int = 0
    kills: int = 0
    faults: int = 0
    refused: int = 0
    lost: int = 0
    events: int = 0
    records: int = 0
    labels: int = 0


class SharedList:
    """A list of cases in a folder, and what its annotators were told.

    Parameters
    ----------
    folder : Path
        Empty.
    seed : int
        Decides everything but the moments at which processes are killed and take turns.

    Attributes
    ----------
    counts : Counts
        What was tried.
    diary : list of str
        What was told on the last day.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.counts = Counts()
        self.diary = []
        self._chance = random.Random(seed)
        self._told = {name: Told() for name in NAMES}
        _write_cases(folder)

    def day(self):
        """Let both work for a day, some of them killed; return what is wrong in the evening."""
        over = set()
        wrong = self._work(over)
        self._night()
        facts = _apart(evening, self.folder)
        if isinstance(facts, str):
            return [*wrong, facts]
        self.counts.days += 1
        for name in NAMES:
            wrong += [f"{name}: {what}" for what in differences(self._told[name], facts[name])]
        return wrong

    def _work(self, over):
        people = [self._begin("AB", 3600.0), self._begin("CD", 0.0)]
        messages, end = [], time.monotonic() + LONGEST_S
        while people and time.monotonic() < end:
            ready = wait([person.pipe for person in people], timeout=1.0)
            for person in [person for person in people if person.pipe in ready]:
                if not _receive(person, messages):
                    person.child.join()
                    people.remove(person)
                elif person.steps <= 0:
                    # Somewhere amid the next step.
                    time.sleep(self._chance.uniform(0.0, 0.02))
                    self._kill(person)
                    self.counts.kills += 1
        for person in people:
            self._kill(person)
        wrong = ["a day that does not end" for _ in people]
        return wrong + self._follow(sorted(messages, key=lambda message: message[0]), over)

    def _begin(self, who, clock):
        day = Day(who, self.folder, self._chance.randrange(1 << 30), self._chance.choice(SHARES), clock)
        receiver, sender = FORK.Pipe(duplex=False)
        child = FORK.Process(target=_run, args=(day, sender))
        child.start()
        sender.close()
        killed = self._chance.random() < 0.6
        return _Person(child, receiver, self._chance.randint(1, 80) if killed else math.inf)

    def _kill(self, person):
        os.kill(person.child.pid, signal.SIGKILL)
        person.steps = math.inf

    def _night(self):
        """Let ten minutes pass, after which nobody counts as there who does not say so."""
        for lock in (self.folder / "out" / "sourcedata" / "worklist").glob("*.lock"):
            then = time.time() - STALE_S - 60
            os.utime(lock, (then, then))

    def _follow(self, messages, over):
        wrong = []
        self.diary = [" ".join(map(str, message))[:240] for message in messages]
        for _, who, step, case, outcome, detail in messages:
            if outcome == "fault":
                wrong.append(f"{who}: {detail}")
            elif step == "faults":
                self.counts.faults += detail
            elif outcome == "refused":
                self.counts.refused += 1
            elif outcome == "lost":
                self.counts.lost += 1
                if case not in over:
                    wrong.append(f"{who} lost {case}, which nobody had taken over: {detail}")
            elif case:
                self._note(self._told[case], step, outcome, detail)
                over |= {case} if step == "take over" else set()
        return wrong

    def _note(self, said, step, outcome, detail):
        done = outcome == "done"
        if step == "comment":
            said.comment = detail[0] if done else None
            self.counts.records += done
        if step == "done":
            said.label = detail[0] if done else None
            said.state = "done" if done else None
            said.labelled = said.labelled or done
            said.clicked = False
            self.counts.labels += done
        if step == "skip":
            said.comment = "unclear" if done else None
            said.label, said.labelled, said.clicked = None, False, False
            said.state = "skipped" if done else None
        if step in MAY_REOPEN:
            said.state = None
        if step in ("click", "undo", "redo", "remove"):
            # A click that changes nothing leaves a case as it was.
            flips = done and any(event.get("change", {}).get("voxels") for _, event in detail[1])
            said.clicked = done and step == "click" and (flips or said.clicked)
        if done:
            said.placed = sorted([*said.placed, *detail[1]], key=itemgetter(0))
            self.counts.events += len(detail[1])


def differences(said, fact):
    """Return in what a case differs in the evening from what was told of it."""
    record, wrong = fact["record"], list(fact["wrong"])
    if not is_within(said.events, fact["events"]):
        wrong.append(f"of {len(said.events)} events that were told some are missing in {len(fact['events'])}")
    if said.comment is not None and record["comment"] != said.comment:
        wrong.append(f"the comment is {record['comment']!r} and not {said.comment!r}")
    if said.state is not None and record["state"] != said.state:
        wrong.append(f"it is {record['state']} and not {said.state}")
    if said.label is not None and fact["label"] != said.label:
        wrong.append("its label is another one than was told")
    if said.labelled and fact["label"] is None:
        wrong.append("its label is gone")
    if said.clicked and record["state"] in ("done", "todo"):
        wrong.append(f"it is {record['state']} although somebody has clicked since")
    return wrong


def is_within(few, many):
    """Whether all events stand among others in their order."""
    rest = iter(many)
    return all(event in rest for event in few)


def evening(folder):
    """Return what is there of each case, and what is wrong with it whatever was told."""
    socket.gethostname = lambda: "computer-of-nobody"
    worklist = Worklist.open(folder / "cases.csv", folder / "out", "nobody")
    with (folder / "out" / "summary.csv").open(newline="", encoding="utf-8") as stream:
        table = {row["case"]: row for row in csv.DictReader(stream)}
    left = [path.name for path in (folder / "out").rglob("*.damaged")]
    facts = {}
    for number, name in enumerate(NAMES):
        try:
            facts[name] = _looked_at(worklist, number, name)
        except VSClickError as error:
            facts[name] = {
                "record": {"comment": None, "state": "?"},
                "events": [],
                "label": None,
                "wrong": [],
            }
            facts[name]["wrong"].append(f"it cannot be opened: {error}")
        facts[name]["wrong"] += [f"{file} was taken for damaged" for file in left]
        if table[name]["state"] != facts[name]["record"]["state"]:
            facts[name]["wrong"].append(f"the table calls it {table[name]['state']}")
    return facts


def _looked_at(worklist, number, name):
    wrong = []
    record = worklist.record(name)
    label_path = worklist.label_path(name)
    label = read_mask(label_path, GRID) if label_path.exists() else None
    worklist.go_to(name)
    events = Journal(worklist.opened.journal_path).events
    saved = worklist.opened.saved_mask(GRID)
    if events and not np.array_equal(saved, restored(events, GRID)):
        wrong.append("the mask is another one than its journal gives")
    for what, values in (("mask", saved), ("label", label)):
        signs = [n for n in range(CASES) if values is not None and values[signature(n)].any()]
        if values is not None and signs != [number]:
            wrong.append(f"its {what} is that of {signs}")
    edits = history_of(events)[0].done
    clicks = sum(len(edit.clicks) - len(edit.removed) for edit in edits)
    if worklist.record(name).state.value == "in work" and worklist.record(name).clicks != clicks:
        wrong.append(f"its record tells of {worklist.record(name).clicks} clicks, its journal of {clicks}")
    # Clicks that change nothing leave it as it was.
    if record.state.value == "todo" and clicks and any(not edit.change.box.empty for edit in edits):
        wrong.append(f"it is to do with {clicks} clicks")
    if record.state.value == "done":
        wrong += _labelled(label_path, record, events, saved, label)
    worklist.close()
    return {
        "record": record.to_json(),
        "events": [told(event) for event in events],
        "label": None if label is None else digest(label),
        "wrong": wrong,
    }


def _labelled(path, record, events, saved, label):
    """Yield what is wrong with the label of a case that is done."""
    if label is None:
        return
    sidecar = json.loads(path.with_name(path.name.replace(".nii.gz", ".json")).read_text("utf-8"))
    said, known = sidecar["VSClickCorrect"], record.to_json()
    for name in ("case", "clicks", "rounds", "events", "state", "comment"):
        if said[name] != known[name]:
            yield f"its sidecar says {name} {said[name]}, its record {known[name]}"
    if len(events) == record.events and not np.array_equal(saved, label):
        yield "its label is another mask than the one that was saved"


def _write_cases(folder):
    image = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(("case", "t1ce", "mask"))
        for number, name in enumerate(NAMES):
            (folder / name).mkdir()
            written(folder / name / "T1ce.nii.gz", image + number, GRID)
            written(folder / name / "mask.nii.gz", signed(number).astype(np.uint8), GRID)
            table.writerow((name, f"{name}/T1ce.nii.gz", f"{name}/mask.nii.gz"))


def _receive(person, messages):
    """Take what is in a pipe; return whether more may come."""
    try:
        while person.pipe.poll():
            messages.append(person.pipe.recv())
            person.steps -= 1
    except (EOFError, OSError):
        return False
    return True


def _run(day, pipe):
    Annotator(day, pipe).work()


def _apart(function, *arguments):
    """Return what a function returns in a process of its own, or a sentence if that does not end."""
    receiver, sender = FORK.Pipe(duplex=False)
    child = FORK.Process(target=_send, args=(function, arguments, sender))
    child.start()
    sender.close()
    try:
        return receiver.recv() if receiver.poll(LONGEST_S) else "an evening that does not end"
    except EOFError:
        return "the evening ended in a traceback"
    finally:
        child.kill()
        child.join()


def _send(function, arguments, pipe):
    pipe.send(function(*arguments))
