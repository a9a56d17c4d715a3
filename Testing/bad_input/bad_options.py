"""Bad options of ``vsclick``."""

from __future__ import annotations

from bad_case import BadInput, Room
from bad_lists import EXPERIMENT

TITLE = "Options"


def _segment(*more: str):
    return lambda room: room.segment(room.good.t1ce, *more)


def _train(*more: str):
    return lambda room: [
        "train",
        room.file("experiment.toml", EXPERIMENT),
        *("--training", room.folder / "cases.csv", "--validation", room.folder / "cases.csv"),
        *("--output", room.folder / "run", *more),
    ]


def _simulate(*more: str):
    return lambda room: ["simulate", "--data", room.folder, "--output", room.folder / "cohort", *more]


def _journal_is_output(room: Room):
    return room.correct("--journal", room.out)


def _serve(room: Room, *more: str):
    return ["serve", room.folder / "cases", "--output", room.folder / "results", *more]


CASES = [
    BadInput("no command", lambda room: [], ("vsclick --help", "required")),
    BadInput(
        "unknown command",
        lambda room: ["diagnose"],
        ("diagnose", "vsclick --help", "calibrate"),
    ),
    BadInput("unknown option", _segment("--fast"), ("--fast", "vsclick segment --help", "arguments")),
    BadInput(
        "no scan at all",
        lambda room: ["segment", "--output", room.out],
        ("T1ce", "needed"),
    ),
    BadInput(
        "unknown device",
        _segment("--device", "tpu"),
        ("--device", "tpu", "vsclick segment --help", "cuda"),
    ),
    BadInput(
        "device that is not there",
        _segment("--device", "mps"),
        ("mps", "available", "auto"),
    ),
    BadInput(
        "unknown merge",
        lambda room: room.correct("--merge", "average"),
        ("--merge", "average", "vsclick correct --help", "progressive"),
    ),
    BadInput(
        "label by a name, where labels have none",
        lambda room: room.correct("--label", "tumour"),
        ("mask.nii", "1", "label", "holds"),
    ),
    BadInput(
        "label of the background",
        lambda room: room.correct("--label", "0"),
        ("--label", "0", "1", "vsclick correct --help", "whole"),
    ),
    BadInput(
        "label of the background, on import",
        lambda room: [
            *("import", "csv", room.file("list.csv", ""), "--output", room.folder / "cases"),
            *("--tumour-label", "2", "0"),
        ],
        ("--tumour-label", "--label", "0", "1", "vsclick import csv --help", "whole"),
    ),
    BadInput(
        "journal and mask in one file",
        _journal_is_output,
        ("journal", "out.nii.gz", "called"),
    ),
    BadInput(
        "journal over another journal",
        lambda room: room.correct("--journal", room.good.journal),
        ("journal.jsonl", "exists", "new"),
    ),
    BadInput(
        "-1 threads",
        _train("--threads", "-1"),
        ("--threads", "-1", "1", "vsclick train --help", "whole"),
    ),
    BadInput(
        "0 threads",
        _train("--threads", "0"),
        ("--threads", "0", "1", "vsclick train --help", "whole"),
    ),
    BadInput(
        "-5 steps",
        _train("--steps", "-5"),
        ("--steps", "-5", "1", "vsclick train --help", "whole"),
    ),
    BadInput(
        "-1 minutes",
        _train("--minutes", "-1"),
        ("--minutes", "-1", "0", "vsclick train --help", "above"),
    ),
    BadInput(
        "NaN minutes",
        _train("--minutes", "nan"),
        ("--minutes", "nan", "0", "vsclick train --help", "above"),
    ),
    BadInput(
        "threshold 7",
        _train("--release", "own", "--threshold", "7"),
        ("--threshold", "7", "0", "1", "vsclick train --help", "between"),
    ),
    BadInput(
        "release under a name that leads elsewhere",
        _train("--release", "../own"),
        ("../own", "-", "_", "letters"),
    ),
    BadInput(
        "-1 cases",
        _simulate("--count", "-1"),
        ("--count", "-1", "1", "vsclick simulate --help", "whole"),
    ),
    BadInput(
        "seed -1",
        _simulate("--seed", "-1"),
        ("--seed", "-1", "0", "vsclick simulate --help", "whole"),
    ),
    BadInput(
        "0 rounds",
        lambda room: [*room.evaluate(room.folder), "--rounds", "0"],
        ("--rounds", "0", "1", "vsclick evaluate --help", "whole"),
    ),
    BadInput(
        "rounds that are no number",
        lambda room: [*room.evaluate(room.folder), "--rounds", "few"],
        ("--rounds", "few", "1", "vsclick evaluate --help", "whole"),
    ),
    BadInput(
        "port 70000",
        lambda room: ["app", "--port", "70000"],
        ("--port", "70000", "0", "65535", "vsclick app --help"),
    ),
    BadInput(
        "upload limit of -1 MB",
        lambda room: ["app", "--upload-limit", "-1", "--no-browser", "--timeout", "1"],
        ("--upload-limit", "-1", "1", "vsclick app --help", "whole"),
    ),
    BadInput(
        "mask without a scan",
        lambda room: ["app", "--mask", room.good.mask],
        ("--mask", "--t1ce", "--t2", "belongs"),
    ),
    BadInput(
        "folder for results without a worklist",
        lambda room: ["app", "--t1ce", room.good.t1ce, "--output", room.folder / "results"],
        ("--output", "--annotator", "--worklist"),
    ),
    BadInput(
        "label of no mask",
        lambda room: ["app", "--t1ce", room.good.t1ce, "--label", "2"],
        ("--label", "--mask"),
    ),
    BadInput(
        "group of 0 people",
        lambda room: _serve(room, "--port", "8080", "--people", "0"),
        ("--people", "0", "1", "vsclick serve --help", "whole"),
    ),
    BadInput(
        "group that is served nowhere",
        lambda room: _serve(room, "--people", "2"),
        ("--socket", "--port", "vsclick serve --help", "required"),
    ),
    BadInput(
        "group at a port that everyone could use",
        lambda room: _serve(room, "--port", "8080", "--people", "2"),
        ("VSCLICK_PROXY_SECRET", "--socket", "proxy"),
    ),
]
