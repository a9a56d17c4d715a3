"""Folders that links lead to are walked into, once."""

import errno
import os

import pytest
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io.folders import walk


@pytest.fixture
def root(tmp_path):
    for folder in ("root/P1", "root/.hidden", "elsewhere/P2/scans"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.nii").write_text("a scan")
    return tmp_path / "root"


def walked(root):
    return [folder.relative_to(root).as_posix() for folder, _, _ in walk(root)]


def test_links_are_followed_and_hidden_folders_left_out(root):
    (root / "P2").symlink_to("../elsewhere/P2")
    assert walked(root) == [".", "P1", "P2", "P2/scans"]


def test_a_folder_is_taken_where_it_lies_and_once(root):
    (root / "A1").symlink_to("P1")
    (root / "scans").symlink_to("../elsewhere/P2/scans")
    (root / "ZZ").symlink_to("../elsewhere/P2")
    assert walked(root) == [".", "P1", "ZZ", "scans"] or walked(root) == [".", "P1", "scans", "ZZ"]


@pytest.mark.parametrize("target", [".", "..", "/", "loop", "P1/back"])
def test_a_link_that_leads_back_ends_nothing(root, target):
    (root / "P1" / "back").symlink_to("../P1")
    (root / "loop").symlink_to(target)
    assert walked(root) == [".", "P1"]


def test_names_that_are_no_text_are_walked_into(root):
    os.mkdir(os.fsencode(root) + b"/bad\xff")
    assert os.fsdecode(b"bad\xff") in walked(root)


@pytest.mark.parametrize(
    ("number", "passed_over"), [(errno.EIO, False), (errno.ESTALE, False), (errno.EACCES, True)]
)
def test_what_a_failing_drive_does_not_show_is_not_gone(root, monkeypatch, number, passed_over):
    really = os.scandir

    def scandir(path):
        if str(path).endswith("P1"):
            raise OSError(number, os.strerror(number), str(path))
        return really(path)

    monkeypatch.setattr(os, "scandir", scandir)
    if passed_over:
        assert walked(root) == ["."]
    else:
        with pytest.raises(ImageError, match="P1 cannot be read .*check the disk or the network"):
            walked(root)
