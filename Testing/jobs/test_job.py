"""Work in a child process: what comes back, and what is left where it does not."""

import gc
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from VSClickCorrectLib.errors import Cancelled, DifferentPatients, ImageError, ModelError, OutOfMemory
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.initial_mask import InitialMask
from VSClickCorrectLib.inference.manifest import Choice, ModelFolder
from VSClickCorrectLib.io.registration import register
from VSClickCorrectLib.jobs import child as child_module
from VSClickCorrectLib.jobs import process as process_module
from VSClickCorrectLib.jobs.exchange import (
    last_progress,
    read_result,
    read_task,
    write_progress,
    write_result,
    write_task,
)
from VSClickCorrectLib.jobs.job import Job, JobState
from VSClickCorrectLib.jobs.process import python_executable

GRID = Grid((4, 5, 6), np.diag([-1.0, -2.0, 3.0, 1.0]))


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder in which jobs make theirs."""
    folder = tmp_path / "jobs"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def case(small):
    return Case(small.t1ce, small.t2)


@pytest.fixture
def stuck(tmp_path):
    """A Python that says how far it is and then never ends."""
    script = tmp_path / "python-that-waits"
    script.write_text(
        f"#!{sys.executable}\nimport sys, time\n"
        'open(sys.argv[-1] + "/progress.txt", "w").write("0.5 half\\n")\n'
        "time.sleep(600)\n"
    )
    script.chmod(0o755)
    return script


def finished(job):
    """Poll until the job is done; return the states that were seen."""
    states = [job.poll()]
    while not states[-1].done:
        time.sleep(0.02)
        states.append(job.poll())
    return states


def until(condition):
    for _ in range(3000):
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_segmentation_in_a_child_is_the_one_made_here(case, model_folder, temporary):
    job = Job.start_segmentation(case, Choice(str(model_folder), device="cpu"))
    states = finished(job)
    assert [s.fraction for s in states] == sorted(s.fraction for s in states)
    assert states[-1].fraction == 1.0
    found, expected = job.result(), InitialSegmenter.load(ModelFolder(model_folder), "cpu").segment(case)
    assert found.box == expected.box
    np.testing.assert_array_equal(found.values, expected.values)
    assert found.confidence == pytest.approx(expected.confidence)
    assert job.result() is found
    assert job.poll() == JobState(1.0, "done", True)
    assert list(temporary.iterdir()) == []


def test_registration_in_a_child_is_the_one_made_here(small, temporary):
    job = Job.start_registration(small.t1ce, small.t2)
    found, expected = job.result(), register(small.t1ce, small.t2)
    np.testing.assert_allclose(found.matrix, expected.matrix, atol=1e-6)
    assert found.improved is expected.improved
    assert found.nmi_after == pytest.approx(expected.nmi_after)
    assert list(temporary.iterdir()) == []


def test_error_of_the_child_is_raised_here_with_the_same_sentence(case, tmp_path, temporary):
    job = Job.start_segmentation(case, Choice(str(tmp_path / "no-models")))
    assert finished(job)[-1].done
    for _ in range(2):
        with pytest.raises(ModelError, match="no-models holds no manifest.json; name a folder"):
            job.result()
    assert list(temporary.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="runs a script as a program")
class TestStuck:
    def test_poll_does_not_wait(self, case, stuck, temporary):
        job = Job.start_segmentation(case, Choice(), python=stuck)
        assert until(lambda: job.poll() == JobState(0.5, "half", False))
        job.cancel()

    def test_cancelled_job_ends_at_once_and_leaves_nothing(self, case, stuck, temporary):
        job = Job.start_segmentation(case, Choice(), python=stuck)
        job.cancel()
        job.cancel()
        assert job._child._process.returncode is not None
        assert job.poll() == JobState(1.0, "cancelled", True)
        with pytest.raises(Cancelled, match="was cancelled"):
            job.result()
        assert list(temporary.iterdir()) == []

    def test_killed_child_is_an_error_in_a_sentence(self, case, stuck, temporary):
        job = Job.start_segmentation(case, Choice(), python=stuck)
        job._child._process.kill()
        assert finished(job)[-1].done
        with pytest.raises(
            ModelError, match=r"ended before it was done \(exit code -9\); close other programs"
        ):
            job.result()
        assert list(temporary.iterdir()) == []

    def test_dropped_job_ends_its_child_and_leaves_nothing(self, case, stuck, temporary):
        job = Job.start_segmentation(case, Choice(), python=stuck)
        process = job._child._process
        del job
        gc.collect()
        assert process.returncode is not None
        assert list(temporary.iterdir()) == []


def test_fault_of_the_child_is_told_by_its_last_line(tmp_path):
    fault = "Traceback\n  somewhere\nMemoryError: no room\n"
    (tmp_path / "errors.txt").write_text(fault, encoding="utf-8")
    assert str(read_result(tmp_path, 1)) == (
        "the computation ended before it was done (MemoryError: no room); close other programs to free "
        "memory and try again."
    )


def test_child_ends_with_its_parent_and_cleans_up(case, temporary):
    """The parent starts a registration of volumes too large to be done, and is killed."""
    program = (
        "import sys, numpy as np\n"
        "from VSClickCorrectLib.geometry.grid import Grid\n"
        "from VSClickCorrectLib.geometry.volume import Volume\n"
        "from VSClickCorrectLib.jobs.job import Job\n"
        "noise = np.random.default_rng(0).random((150, 200, 200), np.float32)\n"
        "volume = Volume(noise, Grid(noise.shape, np.eye(4)))\n"
        "job = Job.start_registration(volume, volume)\n"
        "print(job._child._process.pid, job._child.folder, flush=True)\n"
        "sys.stdin.read()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(process_module.__file__).parents[2])}
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    folder = Path(parent.stdout.readline().split(maxsplit=1)[1].strip())
    assert until((folder / "progress.txt").exists)
    parent.kill()
    parent.wait()
    parent.stdin.close()
    parent.stdout.close()
    assert until(lambda: not folder.exists())


def test_interpreter_that_cannot_be_started_is_an_error(case, tmp_path, temporary):
    with pytest.raises(ModelError, match=r"no-python cannot be started \(No such file"):
        Job.start_segmentation(case, Choice(), python=tmp_path / "no-python")
    assert list(temporary.iterdir()) == []


def test_disk_that_takes_no_volume_is_an_error(case, temporary, monkeypatch):
    def full(path, array):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(ModelError, match=r"cannot be written \(No space left on device\); make room there"):
        Job.start_segmentation(case, Choice())
    assert list(temporary.iterdir()) == []


def test_a_real_drive_that_is_full_is_told(case, make_drive, monkeypatch):
    drive = make_drive(64)
    monkeypatch.setattr(tempfile, "tempdir", str(drive.folder))
    with pytest.raises(ModelError) as told:
        Job.start_segmentation(case, Choice())
    assert str(told.value) == no_room(drive)
    assert list(drive.folder.iterdir()) == []


def no_room(drive):
    reason = "cannot be written (No space left on device); make room there."
    return f"the temporary folder {drive.folder} {reason}"


def test_a_drive_that_fills_up_under_the_child_is_told(case, make_drive, monkeypatch, model_folder):
    drive = make_drive(4096)
    monkeypatch.setattr(tempfile, "tempdir", str(drive.folder))
    folder = drive.folder / "job"
    folder.mkdir()
    write_task(folder, "segmentation", Choice(str(model_folder), device="cpu")._asdict(), case.present)
    drive.fill()
    child = subprocess.Popen(
        [sys.executable, "-m", "VSClickCorrectLib.jobs.child", folder],
        stdin=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(process_module.__file__).parents[2])},
    )
    assert str(read_result(folder, child.wait())) == no_room(drive)
    child.stdin.close()


def test_memory_that_runs_out_in_the_child_is_told(tmp_path, monkeypatch):
    def fail(_):
        raise MemoryError

    monkeypatch.setattr(child_module, "_done", fail)
    child_module._answer(tmp_path)
    said = read_result(tmp_path, 0)
    assert type(said) is OutOfMemory
    assert str(said) == "there is not enough memory for this; close other programs or crop the images."


def test_desktop_slicer_brings_an_interpreter_of_its_own(tmp_path, monkeypatch):
    assert python_executable() == Path(sys.executable)
    (tmp_path / "bin").mkdir()
    application = tmp_path / "bin" / "SlicerApp-real"
    monkeypatch.setattr(process_module, "sys", SimpleNamespace(executable=str(application), path=[]))
    monkeypatch.setattr(process_module.shutil, "which", lambda name: None)
    with pytest.raises(ModelError, match="PythonSlicer, was not found"):
        python_executable()
    interpreter = application.with_name("PythonSlicer.exe" if os.name == "nt" else "PythonSlicer")
    interpreter.touch()
    assert python_executable() == interpreter
    monkeypatch.setattr(process_module.shutil, "which", lambda name: f"/opt/{name}")
    assert python_executable() == Path("/opt/PythonSlicer")


class TestExchange:
    def test_volumes_are_read_as_they_were(self, tmp_path):
        t2 = Volume(np.arange(120, dtype=np.int16).reshape(GRID.shape)[:, ::-1], GRID)
        write_task(tmp_path, "segmentation", Choice(device="cpu")._asdict(), Case(None, t2).present)
        task, told, volumes = read_task(tmp_path)
        assert (task, told["folder"], told["device"]) == ("segmentation", "", "cpu")
        assert "t1ce" not in volumes
        np.testing.assert_array_equal(volumes["t2"].array, t2.array)
        assert volumes["t2"].array.dtype == np.int16
        assert volumes["t2"].grid.matches(GRID)

    def test_half_a_line_of_progress_is_not_read(self, tmp_path):
        assert last_progress(tmp_path) == (0.0, "starting")
        write_progress(tmp_path, 0.25, "looking at the whole head")
        with open(tmp_path / "progress.txt", "a", encoding="utf-8") as file:
            file.write("0.9")
        assert last_progress(tmp_path) == (0.25, "looking at the whole head")

    @pytest.mark.parametrize("box", [Box((1, 2, 3), (3, 5, 6)), Box((0, 0, 0), (0, 0, 0))])
    def test_mask_comes_back_voxel_by_voxel(self, tmp_path, box):
        values = np.random.default_rng(1).random(box.shape) < 0.5
        write_result(tmp_path, InitialMask(box, values, 0.75))
        back = read_result(tmp_path, 0)
        assert (back.box, back.confidence, back.values.dtype) == (box, 0.75, np.dtype(bool))
        np.testing.assert_array_equal(back.values, values)
        assert [path.name for path in tmp_path.iterdir()] == ["result.npz"]

    def test_error_comes_back_as_what_it_was(self, tmp_path):
        write_result(tmp_path, ImageError("the ‘T2’ is missing."))
        back = read_result(tmp_path, 0)
        assert (type(back), str(back)) == (ImageError, "the ‘T2’ is missing.")


def test_an_error_that_holds_more_than_a_sentence_comes_back_with_it(tmp_path):
    write_result(tmp_path, DifferentPatients("Ada", "Eve"))
    error = read_result(tmp_path, 0)
    assert isinstance(error, DifferentPatients) and (error.first, error.second) == ("Ada", "Eve")
    assert str(error) == str(DifferentPatients("Ada", "Eve"))
