"""Folders that are replaced as a whole: failing drives and kills leave one of the two."""

import os
import signal
from pathlib import Path

import pytest
from volume_files import left_in
from VSClickCorrectLib.errors import ImageError, StorageError
from VSClickCorrectLib.io.files import write_text
from VSClickCorrectResearch.datasets.whole_folders import restore_folders, write_folder


def test_a_drive_that_is_read_only_says_so(make_drive):
    drive = make_drive(64)
    drive.become_read_only()
    with pytest.raises(StorageError, match="Read-only file system"):
        write_folder(drive.folder / "case", lambda folder: None)


def test_a_folder_is_replaced_as_a_whole_or_stays(tmp_path):
    folder = tmp_path / "case"
    write_folder(folder, lambda new: write_text(new / "a", "1"))

    def fail(new):
        write_text(new / "b", "2")
        raise ImageError("no more.")

    with pytest.raises(ImageError, match=r"no more\."):
        write_folder(folder, fail)
    assert (left_in(tmp_path), left_in(folder)) == (["case"], ["a"])
    write_folder(folder, lambda new: write_text(new / "b", "2"))
    assert (left_in(tmp_path), left_in(folder)) == (["case"], ["b"])


def test_a_folder_that_cannot_take_its_place_leaves_the_older_one(tmp_path, monkeypatch):
    folder, real = tmp_path / "case", Path.rename
    write_folder(folder, lambda new: write_text(new / "a", "1"))

    def rename(path, target):
        if path.name.startswith(".writing"):
            raise OSError(5, "Input/output error")
        return real(path, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(StorageError, match="case cannot be written: Input/output error"):
        write_folder(folder, lambda new: write_text(new / "b", "2"))
    assert (left_in(tmp_path), left_in(folder)) == (["case"], ["a"])


def killed_at(rename, folder):
    """Replace a folder in a process that dies before its nth renaming."""
    child = os.fork()
    if not child:
        real, calls = os.rename, []

        def count(*names):
            calls.append(names)
            if len(calls) == rename:
                os.kill(os.getpid(), signal.SIGKILL)
            real(*names)

        os.rename = count
        write_folder(folder, lambda new: write_text(new / "b", "2"))
        os._exit(0)
    return os.WTERMSIG(os.waitpid(child, 0)[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
@pytest.mark.parametrize("rename", [1, 2])
def test_a_folder_whose_replacing_was_killed_is_found_again(tmp_path, rename):
    folder = tmp_path / "case"
    write_folder(folder, lambda new: write_text(new / "a", "1"))
    assert killed_at(rename, folder) == signal.SIGKILL
    restore_folders(tmp_path)
    assert (left_in(tmp_path), left_in(folder)) == (["case"], ["a"])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
def test_the_next_writing_that_fails_leaves_what_a_kill_left(tmp_path):
    folder = tmp_path / "case"
    write_folder(folder, lambda new: write_text(new / "a", "1"))
    killed_at(2, folder)

    def fail(new):
        raise ImageError("no more.")

    with pytest.raises(ImageError, match=r"no more\."):
        write_folder(folder, fail)
    assert (left_in(tmp_path), left_in(folder)) == (["case"], ["a"])


def test_a_disk_that_takes_no_name_any_more_loses_no_folder(tmp_path, monkeypatch):
    folder, real, calls = tmp_path / "case", os.rename, []
    write_folder(folder, lambda new: write_text(new / "a", "1"))

    def rename(*names):
        calls.append(names)
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        real(*names)

    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(StorageError, match="case cannot be written: No space left on device"):
        write_folder(folder, lambda new: write_text(new / "b", "2"))
    assert not folder.exists()
    monkeypatch.undo()
    restore_folders(tmp_path)
    assert (left_in(tmp_path), left_in(folder)) == (["case"], ["a"])
