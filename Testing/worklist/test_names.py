"""Names of cases as they are compared, written and put into tables."""

import csv

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from VSClickCorrectLib.worklist.case_list import read_rows, write_rows
from VSClickCorrectLib.worklist.names import case_name, for_spreadsheet, from_spreadsheet, natural

# A table loses spaces at both ends.
NAMES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1).filter(lambda t: t == t.strip())


def test_one_spelling_that_is_text():
    assert case_name("Mu\u0308ller") == case_name("M\u00fcller") == "M\u00fcller"
    assert case_name("T1\udcff") == "T1\\xff"
    assert case_name("\ud800") == "\\ud800"


@pytest.mark.parametrize("name", ["=1+1", "+a", "-a", "@SUM(A1)", "\tx", "\rx", "=cmd|' /C calc'!A0", "'=x"])
def test_no_cell_is_a_formula(name):
    cell = for_spreadsheet(name)
    assert cell == "'" + name
    assert from_spreadsheet(cell) == name


@pytest.mark.parametrize("text", ["", "a", "a=b", "-3.5", "+1e5", "-inf", "'quoted'", "O'Neil"])
def test_what_is_no_formula_stays(text):
    assert for_spreadsheet(text) == text == from_spreadsheet(text)


@example("'=x")
@example("''-x")
@example("-1")
@given(NAMES)
def test_every_name_comes_back(name):
    assert from_spreadsheet(for_spreadsheet(name)) == name


@pytest.mark.parametrize("name", ["=HYPERLINK(A1)", "@a", "'=a", '-a "b", c', "a"])
def test_a_table_gives_back_the_names_it_was_given(tmp_path, name):
    path = tmp_path / "table.csv"
    write_rows(path, ("case", "message"), [{"case": name, "message": "+1 more"}])
    with path.open(encoding="utf-8", newline="") as stream:
        cells = next(csv.DictReader(stream))
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells.values())
    ((_, row),) = read_rows(path, ("case", "message"), ())
    assert row == {"case": name, "message": "+1 more"}


def test_names_sort_as_a_person_sorts_them_whatever_digits_they_hold():
    names = ["case 10", "case 9²", "case 9", "case ①", "case 2"]
    assert sorted(names, key=natural) == ["case 2", "case 9", "case 9²", "case 10", "case ①"]
