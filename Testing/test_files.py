"""The one way in which files are written: whole or not at all, on real drives that fail."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from drives import as_nobody
from volume_files import left_in
from VSClickCorrectLib.errors import StorageError, VSClickError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.io.files import (
    changing,
    make_folder,
    sync_folder,
    write_atomically,
    write_text,
)
from VSClickCorrectLib.io.images import read_mask, read_volume, write_mask, write_volume
from VSClickCorrectLib.io.suffixes import MASK_SUFFIXES
from VSClickCorrectLib.io.together import write_together

GRID = Grid((20, 64, 64), np.diag([-1.0, -1.0, 2.0, 1.0]))
# Compresses badly: more than 8 kB as a mask, more than 64 kB as a volume.
NOISE = np.random.default_rng(0).random(GRID.shape) > 0.5
SCAN = Volume(np.random.default_rng(1).integers(0, 30000, GRID.shape, dtype=np.int16), GRID)


@pytest.fixture
def drive(make_drive):
    """A drive of 64 kB."""
    return make_drive(64)


@pytest.mark.parametrize("suffix", MASK_SUFFIXES)
def test_a_mask_on_a_full_disk_leaves_the_older_one_and_can_be_written_once_there_is_room(make_drive, suffix):
    # Uncompressed a mask takes 80 kB.
    drive = make_drive(256 if suffix in (".nii", ".nrrd") else 64)
    path = drive.folder / f"mask{suffix}"
    older = np.zeros(GRID.shape, bool)
    older[3, 4, 5] = True
    write_mask(path, older, GRID)
    drive.fill(leave=8192)
    with pytest.raises(StorageError, match=r"cannot write .*mask"):
        write_mask(path, NOISE, GRID)
    np.testing.assert_array_equal(read_mask(path, GRID), older)
    assert left_in(drive.folder) == ["ballast", path.name]
    drive.make_room()
    write_mask(path, NOISE, GRID)
    np.testing.assert_array_equal(read_mask(path, GRID), NOISE)


@pytest.mark.parametrize("name", ["scan.nii.gz", "scan.nii", "scan.nrrd"])
def test_a_scan_that_does_not_fit_is_not_there(drive, name):
    with pytest.raises(StorageError, match="cannot write"):
        write_volume(drive.folder / name, SCAN)
    assert left_in(drive.folder) == []


def test_a_text_on_a_full_disk_leaves_the_older_one(drive):
    path = drive.folder / "record.json"
    write_text(path, "older\n")
    drive.fill()
    with pytest.raises(StorageError, match=r"No space left on device\.$"):
        write_text(path, "newer\n" * 1000)
    assert path.read_text() == "older\n"
    drive.make_room()
    write_text(path, "newer\n")
    assert (path.read_text(), left_in(drive.folder)) == ("newer\n", ["record.json"])


def test_what_is_no_text_is_written_as_json_has_it(tmp_path):
    path = tmp_path / "record.json"
    write_text(path, json.dumps(["T1\udcff.nii", "Größe"], ensure_ascii=False))
    assert json.loads(path.read_text("utf-8")) == ["T1\udcff.nii", "Größe"]


def test_a_drive_that_becomes_read_only_says_so(drive):
    path = drive.folder / "record.json"
    write_text(path, "older\n")
    drive.become_read_only()
    for act in (
        lambda: write_text(path, "newer\n"),
        lambda: make_folder(drive.folder / "case"),
    ):
        with pytest.raises(StorageError, match="Read-only file system"):
            act()
    drive.become_read_only(False)
    write_text(path, "newer\n")
    assert path.read_text() == "newer\n"


def test_a_drive_that_vanished_says_so_and_gets_the_file_when_it_is_back(drive):
    path = drive.folder / "results" / "record.json"
    make_folder(path.parent)
    drive.vanish()
    with pytest.raises(
        StorageError, match=r"cannot write into .*results \(No such file or directory\); choose"
    ):
        write_text(path, "text\n")
    assert left_in(drive.folder) == []
    drive.come_back()
    write_text(path, "text\n")
    assert path.read_text() == "text\n"


def test_a_folder_without_permission_says_so(tmp_path):
    tmp_path.chmod(0o755)
    for folder in list(tmp_path.parents)[:3]:
        folder.chmod(0o755)
    path = tmp_path / "record.json"
    path.write_text("older\n")

    def act():
        try:
            write_text(path, "newer\n")
        except StorageError as error:
            return str(error)
        return "written"

    assert as_nobody(act) == f"cannot write into {tmp_path} (Permission denied); choose another folder."
    assert (path.read_text(), left_in(tmp_path)) == ("older\n", ["record.json"])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux names an open file")
def test_what_was_written_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    path, steps = tmp_path / "record.json", []
    real = os.fsync

    def fsync(descriptor):
        real(descriptor)
        what = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        steps.append(("synced", what.name, path.exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    write_text(path, "text\n")
    assert steps == [("synced", "record.json", False), ("synced", tmp_path.name, True)]


def test_a_writer_without_an_errno_is_told_in_words(tmp_path):
    def refuse(_path):
        raise RuntimeError("the writer's own words")

    with pytest.raises(
        StorageError, match=r"cannot write .*: the disk may be full or the folder read-only\.$"
    ):
        write_atomically(tmp_path / "scene.mrb", refuse)
    assert left_in(tmp_path) == []


def test_a_file_of_another_disk_content_is_not_taken_for_written(tmp_path, monkeypatch):
    import SimpleITK as sitk

    real = sitk.WriteImage
    monkeypatch.setattr(sitk, "WriteImage", lambda image, *rest, **more: real(image * 0, *rest, **more))
    with pytest.raises(StorageError, match="cannot write"):
        write_mask(tmp_path / "mask.nii.gz", NOISE, GRID)
    assert left_in(tmp_path) == []


def test_what_changes_names_is_told_in_a_sentence(tmp_path):
    sentence = f"^cannot write into {tmp_path} \\(No such file or directory\\); choose another folder"
    with pytest.raises(VSClickError, match=sentence), changing(tmp_path):
        (tmp_path / "gone").rename(tmp_path / "other")


def test_a_folder_that_is_gone_is_not_brought_to_the_disk(tmp_path):
    sync_folder(tmp_path / "gone")
    write_volume(tmp_path / "scan.nrrd", SCAN)
    np.testing.assert_array_equal(read_volume(tmp_path / "scan.nrrd").array, SCAN.array)


@pytest.mark.parametrize("blocked", ["a.dcm", "b.dcm", "c.dcm"])
@pytest.mark.parametrize("older", [(), ("a.dcm",), ("a.dcm", "b.dcm", "c.dcm")])
def test_of_files_that_belong_together_none_is_new_where_one_cannot_be(tmp_path, older, blocked):
    """As where another program holds one of them open on Windows."""
    for name in older:
        (tmp_path / name).write_text(f"older {name}")
    (tmp_path / blocked).unlink(missing_ok=True)
    (tmp_path / blocked).mkdir()
    writers = {name: lambda path: path.write_text("newer") for name in ("a.dcm", "b.dcm", "c.dcm")}
    with pytest.raises(StorageError, match="cannot write into"):
        write_together(tmp_path, writers)
    assert left_in(tmp_path) == sorted({*older, blocked})
    for name in {*older} - {blocked}:
        assert (tmp_path / name).read_text() == f"older {name}"
    (tmp_path / blocked).rmdir()
    write_together(tmp_path, writers)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(writers, "newer")
