"""Where results may go, by whatever way the place is named, and who may write there."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from volume_files import left_in
from VSClickCorrectLib.errors import StorageError
from VSClickCorrectLib.io.outputs import LOCK, check_apart, check_ours, same_place, writing_into

LIBRARY = Path(__file__).resolve().parents[1] / "VSClickCorrect"


@pytest.fixture
def read(tmp_path):
    """A folder with a scan in a folder, and a link to it."""
    folder = tmp_path / "read"
    (folder / "P1").mkdir(parents=True)
    (folder / "P1" / "scan.nii").write_text("a scan")
    (tmp_path / "alias").symlink_to(folder)
    return folder


@pytest.mark.parametrize("output", ["read", "read/P1", ".", "alias", "alias/P1", "read/P1/../P1"])
def test_an_output_that_holds_an_input_is_refused(read, tmp_path, output):
    with pytest.raises(StorageError, match=r"^the output .* holds .*scan\.nii, which is to be read; choose"):
        check_apart(tmp_path / output, [read / "P1" / "scan.nii"])


def test_an_output_that_holds_what_a_link_leads_to_is_refused(read, tmp_path):
    (tmp_path / "link.nii").symlink_to(read / "P1" / "scan.nii")
    with pytest.raises(StorageError, match=r"holds .*link\.nii"):
        check_apart(read, [tmp_path / "link.nii"])


@pytest.mark.parametrize("output", ["read", "read/new", "read/P1/a/b", "alias/new"])
def test_an_output_within_a_folder_that_is_read_is_refused(read, tmp_path, output):
    with pytest.raises(StorageError, match="is or lies in .*read, which is to be read"):
        check_apart(tmp_path / output, [read])


@pytest.mark.parametrize("output", ["new", "read/new", "rea", "read2"])
def test_an_output_beside_what_is_read_is_taken(read, tmp_path, output):
    (tmp_path / "rea").mkdir()
    check_apart(tmp_path / output, [read / "P1" / "scan.nii", read / "P1" / "missing.nii"])


@pytest.mark.parametrize(
    "other", ["read/out", "read/../read/out", "alias/out", "read/OUT", "hard", "alias/../alias/out"]
)
def test_one_place_by_two_names(read, tmp_path, other):
    if other == "hard":
        (read / "out").write_text("x")
        os.link(read / "out", tmp_path / "hard")
    assert same_place(read / "out", tmp_path / other)


def test_accents_are_spelled_in_two_ways_and_mean_one_place(tmp_path):
    assert same_place(tmp_path / "M\u00fcller", tmp_path / "Mu\u0308ller")
    assert not same_place(tmp_path / "Muller", tmp_path / "Mu\u0308ller")


def test_two_files_that_differ_in_case_alone_are_two_where_both_are_there(tmp_path):
    for name in ("a", "A"):
        (tmp_path / name).write_text(name)
    if len(left_in(tmp_path)) < 2:
        pytest.skip("this drive takes both names for one")
    assert not same_place(tmp_path / "a", tmp_path / "A")


def test_a_file_of_somebody_else_s_is_in_the_way(tmp_path):
    check_ours(tmp_path, ("table.csv",), ours=False)
    (tmp_path / "table.csv").symlink_to("nowhere")
    with pytest.raises(StorageError, match=r"table\.csv is there and this command did not write it"):
        check_ours(tmp_path, ("table.csv",), ours=False)
    check_ours(tmp_path, ("table.csv",), ours=True)


HOLD = """
import sys
from pathlib import Path
from VSClickCorrectLib.io.outputs import writing_into
with writing_into(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_folder_is_written_by_one_process_at_a_time_and_a_dead_one_holds_nothing(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as other:
        assert other.stdout.readline() == b"held\n"
        told = pytest.raises(StorageError, match="another command is writing into .*out; wait")
        with told, writing_into(tmp_path / "out"):
            pytest.fail("two write into one folder")
        other.kill()
    assert left_in(tmp_path / "out") == [LOCK]
    with writing_into(tmp_path / "out"):
        assert left_in(tmp_path / "out") == [LOCK]
    assert left_in(tmp_path / "out") == []


def test_the_next_holder_does_not_hold_a_file_that_has_gone(tmp_path, monkeypatch):
    import fcntl

    opened, real = [], fcntl.flock

    def flock(descriptor, flags):
        # As if the one before had let go, and removed the file, between our opening and our locking.
        opened.append(descriptor)
        if len(opened) == 1:
            (tmp_path / LOCK).unlink()
        return real(descriptor, flags)

    monkeypatch.setattr(fcntl, "flock", flock)
    with writing_into(tmp_path):
        assert left_in(tmp_path) == [LOCK]
    assert len(opened) == 2


def test_a_lock_that_the_drive_does_not_show_is_told_and_not_waited_for(tmp_path, monkeypatch):
    really = os.stat

    def stat(path, *arguments, **named):
        if str(path).endswith(LOCK):
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return really(path, *arguments, **named)

    monkeypatch.setattr(os, "stat", stat)
    with pytest.raises(StorageError, match="Input/output error"), writing_into(tmp_path / "out"):
        pytest.fail("written without a lock")
