"""Two lists whose cases bear the same names, and one folder for the results of both."""

import errno
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from volume_files import PLAIN, SHAPE, blob, written
from VSClickCorrectLib.errors import WorklistError
from VSClickCorrectLib.worklist import namesakes
from VSClickCorrectLib.worklist.worklist import Worklist


def listed(root, seed, names=("case1", "case2")):
    """A folder of cases, whose images are drawn; the same seed draws the same."""
    rng = np.random.default_rng(seed)
    for name in names:
        (root / name).mkdir(parents=True)
        written(root / name / "T1ce.nii.gz", rng.integers(0, 900, SHAPE, np.int16))
    return root


@pytest.fixture
def worked(tmp_path):
    """The folder of a list of which one case is done and one was merely looked at."""
    folder = listed(tmp_path / "siteA", 1)
    worklist = Worklist.open(folder, tmp_path / "out", "AB")
    worklist.go_to("case1")
    worklist.done(blob(), PLAIN)
    worklist.go_to("case2")
    worklist.close()
    return folder


def states(worklist):
    return {row.case.name: row.record.state.value for row in worklist.rows()}


def test_the_work_on_other_images_does_not_pass_for_a_case_s_own(worked, tmp_path):
    other = listed(tmp_path / "siteB", 2)
    said = f"another case 'case1', of {worked / 'case1' / 'T1ce.nii.gz'}; choose another folder"
    with pytest.raises(WorklistError, match=re.escape(said)):
        Worklist.open(other, tmp_path / "out", "CD")
    assert states(Worklist.open(other, tmp_path / "own", "CD")) == {"case1": "todo", "case2": "todo"}
    assert states(Worklist.open(worked, tmp_path / "out", "AB")) == {"case1": "done", "case2": "todo"}


def test_other_images_are_told_where_lists_are_named_by_relative_paths_as_on_a_command_line(
    tmp_path, monkeypatch
):
    listed(tmp_path / "siteA", 1, ["case1"]), listed(tmp_path / "siteB", 2, ["case1"])
    (tmp_path / "siteA" / "list.csv").write_text("case,t1ce\ncase1,case1/T1ce.nii.gz\n")
    monkeypatch.chdir(tmp_path)
    worklist = Worklist.open(Path("siteA", "list.csv"), Path("out"), "AB")
    worklist.go_to("case1")
    worklist.done(blob(), PLAIN)
    assert worklist.record("case1").files == {"t1ce": str(tmp_path / "siteA" / "case1" / "T1ce.nii.gz")}
    with pytest.raises(WorklistError, match="another case 'case1', of .*siteA"):
        Worklist.open(Path("siteB"), Path("out"), "CD")
    # Who stands in another folder goes on with the same case.
    monkeypatch.chdir(tmp_path / "siteA")
    assert states(Worklist.open(Path("list.csv"), Path("..", "out"), "AB")) == {"case1": "done"}


def test_images_that_were_moved_or_copied_are_the_same(worked, tmp_path):
    copied = tmp_path / "copied"
    shutil.copytree(worked, copied)
    assert states(Worklist.open(copied, tmp_path / "out", "AB"))["case1"] == "done"
    worked.rename(tmp_path / "moved")
    assert states(Worklist.open(tmp_path / "moved", tmp_path / "out", "AB"))["case1"] == "done"


def test_a_drive_that_fails_does_not_keep_the_list_from_being_opened(worked, tmp_path, monkeypatch):
    other = listed(tmp_path / "siteB", 2)

    def fails(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(namesakes, "_files", fails)
    assert states(Worklist.open(other, tmp_path / "out", "AB"))["case1"] == "done"


def test_lists_of_other_names_share_their_results(worked, tmp_path):
    other = listed(tmp_path / "siteB", 2, ("case2", "case3"))
    worklist = Worklist.open(other, tmp_path / "out", "CD")
    # Nothing was done on the other one's second case.
    assert states(worklist) == {"case1": "done", "case2": "todo", "case3": "todo"}


def test_a_series_is_told_from_another_of_as_many_slices(tmp_path):
    from bright_ball import GRID, ball, ball_volume
    from source_series import write_slices

    for site in ("siteA", "siteB"):
        write_slices(tmp_path / site / "p" / "t1", ball_volume(), patient="P 1")
    worklist = Worklist.open(tmp_path / "siteA", tmp_path / "out", "AB")
    (case,) = worklist.cases
    worklist.go_to(case.name)
    worklist.done(ball(), GRID)
    with pytest.raises(WorklistError, match="holds the work on another case"):
        Worklist.open(tmp_path / "siteB", tmp_path / "out", "AB")
    shutil.copytree(tmp_path / "siteA", tmp_path / "copied")
    assert Worklist.open(tmp_path / "copied", tmp_path / "out", "AB").progress().done == 1
