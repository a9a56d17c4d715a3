"""Bad paths: names and kinds of files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from bad_case import BadInput, Room
from good_files import FOUND

TITLE = "Paths"


def _named(name: str):
    """Segment a copy of the good scan under another name."""

    def make(room: Room):
        (room.folder / name).parent.mkdir(parents=True, exist_ok=True)
        return room.segment(Path(shutil.copy(room.good.t1ce, room.folder / name)))

    return make


def _made(make_path, name: str = "T1ce.nii"):
    """Segment a path that a function makes."""

    def make(room: Room):
        make_path(room.folder / name)
        return room.segment(room.folder / name)

    return make


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _circle(path: Path) -> None:
    path.symlink_to("other.nii")
    (path.parent / "other.nii").symlink_to(path.name)


def _locked(room: Room):
    path = Path(shutil.copy(room.good.t1ce, room.folder / "T1ce.nii"))
    path.chmod(0)
    return room.segment(path)


def _locked_folder(room: Room):
    folder = Path(shutil.copytree(room.good.series, room.folder / "series"))
    folder.chmod(0o700)
    return room.segment(folder / "IMG0000000001.dcm")


def _pipe(room: Room, name: str) -> Path:
    os.mkfifo(room.folder / name)
    return room.folder / name


def _pipe_among_slices(room: Room):
    folder = Path(shutil.copytree(room.good.series, room.folder / "series"))
    os.mkfifo(folder / "pipe")
    return room.segment(folder)


def _output(name: str, folder: bool = False):
    def make(room: Room):
        if folder:
            (room.folder / name).mkdir(parents=True)
        return room.segment(room.good.t1ce, "--output", room.folder / name)

    return make


def _over_the_scan(room: Room):
    scan = Path(shutil.copy(room.good.t1ce, room.folder / "T1ce.nii"))
    return room.segment(scan, "--output", scan)


def _over_the_scan_by_a_link(room: Room):
    scan = Path(shutil.copy(room.good.t1ce, room.folder / "T1ce.nii"))
    (room.folder / "mask.nii").symlink_to(scan.name)
    return room.correct("--output", room.folder / "mask.nii", t1ce=scan)


def _journal_over_the_mask_by_a_link(room: Room):
    (room.folder / "alias").symlink_to(".")
    return room.correct("--journal", room.folder / "alias" / room.out.name)


def _import_over_itself(room: Room):
    room.file("list.csv", f"case,t1ce,label\nA,{room.good.t1ce},{room.good.mask}\n")
    return ["import", "csv", room.folder / "list.csv", "--output", room.folder]


def _import_into_itself(room: Room):
    folder = Path(shutil.copytree(room.good.series, room.folder / "scans"))
    return ["import", "vs-seg", folder, "--output", folder / "cases"]


def _import_over_own_lists(room: Room):
    room.inside("cases")
    room.file("cases/cases.csv", "case,t1ce\n")
    room.file("list.csv", f"case,t1ce,label\nA,{room.good.t1ce},{room.good.mask}\n")
    return ["import", "csv", room.folder / "list.csv", "--output", room.folder / "cases"]


def _table_over_its_list(room: Room):
    room.file("summary.csv", f"case,t1ce\nA,{room.good.t1ce}\n")
    return ["worklist", room.folder / "summary.csv", "--output", room.folder]


def _over_the_clicks(room: Room):
    clicks = Path(shutil.copy(room.good.clicks, room.folder / "clicks.nii"))
    return room.correct("--output", clicks, clicks=clicks)


CASES = [
    BadInput("file that is not there", _made(lambda p: None), ("T1ce.nii", "exist")),
    BadInput(
        "folder that is not there",
        lambda room: room.segment(room.folder / "nowhere" / "T1ce.nii"),
        ("nowhere/T1ce.nii", "exist"),
    ),
    BadInput(
        "file where a folder is named",
        lambda room: room.segment(room.file("scan", b"") / "T1ce.nii"),
        ("scan/T1ce.nii", "exist"),
    ),
    BadInput(
        "folder in place of the clicks",
        lambda room: room.correct(clicks=room.inside("clicks")),
        ("clicks", "folder"),
    ),
    BadInput(
        "folder in place of the mask",
        lambda room: room.correct(mask=room.inside("mask")),
        ("mask", "no DICOM series", "folder"),
    ),
    BadInput(
        "folder in place of the journal",
        lambda room: room.resume(room.inside("journals")),
        ("journals", "folder"),
    ),
    BadInput(
        "folder in place of the list of cases",
        lambda room: room.evaluate(room.inside("cases")),
        ("cases", "vsclick simulate", "cohort"),
    ),
    BadInput(
        "file in place of the models' folder",
        lambda room: room.segment(room.good.t1ce, "--models", room.good.t1ce),
        ("T1ce.nii", "manifest.json", "holds", "folder"),
    ),
    BadInput(
        "link to itself",
        _made(_loop),
        ("T1ce.nii", "symbolic"),
    ),
    BadInput(
        "two links to each other",
        _made(_circle),
        ("T1ce.nii", "symbolic"),
    ),
    BadInput("link to nothing", _made(lambda p: p.symlink_to("gone.nii")), ("T1ce.nii", "exist")),
    BadInput(
        "name with letters of any language", _named("Größe 頭部 Опухоль.nii"), happens="is read", prints=FOUND
    ),
    BadInput("name with spaces at both ends", _named(" T1 ce .nii"), happens="is read", prints=FOUND),
    BadInput("name with a line break", _named("T1\nce.nii"), happens="is read", prints=FOUND),
    BadInput(
        "name with a line break, file not there",
        lambda room: room.segment(room.folder / "T1\nce.nii"),
        ("T1\\nce.nii", "exist"),
    ),
    BadInput(
        "name that is not UTF-8",
        _named(os.fsdecode(b"T1\xff.nii")),
        ("T1\\udcff.nii", "UTF-8", "text", "rename"),
    ),
    BadInput(
        "output whose name is not UTF-8",
        _output(os.fsdecode(b"out\xff.nii")),
        ("out\\udcff.nii", "UTF-8", "text", "rename"),
    ),
    BadInput(
        "name of 300 letters",
        lambda room: room.segment(room.folder / f"{'n' * 296}.nii"),
        (f"{'n' * 296}.nii", "too long", "another"),
    ),
    BadInput(
        "path of 5000 letters",
        lambda room: room.segment(room.folder / ("folder/" * 714) / "T1ce.nii"),
        (f"{'folder/' * 714}T1ce.nii", "too long", "another"),
    ),
    BadInput(
        "output of 300 letters",
        _output(f"{'n' * 296}.nii"),
        (f"{'n' * 296}.nii", "too long", "another"),
    ),
    BadInput(
        "file that one may not read",
        _locked,
        ("T1ce.nii", "Permission denied"),
        nobody=True,
    ),
    BadInput(
        "file in a folder that one may not enter",
        _locked_folder,
        ("series/IMG0000000001.dcm", "Permission denied"),
        nobody=True,
    ),
    BadInput(
        "output into a folder that one may not write",
        lambda room: room.segment(room.good.t1ce, "--output", room.inside("results") / "out.nii"),
        ("results", "Permission denied", "folder"),
        nobody=True,
    ),
    BadInput(
        "pipe in place of the scan",
        lambda room: room.segment(_pipe(room, "T1ce.nii")),
        ("T1ce.nii", "pipe"),
        apart=True,
    ),
    BadInput(
        "pipe in place of the clicks",
        lambda room: room.correct(clicks=_pipe(room, "clicks.mrk.json")),
        ("clicks.mrk.json", "pipe"),
        apart=True,
    ),
    BadInput(
        "pipe in place of the journal",
        lambda room: room.resume(_pipe(room, "journal.jsonl")),
        ("journal.jsonl", "pipe"),
        apart=True,
    ),
    BadInput(
        "pipe in place of the list of cases",
        lambda room: room.evaluate(_pipe(room, "cases.csv")),
        ("cases.csv", "pipe"),
        apart=True,
    ),
    BadInput(
        "pipe among the slices",
        _pipe_among_slices,
        ("series/pipe", "device", "remove"),
        apart=True,
    ),
    BadInput(
        "/dev/zero in place of the scan",
        lambda room: room.segment(Path("/dev/zero")),
        ("/dev/zero", "pipe"),
        apart=True,
    ),
    BadInput(
        "/dev/zero in place of the clicks",
        lambda room: room.correct(clicks="/dev/zero"),
        ("/dev/zero", "pipe"),
        apart=True,
    ),
    BadInput(
        "output into a folder that is not there",
        _output("nowhere/out.nii"),
        ("nowhere", "exist", "create"),
    ),
    BadInput(
        "output that is a folder",
        _output("out.nii", folder=True),
        ("out.nii", "folder", "mask"),
    ),
    BadInput(
        "output of no known kind",
        _output("out.docx"),
        ("out.docx", ".nii.gz", ".seg.nrrd", "suffix"),
    ),
    BadInput(
        "output over the scan",
        _over_the_scan,
        ("T1ce.nii", "read", "mask"),
    ),
    BadInput(
        "output over the scan by a link",
        _over_the_scan_by_a_link,
        ("mask.nii", "read"),
    ),
    BadInput(
        "journal over the mask by a link",
        _journal_over_the_mask_by_a_link,
        ("journal", "alias/out.nii.gz", "called"),
    ),
    BadInput(
        "import over what is imported",
        _import_over_itself,
        ("list.csv", "read", "folder"),
    ),
    BadInput(
        "import into what is imported",
        _import_into_itself,
        ("scans/cases", "read", "folder"),
    ),
    BadInput(
        "import over a list of somebody else's",
        _import_over_own_lists,
        ("cases/cases.csv", "command", "folder"),
    ),
    BadInput(
        "table of a worklist over its list",
        _table_over_its_list,
        ("summary.csv", "table", "folder"),
    ),
    BadInput(
        "output over the clicks",
        _over_the_clicks,
        ("clicks.nii", "read", "mask"),
    ),
]
