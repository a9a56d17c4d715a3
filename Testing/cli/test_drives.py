"""What a command says where its output cannot be written."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bright_ball import ball_volume
from source_series import write_slices
from volume_files import left_in
from VSClickCorrectLib.io.given_scans import GivenScans

LIBRARY = Path(__file__).resolve().parents[2] / "VSClickCorrect"


@pytest.fixture
def correcting(files):
    return ["correct", "--t1ce", files.t1ce, "--mask", files.mask, "--clicks", files.clicks]


def told(capfd):
    error = capfd.readouterr().err
    assert error.startswith("vsclick: ") and error.endswith(".\n") and error.count("\n") == 1
    return error


def test_a_full_disk_is_told_and_the_command_works_once_there_is_room(
    vsclick, correcting, files, make_drive, capfd
):
    drive = make_drive(64)
    output, journal = drive.folder / "out.nii.gz", drive.folder / "journal.jsonl"
    command = [*correcting, "--output", output, "--journal", journal]
    drive.fill()
    assert vsclick(*command) == 2
    assert "No space left on device" in told(capfd)
    assert [name for name in left_in(drive.folder) if name.startswith("out")] == []
    drive.make_room()
    journal.unlink(missing_ok=True)
    assert vsclick(*command) == 0
    assert left_in(drive.folder) == ["journal.jsonl", "out.nii.gz"]


def test_a_read_only_drive_is_told(vsclick, correcting, make_drive, capfd):
    drive = make_drive(64)
    drive.become_read_only()
    assert vsclick(*correcting, "--output", drive.folder / "out.nii.gz") == 2
    assert "Read-only file system" in told(capfd)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="/dev/full is not here")
# One prints line by line, the other all at the end.
@pytest.mark.parametrize("words", [("models", "list"), ("worklist", "FILES", "--output", "OUT")])
def test_standard_output_on_a_full_disk_is_told(words, files, tmp_path):
    places = {"FILES": str(files.t1ce.parent), "OUT": str(tmp_path / "out")}
    command = [
        sys.executable,
        "-m",
        "VSClickCorrectLib.cli.main",
        *(places.get(word, word) for word in words),
    ]
    # An empty text is none: what is printed is to stay in Python's buffer until the end.
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY), "PYTHONUNBUFFERED": ""}
    with open("/dev/full", "w") as full:
        run = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=environment, check=False)
    assert (run.returncode, run.stderr.decode()) == (
        2,
        "vsclick: No space left on device; nothing half-written was left.\n",
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="/dev/full is not here")
def test_a_full_disk_is_not_taken_for_that_of_an_unpacked_archive(tmp_path):
    write_slices(tmp_path / "scan", ball_volume())
    archive = Path(shutil.make_archive(str(tmp_path / "scan"), "zip", tmp_path / "scan"))
    full = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(OSError, match="No space left on device"), GivenScans(archive, None) as scans:
        assert scans.read("t1ce") is not None
        os.write(full, b"T1ce")
    os.close(full)
