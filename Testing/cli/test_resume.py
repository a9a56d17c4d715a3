"""``vsclick resume``: from a journal back to the mask."""

import numpy as np
import pytest
import SimpleITK as sitk
from bright_ball import GRID
from VSClickCorrectLib.cli.main import main
from VSClickCorrectLib.io.images import read_mask
from written_journals import older as older_journal


@pytest.fixture
def corrected(vsclick, files, tmp_path):
    """A mask that was corrected, with its journal."""
    mask, journal = tmp_path / "corrected.nii.gz", tmp_path / "journal.jsonl"
    arguments = ("--t1ce", files.t1ce, "--mask", files.mask, "--clicks", files.clicks)
    assert vsclick("correct", *arguments, "--output", mask, "--journal", journal) == 0
    return read_mask(mask, GRID), journal


def resume(*arguments):
    return main(["resume", *map(str, arguments)])


def test_the_journal_and_the_image_give_the_mask_back_voxel_for_voxel(corrected, files, tmp_path, capsys):
    mask, journal = corrected
    capsys.readouterr()
    assert resume(journal, "--t1ce", files.t1ce, "--output", tmp_path / "again.nii.gz") == 0
    np.testing.assert_array_equal(read_mask(tmp_path / "again.nii.gz", GRID), mask)
    assert capsys.readouterr().out.startswith(f"3 clicks stand, round 1; {mask.sum()} voxels written to ")


def test_a_label_without_the_mask_that_has_it_is_not_passed_over(corrected, files, tmp_path, capsys):
    output = tmp_path / "again.nii.gz"
    capsys.readouterr()
    assert resume(corrected[1], "--t1ce", files.t1ce, "--label", 7, "--output", output) == 2
    said = capsys.readouterr()
    assert said.err == "vsclick: --label chooses from the labels of a mask; name it with --mask.\n"
    assert said.out == "" and not output.exists()


def test_an_older_journal_is_resumed_with_the_mask_it_began_with(corrected, files, tmp_path):
    mask, journal = corrected
    journal.write_text(older_journal(journal.read_text(encoding="utf-8"), 1), encoding="utf-8")
    arguments = (journal, "--t1ce", files.t1ce, "--mask", files.mask)
    assert resume(*arguments, "--output", tmp_path / "again.seg.nrrd") == 0
    np.testing.assert_array_equal(read_mask(tmp_path / "again.seg.nrrd", GRID), mask)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "does not exist"),
        ("", "is empty"),
        ("words\nwords\n", "journal.jsonl cannot be understood"),
        ('{"event": "round", "round": 2}\n', "does not hold the mask with which it began"),
    ],
)
def test_a_journal_that_cannot_be_used_is_one_sentence(files, tmp_path, capsys, content, words):
    path = tmp_path / "journal.jsonl"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    assert resume(path, "--t1ce", files.t1ce, "--output", tmp_path / "mask.nii.gz") == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert not (tmp_path / "mask.nii.gz").exists()


def test_the_wrong_mask_is_refused_and_an_older_output_stays(corrected, files, older, tmp_path, capsys):
    _, journal = corrected
    arguments = (journal, "--t1ce", files.t1ce, "--mask", tmp_path / "corrected.nii.gz", "--force")
    assert resume(*arguments, "--output", older) == 2
    assert "not the one with which the journal began" in capsys.readouterr().err
    assert older.read_bytes() == b"the mask of yesterday"


def test_another_file_is_replaced_by_force_alone(corrected, files, older, capsys):
    mask, journal = corrected
    arguments = (journal, "--t1ce", files.t1ce, "--output", older)
    assert resume(*arguments) == 2
    assert "is there already; name another, or replace it with --force" in capsys.readouterr().err
    assert older.read_bytes() == b"the mask of yesterday"
    assert resume(*arguments, "--force") == 0
    np.testing.assert_array_equal(read_mask(older, GRID), mask)


def test_another_image_on_the_same_grid_is_taken_only_if_one_says_so(corrected, files, tmp_path, capsys):
    mask, journal = corrected
    other, output = tmp_path / "defaced.nii.gz", tmp_path / "again.nii.gz"
    sitk.WriteImage(sitk.ReadImage(str(files.t1ce)) * 0, str(other))
    arguments = (journal, "--t1ce", other, "--output", output)
    assert resume(*arguments) == 2
    assert "belongs to another image on the same grid" in capsys.readouterr().err
    assert not output.exists()
    assert resume(*arguments, "--other-image") == 0
    np.testing.assert_array_equal(read_mask(output, GRID), mask)


def test_the_mask_with_which_the_correction_began_is_not_written_over(corrected, files, tmp_path, capsys):
    _, journal = corrected
    mask = tmp_path / "began.nii.gz"
    mask.write_bytes(files.mask.read_bytes())
    (tmp_path / "alias.nii.gz").symlink_to(mask)
    for output in (mask, tmp_path / "alias.nii.gz"):
        assert resume(journal, "--t1ce", files.t1ce, "--mask", mask, "--output", output) == 2
        assert "is one of the files to be read" in capsys.readouterr().err
    assert mask.read_bytes() == files.mask.read_bytes()
