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


CASES = [
    BadInput(
        "no command", lambda room: [], "The following arguments are required: COMMAND; see 'vsclick --help'."
    ),
    BadInput(
        "unknown command",
        lambda room: ["diagnose"],
        "Argument COMMAND: invalid choice: 'diagnose' (choose from segment, correct, compare, app, worklist, prepare, resume, models, demo, evaluate, bench, calibrate, import, simulate, train); see 'vsclick --help'.",
    ),
    BadInput("unknown option", _segment("--fast"), "Unrecognized arguments: --fast; see 'vsclick --help'."),
    BadInput(
        "no scan at all",
        lambda room: ["segment", "--output", room.out],
        "No image was given; a T1ce or a T2 volume is needed.",
    ),
    BadInput(
        "unknown device",
        _segment("--device", "tpu"),
        "Argument --device: invalid choice: 'tpu' (choose from auto, cuda, mps, cpu); see 'vsclick segment --help'.",
    ),
    BadInput(
        "device that is not there",
        _segment("--device", "mps"),
        "The device 'mps' is not available here; choose auto or cpu.",
    ),
    BadInput(
        "unknown merge",
        lambda room: room.correct("--merge", "average"),
        "Argument --merge: invalid choice: 'average' (choose from progressive, blend, replace); see 'vsclick correct --help'.",
    ),
    BadInput(
        "label by a name, where labels have none",
        lambda room: room.correct("--label", "tumour"),
        "mask.nii does not hold the label tumour; it holds 1.",
    ),
    BadInput(
        "label of the background",
        lambda room: room.correct("--label", "0"),
        "Argument --label: '0' is not a whole number, 1 or more; see 'vsclick correct --help'.",
    ),
    BadInput(
        "label of the background, on import",
        lambda room: [
            *("import", "csv", room.file("list.csv", ""), "--output", room.folder / "cases"),
            *("--tumour-label", "2", "0"),
        ],
        "Argument --tumour-label/--label: '0' is not a whole number, 1 or more; see 'vsclick import csv --help'.",
    ),
    BadInput(
        "journal and mask in one file",
        _journal_is_output,
        "Journal and mask are both called out.nii.gz; name another file for the journal.",
    ),
    BadInput(
        "journal over another journal",
        lambda room: room.correct("--journal", room.good.journal),
        "The journal journal.jsonl exists already; name a new file.",
    ),
    BadInput(
        "-1 threads",
        _train("--threads", "-1"),
        "Argument --threads: '-1' is not a whole number, 1 or more; see 'vsclick train --help'.",
    ),
    BadInput(
        "0 threads",
        _train("--threads", "0"),
        "Argument --threads: '0' is not a whole number, 1 or more; see 'vsclick train --help'.",
    ),
    BadInput(
        "-5 steps",
        _train("--steps", "-5"),
        "Argument --steps: '-5' is not a whole number, 1 or more; see 'vsclick train --help'.",
    ),
    BadInput(
        "-1 minutes",
        _train("--minutes", "-1"),
        "Argument --minutes: '-1' is not a number above 0; see 'vsclick train --help'.",
    ),
    BadInput(
        "NaN minutes",
        _train("--minutes", "nan"),
        "Argument --minutes: 'nan' is not a number above 0; see 'vsclick train --help'.",
    ),
    BadInput(
        "threshold 7",
        _train("--release", "own", "--threshold", "7"),
        "Argument --threshold: '7' is not a number between 0 and 1; see 'vsclick train --help'.",
    ),
    BadInput(
        "release under a name that leads elsewhere",
        _train("--release", "../own"),
        "'../own' cannot be a model's name; use letters, digits, full stops, '-' and '_'.",
    ),
    BadInput(
        "-1 cases",
        _simulate("--count", "-1"),
        "Argument --count: '-1' is not a whole number, 1 or more; see 'vsclick simulate --help'.",
    ),
    BadInput(
        "seed -1",
        _simulate("--seed", "-1"),
        "Argument --seed: '-1' is not a whole number, 0 or more; see 'vsclick simulate --help'.",
    ),
    BadInput(
        "0 rounds",
        lambda room: [*room.evaluate(room.folder), "--rounds", "0"],
        "Argument --rounds: '0' is not a whole number, 1 or more; see 'vsclick evaluate --help'.",
    ),
    BadInput(
        "rounds that are no number",
        lambda room: [*room.evaluate(room.folder), "--rounds", "few"],
        "Argument --rounds: 'few' is not a whole number, 1 or more; see 'vsclick evaluate --help'.",
    ),
    BadInput(
        "port 70000",
        lambda room: ["app", "--port", "70000"],
        "Argument --port: '70000' is no port; give a number from 0 to 65535; see 'vsclick app --help'.",
    ),
    BadInput(
        "upload limit of -1 MB",
        lambda room: ["app", "--upload-limit", "-1", "--no-browser", "--timeout", "1"],
        "Argument --upload-limit: '-1' is not a whole number, 1 or more; see 'vsclick app --help'.",
    ),
    BadInput(
        "mask without a scan",
        lambda room: ["app", "--mask", room.good.mask],
        "--mask needs the scan it belongs to; give --t1ce or --t2 too.",
    ),
]
