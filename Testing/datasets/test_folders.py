"""Folders that links lead to are walked into, once."""

import os

import pytest
from VSClickCorrectLib.datasets.folders import walk


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
