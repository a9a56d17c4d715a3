"""Lists of cases: what is written is read again, and what is wrong is named by line and column."""

from unicodedata import normalize

import numpy as np
import pytest
from volume_files import GRID, PLAIN, SHAPE, VOLUME, blob, left_in, written
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.worklist.case_list import column_names, read_rows, write_rows
from VSClickCorrectLib.worklist.cases import find_cases
from VSClickCorrectResearch.datasets.listed import ListedCase, read_case_list, write_case_list


@pytest.fixture
def folder(tmp_path):
    """One case's files."""
    (tmp_path / "a").mkdir()
    written(tmp_path / "a" / "T1ce.nii.gz", VOLUME.array, GRID)
    written(tmp_path / "a" / "T2.nrrd", VOLUME.array + 7, GRID)
    written(tmp_path / "a" / "label.nii.gz", blob().astype(np.uint8), GRID)
    written(tmp_path / "a" / "mask.nii.gz", (~blob()).astype(np.uint8), GRID)
    return tmp_path


def listed(folder, *lines):
    path = folder / "cases.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


HEADER = "case,t1ce,t2,label,mask"
WHOLE = "one,a/T1ce.nii.gz,a/T2.nrrd,a/label.nii.gz,a/mask.nii.gz"


def test_case_is_read_from_its_files(folder):
    (case,) = read_case_list(listed(folder, HEADER, WHOLE))
    loaded = case.load()
    assert loaded.name == "one"
    assert np.array_equal(loaded.case.t1ce.array, VOLUME.array)
    assert np.array_equal(loaded.case.t2.array, VOLUME.array + 7)
    assert np.array_equal(loaded.truth, blob())
    assert np.array_equal(loaded.start, ~blob())
    assert loaded.grid.matches(GRID, 1e-4)


@pytest.mark.parametrize("blank", ["", " ", ";;;;", " ; "])
def test_blank_lines_before_the_names_do_not_count(folder, blank):
    path = listed(folder, blank, blank, HEADER.replace(",", ";"), WHOLE.replace(",", ";"), "two;gone.nii;;;")
    assert column_names(path) == HEADER.split(",")
    rows = read_rows(path, HEADER.split(","), ("case",))
    assert [(line, row["case"], row["t1ce"]) for line, row in rows] == [
        (4, "one", "a/T1ce.nii.gz"),
        (5, "two", "gone.nii"),
    ]


@pytest.mark.parametrize(("written_as", "stored_as"), [("NFC", "NFD"), ("NFD", "NFC"), ("NFC", "NFC")])
@pytest.mark.parametrize("parted", ["/", "\\"])
def test_a_list_may_come_from_another_kind_of_system(folder, written_as, stored_as, parted):
    (folder / "a").rename(folder / normalize(stored_as, "Müller"))
    whole = WHOLE.replace("a/", f"Müller{parted}")
    path = listed(folder, HEADER, normalize(written_as, whole))
    place = folder / normalize(stored_as, "Müller")
    (case,) = read_case_list(path)
    assert (case.t1ce, case.label) == (place / "T1ce.nii.gz", place / "label.nii.gz")
    (mine,) = find_cases(path, folder / "results")
    assert mine.files == {
        "t1ce": place / "T1ce.nii.gz",
        "t2": place / "T2.nrrd",
        "mask": place / "mask.nii.gz",
    }


def test_a_backslash_in_a_name_is_taken_as_it_stands(folder):
    (folder / "a" / "T1ce.nii.gz").rename(folder / "a\\T1ce.nii.gz")
    written(folder / "a" / "T1ce.nii.gz", VOLUME.array + 1, GRID)
    (case,) = read_case_list(listed(folder, HEADER, WHOLE.replace("a/T1ce", "a\\T1ce")))
    assert np.array_equal(case.load().case.t1ce.array, VOLUME.array)


def test_one_sequence_is_enough_and_columns_may_be_left_out(folder):
    (case,) = read_case_list(listed(folder, "label , case,t2", "a/label.nii.gz, one , a/T2.nrrd"))
    assert case == ListedCase("one", None, folder / "a" / "T2.nrrd", folder / "a" / "label.nii.gz", None)
    loaded = case.load()
    assert loaded.case.t1ce is None
    assert loaded.start is None
    assert np.array_equal(loaded.case.t2.array, VOLUME.array + 7)


def test_t2_is_brought_to_the_grid_of_the_t1ce(folder):
    moved = GRID.affine.copy()
    moved[:3, 3] += GRID.affine[:3, 0]  # one voxel along i
    written(folder / "a" / "T2.nrrd", VOLUME.array.astype(np.float32), Grid(SHAPE, moved))
    loaded = read_case_list(listed(folder, HEADER, WHOLE))[0].load()
    np.testing.assert_allclose(loaded.case.t2.array[..., 1:], VOLUME.array[..., :-1], atol=1e-2)


def test_label_on_another_grid_is_refused_not_guessed(folder):
    written(folder / "a" / "label.nii.gz", blob().astype(np.uint8), PLAIN)
    (case,) = read_case_list(listed(folder, HEADER, WHOLE))
    with pytest.raises(ImageError, match=r"^case one: .*label\.nii\.gz lies on another grid"):
        case.load()


def test_order_quotes_blank_lines_and_byte_order_mark_are_as_spreadsheets_have_them(folder):
    lines = ["\ufeff" + HEADER, WHOLE.replace("one", '"b, left"'), "", WHOLE.replace("one", "a")]
    assert [case.name for case in read_case_list(listed(folder, *lines))] == ["b, left", "a"]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_columns_may_be_parted_as_spreadsheets_of_other_languages_part_them(folder, delimiter):
    (folder / "a" / "T1ce.nii.gz").rename(folder / "a" / "T1ce, late.nii.gz")
    lines = [line.replace(",", delimiter) for line in ("\ufeff" + HEADER + ",", WHOLE + ",")]
    lines[1] = lines[1].replace("T1ce.nii.gz", "T1ce, late.nii.gz")
    path = folder / "spreadsheet.csv"
    path.write_text("\r\n".join([*lines, ""]), encoding="utf-8", newline="")
    (case,) = read_case_list(path)
    assert (case.name, case.t1ce) == ("one", folder / "a" / "T1ce, late.nii.gz")
    assert column_names(path) == HEADER.split(",")


def test_empty_cells_beyond_the_table_are_no_columns_and_no_cases(folder):
    lines = ["\ufeff" + HEADER + ",,", WHOLE + ",,", ",,,,,,", WHOLE.replace("one", "two") + ",,,", " , ,,,"]
    path = folder / "spreadsheet.csv"
    path.write_text("\r\n".join([*lines, ""]), encoding="utf-8", newline="")
    assert [case.name for case in read_case_list(path)] == ["one", "two"]
    path.write_text("\r\n".join([HEADER + ",", WHOLE + ",more"]), encoding="utf-8", newline="")
    with pytest.raises(ImageError, match="line 2 has more values than columns"):
        read_case_list(path)


def test_written_list_is_relative_and_reads_the_same(folder):
    a = folder / "a"
    cases = [
        ListedCase("one", a / "T1ce.nii.gz", a / "T2.nrrd", a / "label.nii.gz", a / "mask.nii.gz"),
        ListedCase("two", None, a / "T2.nrrd", a / "label.nii.gz", None),
    ]
    (folder / "lists").mkdir()
    path = folder / "lists" / "cases.csv"
    write_case_list(path, cases)
    assert path.read_text(encoding="utf-8").splitlines() == [
        HEADER,
        "one,../a/T1ce.nii.gz,../a/T2.nrrd,../a/label.nii.gz,../a/mask.nii.gz",
        "two,,../a/T2.nrrd,../a/label.nii.gz,",
    ]
    assert [case.load().name for case in read_case_list(path)] == ["one", "two"]
    assert left_in(folder / "lists") == ["cases.csv"]


def test_kind_of_head_is_read_and_written_and_may_be_left_blank(folder):
    lines = [HEADER + ",kind", WHOLE + ", label map ", WHOLE.replace("one", "two") + ","]
    cases = read_case_list(listed(folder, *lines))
    assert [case.kind for case in cases] == ["label map", ""]
    assert cases[0].load().kind == "label map"
    write_case_list(folder / "again.csv", cases)
    assert (folder / "again.csv").read_text(encoding="utf-8").splitlines() == [
        HEADER + ",kind",
        WHOLE + ",label map",
        WHOLE.replace("one", "two") + ",",
    ]
    assert read_case_list(folder / "again.csv") == cases


@pytest.mark.parametrize(
    "lines, message",
    [
        (
            [HEADER, WHOLE, "two,,a/none.nii.gz,a/label.nii.gz,"],
            r"line 3, column t2: .*none\.nii\.gz does",
        ),
        ([HEADER, WHOLE, "two,a/T1ce.nii.gz,,a/no.nii,"], r"line 3, column label: .*no\.nii does not exist"),
        (["case,t1,label", WHOLE], r"line 1: the column 't1' is unknown; there may be case, t1ce,"),
        (["case,t1ce,t1ce,label", WHOLE], r"line 1: the column 't1ce' stands there twice"),
        (["case,t1ce,t2", "one,a/T1ce.nii.gz,"], r"line 1: the column 'label' is missing"),
        ([HEADER, WHOLE, WHOLE], r"line 3, column case: 'one' stands in line 2 already"),
        ([HEADER, "one,,,a/label.nii.gz,"], r"line 2, columns t1ce and t2: both are empty"),
        ([HEADER, "one,a/T1ce.nii.gz,,,"], r"line 2, column label: nothing stands there"),
        ([HEADER, "", " ,a/T1ce.nii.gz,,a/label.nii.gz,"], r"line 3, column case: nothing stands there"),
        ([HEADER, WHOLE + ",more"], r"line 2 has more values than columns"),
        ([HEADER], r"lists no case"),
        ([""], r"line 1: the column 'case' is missing"),
    ],
)
def test_fault_is_named_by_line_and_column(folder, lines, message):
    with pytest.raises(ImageError, match=message) as error:
        read_case_list(listed(folder, *lines))
    assert str(error.value).count("cases.csv") == 1
    assert str(error.value).endswith(".")


def test_list_that_is_no_text_is_refused(folder):
    with pytest.raises(ImageError, match=r"missing\.csv does not exist"):
        read_case_list(folder / "missing.csv")
    (folder / "cases.csv").write_bytes(b"case,label\n\xff\xfe\x00,\n")
    with pytest.raises(ImageError, match=r"cannot be read: it is not UTF-8 text"):
        read_case_list(folder / "cases.csv")


@pytest.mark.parametrize("comment", ["one\rtwo", "one\ntwo", 'a "quoted"\r one'])
def test_a_line_break_of_any_kind_ends_no_row(tmp_path, comment):
    rows = [{"case": "a", "comment": comment}, {"case": "b", "comment": ""}]
    write_rows(tmp_path / "summary.csv", ("case", "comment"), rows)
    read = [row for _, row in read_rows(tmp_path / "summary.csv", ("case", "comment"), ("case",))]
    assert read == [{"case": "a", "comment": comment}, {"case": "b", "comment": ""}]


def test_lines_may_end_as_old_spreadsheets_end_them(tmp_path):
    (tmp_path / "cases.csv").write_bytes(b"case;mask\ra,b;m.nii\rc,d;\r")
    read = [row["case"] for _, row in read_rows(tmp_path / "cases.csv", ("case", "mask"), ("case",))]
    assert read == ["a,b", "c,d"]
