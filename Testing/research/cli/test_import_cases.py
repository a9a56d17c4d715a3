"""``vsclick import``."""

import numpy as np
import pytest
from volume_files import GRID, VOLUME, blob, written
from vs_seg_files import circle, write_contours, write_series
from VSClickCorrectLib.cli.main import main
from VSClickCorrectResearch.datasets.listed import read_case_list


def vsclick(*arguments):
    return main(["import", *map(str, arguments)])


@pytest.fixture
def moda(tmp_path):
    folder = tmp_path / "moda"
    folder.mkdir()
    for n in (1, 2):
        written(folder / f"crossmoda2021_ldn_{n}_ceT1.nii.gz", VOLUME.array, GRID)
        written(folder / f"crossmoda2021_ldn_{n}_Label.nii.gz", blob().astype(np.uint8) * n, GRID)
    return folder


def test_vs_seg(tmp_path, capsys):
    folder = write_series(tmp_path / "in" / "t1", VOLUME.array, GRID)
    middle = GRID.ijk_to_ras(
        [(3.2 + 1.5 * x, 2.5 + 1.5 * y, 2) for x, y in ((1, 0), (0, 1), (-1, 0), (0, -1))]
    )
    write_contours(folder / "contours.json", {"TV": [middle], "cochlea": [circle((0, 0, 0), 1.0)]})
    assert vsclick("vs-seg", tmp_path / "in", "--output", tmp_path / "cases") == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("[1/1] VS-SEG-002: imported, ")
    assert out[-1].startswith("1 imported; see ")
    assert read_case_list(tmp_path / "cases" / "cases.csv")[0].load().truth.any()


def test_crossmoda_says_what_failed_and_ends_with_2(moda, tmp_path, capsys):
    assert vsclick("crossmoda", moda, "--output", tmp_path / "cases", "--tumour-label", 2) == 2
    captured = capsys.readouterr()
    assert "[1/2] crossmoda2021_ldn_1: failed, " in captured.out
    assert "[2/2] crossmoda2021_ldn_2: imported, " in captured.out
    told = captured.err.splitlines()
    assert told[0].startswith("crossmoda2021_ldn_1: ")
    assert told[0].endswith("does not hold the label 2; it holds 1.")
    assert told[1].startswith("vsclick: 1 case of 2 could not be imported; the reasons are in ")
    assert vsclick("crossmoda", moda, "--output", tmp_path / "cases", "--tumour-label", 1, 2) == 0
    assert len(read_case_list(tmp_path / "cases" / "cases.csv")) == 2


def test_crossmoda_asks_for_the_label(moda, tmp_path, capsys):
    assert vsclick("crossmoda", moda, "--output", tmp_path / "cases") == 2
    error = capsys.readouterr().err
    assert error.startswith("vsclick: The label maps hold the labels 1, 2; say with --tumour-label which")
    assert error.count("\n") == 1
    assert not (tmp_path / "cases").exists()


def test_csv_is_taken_up_again(moda, tmp_path, capsys):
    table = moda / "own.csv"
    table.write_text(
        "case,t1ce,label\none,crossmoda2021_ldn_1_ceT1.nii.gz,crossmoda2021_ldn_1_Label.nii.gz\n"
    )
    for _ in range(2):
        assert vsclick("csv", table, "--output", tmp_path / "cases") == 0
    assert "1 unchanged; see" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["vs-seg", "crossmoda", "csv"])
def test_what_is_not_there_is_a_sentence(tmp_path, capsys, kind):
    assert vsclick(kind, tmp_path / "nothing", "--output", tmp_path / "cases") == 2
    assert "nothing" in capsys.readouterr().err
    assert not (tmp_path / "cases").exists()


def test_a_list_of_cases_that_was_not_written_is_not_named(moda, tmp_path, capsys):
    assert vsclick("crossmoda", moda, "--output", tmp_path / "cases", "--tumour-label", 9) == 2
    out = capsys.readouterr().out.splitlines()
    assert out[-1] == f"2 failed; see {tmp_path / 'cases' / 'report.csv'}."
    assert not (tmp_path / "cases" / "cases.csv").exists()


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_own_cases_are_not_overwritten_by_their_import(tmp_path, capsys):
    case = tmp_path / "own" / "P1"
    case.mkdir(parents=True)
    written(case / "T1ce.nii.gz", VOLUME.array, GRID)
    written(case / "label.nii.gz", blob().astype(np.uint8), GRID)
    (case / "report.pdf").write_bytes(b"a report")
    table = tmp_path / "own" / "list.csv"
    table.write_text("case,t1ce,label\nP1,P1/T1ce.nii.gz,P1/label.nii.gz\n")
    (tmp_path / "alias").symlink_to("own")
    before = contents(tmp_path)
    for output in ("own", "alias", "own/P1/.."):
        assert vsclick("csv", table, "--output", tmp_path / output) == 2
        assert "which is to be read; choose" in capsys.readouterr().err
    assert contents(tmp_path) == before
    assert vsclick("csv", table, "--output", tmp_path / "own" / "imported") == 0


def test_a_download_is_not_imported_into_itself(tmp_path, moda, capsys):
    write_series(tmp_path / "R" / "VS-SEG-002", VOLUME.array, GRID)
    before = contents(tmp_path)
    for output in (tmp_path / "R", tmp_path / "R" / "cases", tmp_path):
        assert vsclick("vs-seg", tmp_path / "R", "--output", output) == 2
        assert "which is to be read; choose" in capsys.readouterr().err
    assert vsclick("crossmoda", moda, "--output", moda / "cases", "--tumour-label", 1) == 2
    assert contents(tmp_path) == before
