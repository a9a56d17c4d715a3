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
