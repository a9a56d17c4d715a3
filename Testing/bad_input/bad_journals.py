"""Bad journals of a correction."""

from __future__ import annotations

import base64
import zlib

import SimpleITK as sitk
from bad_case import BadInput, Room
from written_journals import chained, events_of

TITLE = "Journals"


def _journal(change):
    """Resume from what a function makes of the good journal's events."""

    def make(room: Room):
        events = events_of(room.good.journal.read_text())
        change(events)
        return room.resume(room.file("journal.jsonl", chained(events)))

    return make


def _lines(change):
    return _bytes(lambda content: b"".join(change(content.splitlines(keepends=True))))


def _flipped(content: bytes) -> bytes:
    """Turn one bit, in the voxels of the first click."""
    place = content.rindex(b'"voxels": "') + 20
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def _of_another_patient(room: Room):
    scan = sitk.ReadImage(str(room.good.t1ce))
    other = room.folder / "other.nii.gz"
    sitk.WriteImage(scan + 1, str(other))
    return ["resume", room.good.journal, "--t1ce", other, "--output", room.out]


def _bytes(change):
    return lambda room: room.resume(room.file("journal.jsonl", change(room.good.journal.read_bytes())))


def _bomb(events: list[dict]) -> None:
    """A change of 20 kB that unpacks to 20 MB and claims to be of 10^15 voxels."""
    packed = base64.b64encode(zlib.compress(bytes(20_000_000))).decode()
    events[1]["change"] = {"start": [0, 0, 0], "stop": [10**5] * 3, "voxels": packed}


def _outside(events: list[dict]) -> None:
    change = events[1]["change"]
    change["start"][0] += 100
    change["stop"][0] += 100


def _undo(events: list[dict]) -> None:
    events.insert(1, {"event": "undo", "change": events[1]["change"]})


CASES = [
    BadInput(
        "journal that is not there",
        lambda room: room.resume(room.folder / "journal.jsonl"),
        "The journal journal.jsonl does not exist; name another.",
    ),
    BadInput("empty journal", _bytes(lambda c: b""), "The journal journal.jsonl is empty; name another."),
    BadInput(
        "journal that is binary",
        _bytes(lambda c: bytes(range(256))),
        "The journal journal.jsonl cannot be read; name another.",
    ),
    BadInput(
        "journal cut short in its last line",
        _bytes(lambda c: c[:-40]),
        "is read up to the line before",
        "0 clicks stand",
    ),
    BadInput(
        "journal cut short in its first line",
        _bytes(lambda c: c[:100]),
        "The journal journal.jsonl is empty; name another.",
    ),
    BadInput(
        "journal whose middle is missing",
        _bytes(lambda c: c[:200] + c[-200:]),
        "Line 1 of the journal cannot be understood; it may be damaged.",
    ),
    BadInput(
        "journal that ends in what is no text",
        _bytes(lambda c: c + bytes(range(256))),
        "is read up to the last good line",
        "1 click stands",
    ),
    BadInput(
        "journal without its first line, as written",
        _lines(lambda lines: lines[1:]),
        "Line 1 of the journal is not what was written there: it is damaged, or lines are missing or double; "
        "use a copy of the journal or begin anew.",
    ),
    BadInput(
        "journal with a line twice",
        _lines(lambda lines: [*lines, lines[-1]]),
        "Line 3 of the journal is not what was written there: it is damaged, or lines are missing or double; "
        "use a copy of the journal or begin anew.",
    ),
    BadInput(
        "journal in which one bit was turned",
        _bytes(_flipped),
        "Line 2 of the journal is not what was written there: it is damaged, or lines are missing or double; "
        "use a copy of the journal or begin anew.",
    ),
    BadInput(
        "journal of another patient's image on the same grid",
        _of_another_patient,
        "The journal belongs to another image on the same grid; choose the one of this case.",
    ),
    BadInput(
        "journal that is a list",
        _bytes(lambda c: b"[1, 2]\n"),
        "Line 1 of the journal cannot be understood; it may be damaged.",
    ),
    BadInput(
        "journal of 100 000 brackets",
        _bytes(lambda c: b"[" * 100_000 + b"\n"),
        "Line 1 of the journal cannot be understood; it may be damaged.",
    ),
    BadInput(
        "journal without its first line",
        _journal(lambda e: e.pop(0)),
        "The journal does not hold the mask with which it began; give that mask as well.",
    ),
    BadInput(
        "journal of another image",
        _journal(lambda e: e[0]["grid"].update(shape=[24, 64, 65])),
        "The journal belongs to another image; choose the one of this case.",
    ),
    BadInput(
        "journal whose grid is no grid",
        _journal(lambda e: e[0].update(grid={"shape": "large"})),
        "The journal does not say on which image it was kept; it may be damaged.",
    ),
    BadInput(
        "journal of a later version",
        _journal(lambda e: e[0].update(format=99)),
        "The journal is of version 99, which is unknown here; update VSClickCorrect.",
    ),
    BadInput(
        "journal with a change outside the image",
        _journal(_outside),
        "The journal is damaged: a change in it cannot be understood.",
    ),
    BadInput(
        "journal with a change that unpacks without end",
        _journal(_bomb),
        "The journal is damaged: a change in it cannot be understood.",
    ),
    BadInput(
        "journal with a change that is no text",
        _journal(lambda e: e[1]["change"].update(voxels=5)),
        "Line 2 of the journal cannot be understood; it may be damaged.",
    ),
    BadInput(
        "journal with an undo before any click",
        _journal(_undo),
        "Line 2 of the journal cannot be understood; it may be damaged.",
    ),
    BadInput(
        "journal with an unknown event",
        _journal(lambda e: e.append({"event": "teleport"})),
        "Line 3 of the journal cannot be understood; it may be damaged.",
    ),
    BadInput(
        "journal whose mask at the start was changed",
        _journal(lambda e: e[0]["start"].update(sha256="0" * 64)),
        "The mask at the start of the journal is damaged; give that mask as well.",
    ),
    BadInput(
        "journal of 100 000 lines",
        _journal(lambda e: e.extend([{"event": "round", "round": 2}] * 100_000)),
        "is read in a few seconds",
        "1 click stands, round 2",
    ),
]
