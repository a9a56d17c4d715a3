"""A list that is edited in a spreadsheet between two openings, or while somebody else has it open."""

import csv

import numpy as np
import pytest
from volume_files import SHAPE, written
from VSClickCorrectLib.cli.main import main
from VSClickCorrectLib.worklist.worklist import Worklist

IMAGE = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)


@pytest.fixture
def listed(tmp_path):
    """Writes a list of cases; each row is a name and the number of its image. Returns the list's file."""
    for number in range(4):
        written(tmp_path / f"{number}.nii.gz", IMAGE + np.int16(number))

    def write(*rows):
        lines = ["case,t1ce", *(f"{name},{number}.nii.gz" for name, number in rows)]
        (tmp_path / "cases.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return tmp_path / "cases.csv"

    return write


def open_list(path, annotator="AB"):
    return Worklist.open(path, path.parent / "out", annotator)


def label(worklist, name):
    worklist.go_to(name)
    worklist.done(IMAGE > 3, worklist.opened.load().grid, name)


def table(path):
    with (path.parent / "out" / "summary.csv").open(encoding="utf-8", newline="") as stream:
        return [(row["case"], row["state"], row["annotator"]) for row in csv.DictReader(stream)]


def test_the_table_keeps_what_others_did_on_rows_that_were_added_meanwhile(listed):
    earlier = open_list(listed(("a", 0), ("b", 1)))
    path = listed(("a", 0), ("b", 1), ("c", 2), ("d", 3))
    label(open_list(path, "CD"), "c")
    label(earlier, "a")
    assert table(path) == [("a", "done", "AB"), ("b", "todo", ""), ("c", "done", "CD")]
    open_list(path)
    assert [row[0] for row in table(path)] == ["a", "b", "c", "d"]


def test_a_case_whose_name_a_spreadsheet_has_changed_tells_of_the_work_under_its_old_name(listed, capsys):
    label(open_list(listed(("001", 0), ("002", 1))), "001")
    path = listed(("1", 0), ("2", 1))
    worklist = open_list(path)
    rows = {row.case.name: (row.record.state.value, row.note) for row in worklist.rows()}
    assert rows == {
        "1": ("todo", ""),
        "2": ("todo", ""),
        "001": ("done", "its files are called case '1' now; call them '001' again in the list."),
    }
    assert main(["worklist", str(path), "--output", str(path.parent / "out")]) == 0
    told = capsys.readouterr().out.splitlines()
    told_of_it = "its images are those of case '001', on which there is work; call it so to go on with that"
    assert told[0].endswith(told_of_it)
    # As it was: nothing is to be known.
    assert [row.note for row in open_list(listed(("001", 0), ("002", 1))).rows()] == ["", ""]


def test_one_image_under_two_names_on_the_list_is_no_fault(listed):
    worklist = open_list(listed(("first look", 0), ("second look", 0)))
    label(worklist, "first look")
    again = open_list(listed(("first look", 0), ("second look", 0)))
    assert [(row.case.fault, row.case.remark) for row in again.rows()] == [("", ""), ("", "")]
    label(again, "second look")
    left = open_list(listed(("second look", 0)))
    assert left.case("second look").remark == ""
    assert left.case("first look").fault.startswith("its files are not there any more")
