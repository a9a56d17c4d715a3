"""``vsclick prepare`` on a small worklist."""

import pytest
from VSClickCorrectLib.cli.main import main
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.io.images import write_mask, write_volume
from VSClickCorrectLib.jobs.prepared import is_prepared
from VSClickCorrectLib.worklist.worklist import Worklist


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
    worklist, models = Worklist.open(cases, output), ModelFolder(bright_models)
    made = {c.name for c in worklist.cases if is_prepared(worklist.store.prepared_path(c.label), models)}
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
