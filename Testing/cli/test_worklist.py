"""``vsclick worklist``: the states as lines."""

import numpy as np
import pytest
from volume_files import PLAIN, SHAPE, blob, written
from VSClickCorrectLib.cli.main import main
from VSClickCorrectLib.worklist.worklist import Worklist


@pytest.fixture
def cases(tmp_path):
    for name in ("VS-1", "VS-2", "VS-10"):
        (tmp_path / "cases" / name).mkdir(parents=True)
        written(tmp_path / "cases" / name / "T1ce.nii.gz", np.zeros(SHAPE, np.int16))
    return tmp_path / "cases"


def test_the_states_are_listed_with_what_is_known(cases, tmp_path, capsys):
    worklist = Worklist.open(cases, tmp_path / "out", "AB")
    worklist.go_to("VS-2")
    worklist.update(clicks=5, rounds=2, comment="clear")
    worklist.done(blob(), PLAIN)
    worklist.go_to("VS-10")
    (cases / "VS-1" / "T1ce.nii.gz").rename(cases / "VS-1" / "scan.nii.gz")
    assert main(["worklist", str(cases), "--output", str(tmp_path / "out")]) == 0
    first, second, third, last = capsys.readouterr().out.splitlines()
    assert first.split(maxsplit=2)[:2] == ["VS-1", "todo"]
    assert "scan.nii.gz does not say whether it is a T1 or a T2" in first
    assert second.startswith("VS-2   done      AB; 5 clicks, round 2, 0.0 min; 29 mm³; clear")
    assert third.startswith("VS-10  in work   AB; open with AB on ")
    assert last == "1 of 3 done, 1 in work; 1 open with others."
    assert (tmp_path / "out" / "summary.csv").read_text(encoding="utf-8").count("\n") == 4


def test_a_folder_without_cases_is_one_sentence(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert main(["worklist", str(tmp_path / "empty"), "--output", str(tmp_path / "out")]) == 2
    assert "holds no case" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["summary.csv", "alias.csv", "./../out/summary.csv"])
def test_a_list_is_not_written_over_by_the_table(cases, tmp_path, capsys, name):
    out = tmp_path / "out"
    out.mkdir()
    text = f"case,t1ce\none,{cases}/VS-1/T1ce.nii.gz\n"
    (out / "summary.csv").write_text(text, encoding="utf-8")
    (out / "alias.csv").symlink_to("summary.csv")
    assert main(["worklist", f"{out}/{name}", "--output", str(out)]) == 2
    assert "is where the table of all cases goes; choose another folder" in capsys.readouterr().err
    assert (out / "summary.csv").read_text(encoding="utf-8") == text


def test_a_table_of_somebody_else_s_is_not_written_over(cases, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    (out / "summary.csv").write_text("case,what I found\n", encoding="utf-8")
    assert main(["worklist", str(cases), "--output", str(out)]) == 2
    assert "summary.csv is there and this command did not write it" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["summary.csv"]
    # A spreadsheet may save ours with semicolons and a byte order mark.
    (out / "summary.csv").write_text("\ufeffcase;participant_id;state\n", encoding="utf-8")
    assert main(["worklist", str(cases), "--output", str(out)]) == 0


def test_a_mask_among_the_results_is_not_worked_on(cases, tmp_path, capsys):
    label = tmp_path / "out" / "derivatives" / "vsclickcorrect" / "sub-1" / "anat" / "sub-1_dseg.nii.gz"
    label.parent.mkdir(parents=True)
    written(label, blob().astype(np.uint8))
    (tmp_path / "link.nii.gz").symlink_to(label)
    table = tmp_path / "list.csv"
    for name in (label, "link.nii.gz"):
        table.write_text(f"case,t1ce,mask\n1,cases/VS-1/T1ce.nii.gz,{name}\n", encoding="utf-8")
        assert main(["worklist", str(table), "--output", str(tmp_path / "out")]) == 0
        assert "is a result of this worklist; copy it elsewhere." in capsys.readouterr().out
