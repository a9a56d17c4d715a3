"""Bad lists of cases and experiments."""

from __future__ import annotations

from bad_case import BadInput, Room

TITLE = "Lists and experiments"
EXPERIMENT = """role = "locator"
network = { name = "unet3d", in_channels = 2, out_channels = 1, channels = [2, 4] }
geometry = { spacing = [3.0, 3.0, 3.0] }
loss = { name = "dice" }
course = { batch = 1 }
"""


def _list(content: bytes | str):
    return lambda room: room.evaluate(room.file("cases.csv", content))


def _row(row: str, columns: str = "case,t1ce,label"):
    return _list(f"{columns}\n{row}\n")


def _good_row(room: Room) -> str:
    return f"{room.good.t1ce},{room.good.mask}"


def _twice(room: Room):
    row = _good_row(room)
    return room.evaluate(room.file("cases.csv", f"case,t1ce,label\nA,{row}\nA,{row}\n"))


def _marked(room: Room):
    path = room.file("cases.csv", f"\ufeffcase,t1ce,mask\nA,{room.good.t1ce},{room.good.mask}\n")
    return ["worklist", path, "--output", room.folder / "results"]


def _experiment(content: str, *more: str):
    return lambda room: [
        "train",
        room.file("experiment.toml", content),
        "--training",
        room.folder / "cases.csv",
        "--validation",
        room.folder / "cases.csv",
        "--output",
        room.folder / "run",
        *more,
    ]


def _with(old: str, new: str):
    return _experiment(EXPERIMENT.replace(old, new))


CASES = [
    BadInput(
        "list that is not there",
        lambda room: room.evaluate(room.folder / "cases.csv"),
        "cases.csv does not exist.",
    ),
    BadInput(
        "empty list",
        _list(""),
        "cases.csv, line 1: the column 'case' is missing; there may be case, t1ce, t2, label, mask, kind.",
    ),
    BadInput(
        "list without cases", _list("case,t1ce,label\n"), "cases.csv lists no case; add a line for each."
    ),
    BadInput(
        "list with semicolons",
        _list("case;t1ce;label\nA;T1ce.nii;label.nii\n"),
        "cases.csv, line 1: the columns are parted by semicolons; save the list with commas.",
    ),
    BadInput(
        "list without a column",
        _row("A,T1ce.nii", "case,t1ce"),
        "cases.csv, line 1: the column 'label' is missing; there may be case, t1ce, t2, label, mask, kind.",
    ),
    BadInput(
        "list with an unknown column",
        _row("A,T1ce.nii,label.nii", "case,scan,label"),
        "cases.csv, line 1: the column 'scan' is unknown; there may be case, t1ce, t2, label, mask, kind.",
    ),
    BadInput(
        "list with a column twice",
        _row("A,T1ce.nii,l.nii,l.nii", "case,t1ce,label,label"),
        "cases.csv, line 1: the column 'label' stands there twice; there may be case, t1ce, t2, label, mask, kind.",
    ),
    BadInput(
        "list whose row is too long",
        _row("A,T1ce.nii,label.nii,more,more"),
        "cases.csv, line 2 has more values than columns; put values with commas in quotes.",
    ),
    BadInput(
        "list whose row is too short",
        _row("A,T1ce.nii"),
        "cases.csv, line 2, column label: nothing stands there; fill it in.",
    ),
    BadInput(
        "list with a file that is not there",
        _row("A,T1ce.nii,label.nii"),
        "cases.csv, line 2, column t1ce: T1ce.nii does not exist.",
    ),
    BadInput(
        "list with a path of 300 letters",
        _row(f"A,{'n' * 300},label.nii"),
        f"cases.csv, line 2, column t1ce: nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn{'n' * 200} does not exist.",
    ),
    BadInput(
        "list with a zero byte",
        _row("A,T1\0ce.nii,label.nii"),
        "cases.csv, line 2, column t1ce: T1\\x00ce.nii does not exist.",
    ),
    BadInput(
        "list with a case twice",
        _twice,
        "cases.csv, line 3, column case: 'A' stands in line 2 already; give each case a name of its own.",
    ),
    BadInput(
        "list whose quotes are never closed",
        _row('A,"T1ce.nii,label.nii\n' + "B,T1ce.nii,label.nii\n" * 3),
        "cases.csv, line 1 cannot be understood (unexpected end of data); look for quotes that do not end.",
    ),
    BadInput(
        "list with a line of 10 MB",
        _row(f"A,{'n' * 10_000_000},label.nii"),
        "cases.csv, line 1 cannot be understood (field larger than field limit (131072)); look for quotes that do not end.",
    ),
    BadInput(
        "list in Latin-1",
        _list("case,t1ce,label\nMüller,T1ce.nii,label.nii\n".encode("latin-1")),
        "The list cases.csv cannot be read: it is not UTF-8 text; save it as CSV UTF-8.",
    ),
    BadInput(
        "list that is a spreadsheet",
        _list(b"PK\x03\x04\x14\x00\x06\x00\xff\xfe"),
        "The list cases.csv cannot be read: it is not UTF-8 text; save it as CSV UTF-8.",
    ),
    BadInput("list with a byte order mark", _marked, "is read, as spreadsheets write it", "A "),
    BadInput(
        "experiment that is not there",
        lambda room: [
            "train",
            room.folder / "none.toml",
            "--training",
            "a",
            "--validation",
            "b",
            "--output",
            room.folder / "run",
        ],
        "none.toml does not exist.",
    ),
    BadInput(
        "experiment that is no TOML",
        _experiment("role: locator"),
        "experiment.toml is no TOML file (Expected '=' after a key in a key/value pair (at line 1, column 5)).",
    ),
    BadInput(
        "experiment of an unknown role",
        _with('"locator"', '"oracle"'),
        "experiment.toml: role must be one of locator, initial, click, corrector, not 'oracle'.",
    ),
    BadInput(
        "experiment whose role is a list",
        _with('"locator"', '["locator"]'),
        "experiment.toml: role must be one of locator, initial, click, corrector, not ['locator'].",
    ),
    BadInput(
        "experiment without a loss",
        _with('loss = { name = "dice" }', ""),
        "experiment.toml: it has no loss, which must be names and values.",
    ),
    BadInput(
        "experiment with an unknown word",
        _with("batch = 1", "batch = 1, bach = 1"),
        "experiment.toml: course has an unknown 'bach'; it may have batch, steps, val_every, learning_rate, patience, stop_after, average.",
    ),
    BadInput(
        "experiment with text for a number",
        _with("batch = 1", 'batch = "four"'),
        "experiment.toml: batch of course must be a whole number of at least 1, not 'four'.",
    ),
    BadInput(
        "experiment with batches of -1",
        _with("batch = 1", "batch = -1"),
        "experiment.toml: batch of course must be a whole number of at least 1, not -1.",
    ),
    BadInput(
        "experiment of an unknown network",
        _with('"unet3d"', '"transformer"'),
        "experiment.toml: name of network must be one of unet3d, attention_unet2d, multi_encoder_unet2d, multi_encoder_unet3d, not 'transformer'.",
    ),
    BadInput(
        "experiment without a network's name",
        _with('name = "unet3d", ', ""),
        "experiment.toml: network has no name, which must be one of unet3d, attention_unet2d, multi_encoder_unet2d, multi_encoder_unet3d.",
    ),
    BadInput(
        "experiment of an unknown loss",
        _with('"dice"', '"guess"'),
        "There is no loss 'guess'; choose one of weighted_bce, dice, generalised_dice, dice_bce, focal, tversky, focal_tversky, correction, volumetric_correction.",
    ),
    BadInput(
        "experiment with spacing 0",
        _with("[3.0, 3.0, 3.0]", "[0.0, 3.0, 3.0]"),
        "experiment.toml: number 1 of spacing of geometry must be a number from 0.1 to 20 mm, not 0.0.",
    ),
]
