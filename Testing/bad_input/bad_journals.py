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
        ("journal.jsonl", "exist"),
    ),
    BadInput("empty journal", _bytes(lambda c: b""), ("journal.jsonl", "empty")),
    BadInput(
        "journal that is binary",
        _bytes(lambda c: bytes(range(256))),
        ("journal.jsonl", "read"),
    ),
    BadInput(
        "journal cut short in its last line",
        _bytes(lambda c: c[:-40]),
        happens="is read up to the line before",
        prints="0 clicks stand",
    ),
    BadInput(
        "journal cut short in its first line",
        _bytes(lambda c: c[:100]),
        ("journal.jsonl", "empty"),
    ),
    BadInput(
        "journal whose middle is missing",
        _bytes(lambda c: c[:200] + c[-200:]),
        ("journal", "1", "understood", "damaged"),
    ),
    BadInput(
        "journal that ends in what is no text",
        _bytes(lambda c: c + bytes(range(256))),
        happens="is read up to the last good line",
        prints="1 click stands",
    ),
    BadInput(
        "journal without its first line, as written",
        _lines(lambda lines: lines[1:]),
        ("journal", "1", "written", "anew"),
    ),
    BadInput(
        "journal with a line twice",
        _lines(lambda lines: [*lines, lines[-1]]),
        ("journal", "3", "written", "anew"),
    ),
    BadInput(
        "journal in which one bit was turned",
        _bytes(_flipped),
        ("journal", "2", "written", "anew"),
    ),
    BadInput(
        "journal of another patient's image on the same grid",
        _of_another_patient,
        ("journal", "another image", "same grid"),
    ),
    BadInput(
        "journal that is a list",
        _bytes(lambda c: b"[1, 2]\n"),
        ("journal", "1", "understood", "damaged"),
    ),
    BadInput(
        "journal of 100 000 brackets",
        _bytes(lambda c: b"[" * 100_000 + b"\n"),
        ("journal", "1", "understood", "damaged"),
    ),
    BadInput(
        "journal without its first line",
        _journal(lambda e: e.pop(0)),
        ("journal", "began", "mask"),
    ),
    BadInput(
        "journal of another image",
        _journal(lambda e: e[0]["grid"].update(shape=[24, 64, 65])),
        ("journal", "another image"),
    ),
    BadInput(
        "journal whose grid is no grid",
        _journal(lambda e: e[0].update(grid={"shape": "large"})),
        ("journal", "kept", "damaged"),
    ),
    BadInput(
        "journal of a later version",
        _journal(lambda e: e[0].update(format=99)),
        ("journal", "99", "unknown", "update"),
    ),
    BadInput(
        "journal with a change outside the image",
        _journal(_outside),
        ("journal", "damaged"),
    ),
    BadInput(
        "journal with a change that unpacks without end",
        _journal(_bomb),
        ("journal", "damaged"),
    ),
    BadInput(
        "journal with a change that is no text",
        _journal(lambda e: e[1]["change"].update(voxels=5)),
        ("journal", "2", "understood", "damaged"),
    ),
    BadInput(
        "journal with an undo before any click",
        _journal(_undo),
        ("journal", "2", "understood", "damaged"),
    ),
    BadInput(
        "journal with an unknown event",
        _journal(lambda e: e.append({"event": "teleport"})),
        ("journal", "3", "understood", "damaged"),
    ),
    BadInput(
        "journal whose mask at the start was changed",
        _journal(lambda e: e[0]["start"].update(sha256="0" * 64)),
        ("journal", "damaged", "mask"),
    ),
    BadInput(
        "journal of 100 000 lines",
        _journal(lambda e: e.extend([{"event": "round", "round": 2}] * 100_000)),
        happens="is read in a few seconds",
        prints="1 click stands, round 2",
    ),
]
