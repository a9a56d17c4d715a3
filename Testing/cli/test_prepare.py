"""``vsclick prepare`` on a small worklist."""

import multiprocessing
from dataclasses import replace

import numpy as np
import pytest
from forking import CAN_FORK
from VSClickCorrectLib.cli.main import main
from VSClickCorrectLib.inference.manifest import Choice, ModelFolder
from VSClickCorrectLib.io.images import write_mask, write_volume
from VSClickCorrectLib.jobs import cases as cases_module
from VSClickCorrectLib.jobs.prepared import is_up_to_date, read_prepared
from VSClickCorrectLib.workflow.tasks import preparation_of
from VSClickCorrectLib.worklist.worklist import Worklist


@pytest.fixture(autouse=True)
def _imported_once(monkeypatch):
    """Fork those who do the cases off a process that has imported torch: how they start is not tested."""
    if CAN_FORK:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["torch", "SimpleITK", "safetensors.torch"])
        monkeypatch.setattr(cases_module, "get_context", lambda _: context)


@pytest.fixture
def cases(tmp_path, small):
    for name in ("broken", "masked", "one", "two"):
        (tmp_path / "cases" / name).mkdir(parents=True)
        write_volume(tmp_path / "cases" / name / "T1ce.nii.gz", small.t1ce)
    write_mask(tmp_path / "cases" / "masked" / "mask.nii.gz", small.truth, small.grid)
    (tmp_path / "cases" / "broken" / "T1ce.nii.gz").write_bytes(b"broken")
    return tmp_path / "cases"


def test_cases_without_a_mask_get_one_once_and_a_broken_one_is_named(cases, tmp_path, bright_models, capsys):
    output = tmp_path / "results"
    command = ["prepare", str(cases), "--output", str(output), "--models", str(bright_models)]
    command += ["--device", "cpu", "--processes", "2"]
    assert main(command) == 2
    told = capsys.readouterr()
    assert "2 masks made, 0 there already, 1 failed." in told.out
    assert "broken: " in told.out and "T1ce.nii.gz" in told.out
    assert told.err.startswith("vsclick: 1 case could not be prepared")
    worklist = Worklist.open(cases, output)
    tasks = [
        preparation_of(worklist, case, Choice(str(bright_models), device="cpu")) for case in worklist.cases
    ]
    made = {task.case for task in tasks if is_up_to_date(task)}
    assert made == {"one", "two"}
    assert [row.record.state.value for row in worklist.rows()] == ["todo"] * 4
    times = [
        worklist.store.prepared_path(worklist.case(name).label).stat().st_mtime_ns for name in ("one", "two")
    ]
    assert main(command) == 2
    assert "0 masks made, 2 there already, 1 failed." in capsys.readouterr().out
    assert times == [
        worklist.store.prepared_path(worklist.case(name).label).stat().st_mtime_ns for name in ("one", "two")
    ]


def test_a_mask_that_cannot_be_read_hinders_no_other_case(cases, tmp_path, bright_models, capsys):
    output = tmp_path / "results"
    (cases / "broken" / "T1ce.nii.gz").unlink()
    worklist = Worklist.open(cases, output)
    path = worklist.store.prepared_path(worklist.case("one").label)
    path.mkdir(parents=True)
    command = ["prepare", str(cases), "--output", str(output), "--models", str(bright_models)]
    assert main([*command, "--device", "cpu"]) == 2
    told = capsys.readouterr().out
    assert "1 mask made, 0 there already, 1 failed." in told
    assert f"one: cannot write {path}: " in told and "two\n" in told


def test_a_mask_is_made_anew_where_the_images_are_others_now(cases, tmp_path, bright_models, small, capsys):
    output = tmp_path / "results"
    (cases / "broken" / "T1ce.nii.gz").unlink()
    command = ["prepare", str(cases), "--output", str(output), "--models", str(bright_models)]
    command += ["--device", "cpu"]
    assert main(command) == 0
    assert "2 masks made, 0 there already, 0 failed." in capsys.readouterr().out
    write_volume(cases / "two" / "T1ce.nii.gz", replace(small.t1ce, array=small.t1ce.array + np.int16(1)))
    assert main(command) == 0
    assert "1 mask made, 1 there already, 0 failed." in capsys.readouterr().out
    worklist = Worklist.open(cases, output)
    images, path = worklist.case("two").load(), worklist.store.prepared_path(worklist.case("two").label)
    assert read_prepared(path, images, ModelFolder(bright_models)) is not None


def test_a_case_whose_files_are_missing_is_named(cases, tmp_path, bright_models, capsys):
    table = tmp_path / "cases.csv"
    table.write_text("case,t1ce\none,cases/one/T1ce.nii.gz\ngone,cases/gone/T1ce.nii.gz\n")
    command = ["prepare", str(table), "--output", str(tmp_path / "results"), "--models", str(bright_models)]
    assert main([*command, "--device", "cpu"]) == 0
    told = capsys.readouterr().out
    assert "Left out: gone: " in told and "does not exist any more" in told
    assert "1 mask made, 0 there already, 0 failed." in told
