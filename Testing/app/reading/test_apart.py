"""Files of unknown origin, read in a process of their own: what it does to itself is a sentence here."""

import os
import signal
import subprocess
import sys
import tempfile

import numpy as np
import pytest
import SimpleITK as sitk
from volume_files import GRID, VOLUME, blob, left_in, written
from VSClickCorrectApp.reading import apart
from VSClickCorrectApp.reading.apart import read_mask_apart, read_volume_apart
from VSClickCorrectLib.errors import ImageError, StorageError
from VSClickCorrectLib.io.images import write_mask
from VSClickCorrectLib.jobs.process import child_environment

MB = 1 << 20


@pytest.fixture(scope="module", autouse=True)
def _forked():
    """What the children do is tested here."""


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """Where the reading's folders are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert left_in(folder) == []


@pytest.fixture
def scan(tmp_path):
    return written(tmp_path / "scan.nii.gz", VOLUME.array, GRID)


def child_that(monkeypatch, tmp_path, deed):
    """Let another program take the child's place."""
    script = tmp_path / "python"
    script.write_text(f"#!{sys.executable}\nimport os, signal, time\n{deed}\n")
    script.chmod(0o755)
    monkeypatch.setattr(apart, "python_executable", lambda: script)


def test_a_volume_is_the_one_that_is_read_here(scan):
    found = read_volume_apart(scan, "t1ce", MB)
    np.testing.assert_array_equal(found.array, VOLUME.array)
    assert found.array.dtype == VOLUME.array.dtype
    assert found.grid.matches(GRID)


def test_its_process_waits_for_no_import_that_it_does_not_use():
    program = (
        "import sys, VSClickCorrectApp.reading.reading_child; print({'scipy', 'torch'} & {*sys.modules})"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], env=child_environment(), capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "set()"


def test_a_mask_is_the_one_that_is_read_here(tmp_path):
    write_mask(tmp_path / "mask.seg.nrrd", blob(), GRID)
    found, patient = read_mask_apart(tmp_path / "mask.seg.nrrd", GRID, MB)
    assert found.dtype == bool
    np.testing.assert_array_equal(found, blob())


def test_what_the_reader_says_is_said_here(scan, tmp_path):
    scan.write_bytes(scan.read_bytes()[:-40])
    with pytest.raises(ImageError, match="scan.nii.gz is incomplete; copy or download it again"):
        read_volume_apart(scan, "t1ce", MB)


def test_an_image_of_more_bytes_than_allowed_is_not_read(scan):
    with pytest.raises(ImageError, match="scan.nii.gz holds a larger image than 0 MB; crop it first"):
        read_volume_apart(scan, "t1ce", 100)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems know no such limit")
def test_memory_is_limited(tmp_path, monkeypatch):
    sitk.WriteImage(sitk.Image(500, 500, 500, sitk.sitkFloat32), str(tmp_path / "zeros.nrrd"), True)
    monkeypatch.setattr(apart, "_OWN_BYTES", 600 * MB)
    monkeypatch.setattr(apart, "_TIMES", 0)
    with pytest.raises(ImageError, match=r"zeros.nrrd takes more than 1 GB of memory to read; crop it first"):
        read_volume_apart(tmp_path / "zeros.nrrd", "t1ce", 1024 * MB)


@pytest.mark.skipif(os.name == "nt", reason="runs a script as a program")
@pytest.mark.parametrize("deed", ["os.kill(os.getpid(), signal.SIGSEGV)", "os._exit(1)"])
def test_death_of_the_reader_is_told(scan, tmp_path, monkeypatch, deed):
    child_that(monkeypatch, tmp_path, deed)
    with pytest.raises(ImageError, match="scan.nii.gz ended the program that read it; export it again"):
        read_volume_apart(scan, "t1ce", MB)


@pytest.mark.skipif(os.name == "nt", reason="runs a script as a program")
def test_a_reader_that_takes_too_long_is_ended(scan, tmp_path, monkeypatch):
    child_that(monkeypatch, tmp_path, "time.sleep(600)")
    monkeypatch.setattr(apart, "_LIMIT_S", 0.5)
    children = []
    start = subprocess.Popen
    monkeypatch.setattr(
        apart.subprocess, "Popen", lambda *a, **k: children.append(start(*a, **k)) or children[-1]
    )
    with pytest.raises(ImageError, match=r"scan.nii.gz takes longer than 0.5 s to read; export it again"):
        read_volume_apart(scan, "t1ce", MB)
    assert [child.returncode for child in children] == [-signal.SIGKILL]


def test_a_full_temporary_folder_is_told_and_not_blamed_on_the_file(tmp_path, make_drive, monkeypatch):
    drive = make_drive(64)
    big = tmp_path / "big.nrrd"
    sitk.WriteImage(sitk.Image(60, 60, 40, sitk.sitkFloat32), str(big), True)
    monkeypatch.setattr(tempfile, "tempdir", str(drive.folder))
    with pytest.raises(
        StorageError,
        match=r"^the temporary folder .*drive cannot be written \(No space left on device\); make room",
    ):
        read_volume_apart(big, "t1ce", MB)
    assert left_in(drive.folder) == []
