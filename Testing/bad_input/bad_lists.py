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


def _tumours(room: Room):
    room.file("import.json", "{}")
    room.file("label.nii.gz", b"")
    path = room.file("cases.csv", f"case,t1ce,t2,label\nA,{room.good.t1ce},,label.nii.gz\n")
    return ["evaluate-parts", "--cases", path, "--output", room.folder / "scores", "--device", "cpu"]


def _classes(room: Room, label: str):
    path = room.file("classes.csv", f"case,t1ce,t2,label\nA,{room.good.t1ce},,{label}\n")
    return ["evaluate-parts", "--cases", path, "--output", room.folder / "scores", "--device", "cpu"]


def _other_classes(room: Room):
    room.file("import.json", '{"classes": ["oedema", "enhancing"]}')
    room.file("classes.nii.gz", b"")
    return _classes(room, "classes.nii.gz")


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
        ("cases.csv", "exist"),
    ),
    BadInput(
        "empty list",
        _list(""),
        ("cases.csv", "1", "case", "missing", "label"),
    ),
    BadInput("list without cases", _list("case,t1ce,label\n"), ("cases.csv", "lists", "add")),
    BadInput(
        "list with semicolons whose row is too long",
        _list("case;t1ce;label\nA;T1ce.nii;label.nii;more\n"),
        ("cases.csv", "2", "more values", "semicolons", "quotes"),
    ),
    BadInput(
        "list without a column",
        _row("A,T1ce.nii", "case,t1ce"),
        ("cases.csv", "1", "label", "missing", "mask"),
    ),
    BadInput(
        "list with an unknown column",
        _row("A,T1ce.nii,label.nii", "case,scan,label"),
        ("cases.csv", "1", "scan", "unknown", "label"),
    ),
    BadInput(
        "list with a column twice",
        _row("A,T1ce.nii,l.nii,l.nii", "case,t1ce,label,label"),
        ("cases.csv", "1", "label", "twice", "mask"),
    ),
    BadInput(
        "list whose row is too long",
        _row("A,T1ce.nii,label.nii,more,more"),
        ("cases.csv", "2", "columns", "commas"),
    ),
    BadInput(
        "list whose row is too short",
        _row("A,T1ce.nii"),
        ("cases.csv", "2", "label", "fill"),
    ),
    BadInput(
        "list with a file that is not there",
        _row("A,T1ce.nii,label.nii"),
        ("cases.csv", "2", "T1ce.nii", "exist"),
    ),
    BadInput(
        "list with a path of 300 letters",
        _row(f"A,{'n' * 300},label.nii"),
        ("cases.csv", "2", "t1ce", "n" * 300, "exist"),
    ),
    BadInput(
        "list with a zero byte",
        _row("A,T1\0ce.nii,label.nii"),
        ("cases.csv", "2", "T1\\x00ce.nii", "exist"),
    ),
    BadInput(
        "list with a case twice",
        _twice,
        ("cases.csv", "3", "A", "2", "already"),
    ),
    BadInput(
        "list whose quotes are never closed",
        _row('A,"T1ce.nii,label.nii\n' + "B,T1ce.nii,label.nii\n" * 3),
        ("cases.csv", "1", "understood", "quotes"),
    ),
    BadInput(
        "list with a line of 10 MB",
        _row(f"A,{'n' * 10_000_000},label.nii"),
        ("cases.csv", "1", "131072", "understood", "quotes"),
    ),
    BadInput(
        "list in Latin-1",
        _list("case,t1ce,label\nMüller,T1ce.nii,label.nii\n".encode("latin-1")),
        ("cases.csv", "UTF-8", "read", "CSV"),
    ),
    BadInput(
        "list that is a spreadsheet",
        _list(b"PK\x03\x04\x14\x00\x06\x00\xff\xfe"),
        ("cases.csv", "UTF-8", "read", "CSV"),
    ),
    BadInput(
        "list with a byte order mark", _marked, happens="is read, as spreadsheets write it", prints="A "
    ),
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
        ("none.toml", "exist"),
    ),
    BadInput(
        "experiment that is no TOML",
        _experiment("role: locator"),
        ("experiment.toml", "=", "1", "5", "pair"),
    ),
    BadInput(
        "experiment of an unknown role",
        _with('"locator"', '"oracle"'),
        ("experiment.toml", "oracle", "locator"),
    ),
    BadInput(
        "experiment whose role is a list",
        _with('"locator"', '["locator"]'),
        ("experiment.toml", "locator", "initial"),
    ),
    BadInput(
        "experiment without a loss",
        _with('loss = { name = "dice" }', ""),
        ("experiment.toml", "loss"),
    ),
    BadInput(
        "experiment with an unknown word",
        _with("batch = 1", "batch = 1, bach = 1"),
        ("experiment.toml", "bach", "unknown", "patience"),
    ),
    BadInput(
        "experiment with text for a number",
        _with("batch = 1", 'batch = "four"'),
        ("experiment.toml", "1", "four", "whole"),
    ),
    BadInput(
        "experiment with batches of -1",
        _with("batch = 1", "batch = -1"),
        ("experiment.toml", "1", "-1", "whole"),
    ),
    BadInput(
        "experiment of an unknown network",
        _with('"unet3d"', '"transformer"'),
        (
            "experiment.toml",
            "unet3d",
            "attention_unet2d",
            "multi_encoder_unet2d",
            "multi_encoder_unet3d",
            "transformer",
            "network",
        ),
    ),
    BadInput(
        "tumours of an import where classes are wanted",
        _tumours,
        ("cases.csv, line 2", "label.nii.gz", "classes.csv", "--classes"),
    ),
    BadInput(
        "classes that an import numbers otherwise",
        _other_classes,
        ("classes.csv", "2", "classes.nii.gz", "oedema", "enhancing", "intrameatal", "--classes"),
    ),
    BadInput(
        "experiment without a network's name",
        _with('name = "unet3d", ', ""),
        (
            "experiment.toml",
            "unet3d",
            "attention_unet2d",
            "multi_encoder_unet2d",
            "multi_encoder_unet3d",
            "network",
        ),
    ),
    BadInput(
        "experiment of an unknown loss",
        _with('"dice"', '"guess"'),
        ("guess", "loss", "correction"),
    ),
    BadInput(
        "experiment with spacing 0",
        _with("[3.0, 3.0, 3.0]", "[0.0, 3.0, 3.0]"),
        ("experiment.toml", "1", "0.1", "20", "0.0", "spacing"),
    ),
]
