"""DICOM in and out of the commands: a mask of a DICOM series becomes DICOM SEG, report and RTSTRUCT."""

import errno
from dataclasses import replace
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
from bright_ball import GRID, ball, ball_volume, dice
from source_series import STUDY, write_both, write_segmentation_of, write_slices
from VSClickCorrectLib.io.dicom_out import CONTOURS, NAMES, REPORT, SEGMENTATION
from VSClickCorrectLib.io.images import read_mask

NEAR = 0.93


@pytest.fixture(scope="session")
def series(tmp_path_factory):
    return write_slices(tmp_path_factory.mktemp("dicom") / "t1ce", ball_volume())


def test_segment_writes_a_segmentation_that_correct_takes_and_gives(vsclick, files, series, tmp_path, capsys):
    found, corrected, folder = tmp_path / "found.dcm", tmp_path / "corrected.dcm", tmp_path / "dicom"
    assert vsclick("segment", "--t1ce", series, "--output", found) == 0
    assert dice(read_mask(found, GRID), ball()) > NEAR
    assert pydicom.dcmread(found).SegmentSequence[0].SegmentAlgorithmType == "AUTOMATIC"
    words = ["--t1ce", series, "--mask", found, "--clicks", files.clicks]
    assert vsclick("correct", *words, "--output", corrected, "--dicom", folder) == 0
    assert f"written to {corrected} and {folder}." in capsys.readouterr().out
    assert sorted(p.name for p in folder.iterdir()) == sorted(NAMES)
    mask = read_mask(corrected, GRID)
    np.testing.assert_array_equal(read_mask(folder / SEGMENTATION, GRID), mask)
    read = [pydicom.dcmread(path) for path in (corrected, *(folder / name for name in NAMES))]
    assert {d.StudyInstanceUID for d in read} == {STUDY}
    # One object under two names, to which the report refers.
    assert read[0].SOPInstanceUID == read[1].SOPInstanceUID
    assert read[1].SegmentSequence[0].SegmentAlgorithmType == "SEMIAUTOMATIC"
    [group] = hd.sr.srread(folder / REPORT).content.get_volumetric_roi_measurement_groups()
    volume = next(m.value for m in group.get_measurements() if m.name.meaning == "Volume")
    assert volume == pytest.approx(mask.sum() * 0.84375)
    assert read[3].Modality == "RTSTRUCT" and (folder / CONTOURS).exists()


@pytest.mark.parametrize("given", [["--t1ce", "--t2"], ["--t2"]])
def test_of_two_series_in_one_folder_the_one_that_was_read_is_referred_to(vsclick, tmp_path, given):
    uids = write_both(tmp_path / "both", ball_volume(), ball_volume(t2=True))
    words = [word for option in given for word in (option, tmp_path / "both")]
    assert vsclick("segment", *words, "--output", tmp_path / "found.dcm") == 0
    [series] = pydicom.dcmread(tmp_path / "found.dcm").ReferencedSeriesSequence
    assert series.SeriesInstanceUID == uids[given == ["--t2"]]


def test_dicom_beside_a_mask_of_another_kind(vsclick, refused, series, tmp_path):
    mask, folder = tmp_path / "mask.nii.gz", tmp_path / "new" / "dicom"
    assert vsclick("segment", "--t1ce", series, "--output", mask, "--dicom", folder) == 0
    np.testing.assert_array_equal(read_mask(folder / SEGMENTATION, GRID), read_mask(mask, GRID))
    # Again, into the same folder.
    again = ("segment", "--t1ce", series, "--output", tmp_path / "other.nii.gz", "--dicom", folder)
    assert f"{folder / SEGMENTATION} is there already" in refused(*again)
    assert vsclick(*again, "--force") == 0


def test_an_empty_mask_leaves_no_objects_of_the_one_that_it_replaces(vsclick, series, tmp_path, capsys):
    """They would tell of a tumour beside a mask that has none."""
    scan = ball_volume()
    nothing = write_slices(tmp_path / "t1ce", replace(scan, array=np.full_like(scan.array, 7)))
    output, folder = tmp_path / "mask.nii.gz", tmp_path / "dicom"
    words = ["--output", output, "--dicom", folder, "--force"]
    assert vsclick("segment", "--t1ce", series, *words) == 0
    (folder / "letter.txt").write_text("somebody else's")
    capsys.readouterr()
    assert vsclick("segment", "--t1ce", nothing, *words) == 0
    assert not read_mask(output, GRID).any()
    assert [path.name for path in folder.iterdir()] == ["letter.txt"]
    told = f"An empty mask was written to {output}, and nothing to {folder}, as it is empty."
    assert told in capsys.readouterr().out


def test_where_one_object_cannot_be_removed_all_stay(refused, vsclick, series, tmp_path, monkeypatch):
    scan = ball_volume()
    nothing = write_slices(tmp_path / "t1ce", replace(scan, array=np.full_like(scan.array, 7)))
    folder = tmp_path / "dicom"
    folder.mkdir()
    words = ["--output", folder / SEGMENTATION, "--dicom", folder, "--force"]
    assert vsclick("segment", "--t1ce", series, *words) == 0
    older, unlink = {path.name: path.read_bytes() for path in folder.iterdir()}, Path.unlink

    def locked(path, missing_ok=False):
        # As Windows does while another program holds it open.
        if path == folder / CONTOURS:
            raise PermissionError(errno.EACCES, "in use", str(path))
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", locked)
    assert str(folder) in refused("segment", "--t1ce", nothing, *words)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == older


@pytest.mark.parametrize("option", ["--output", "--dicom"])
def test_dicom_of_what_is_no_dicom_is_refused_before_any_work(refused, files, tmp_path, option):
    wanted = {"--output": tmp_path / "mask.nii.gz", option: tmp_path / "mask.dcm"}
    words = [word for pair in wanted.items() for word in pair]
    message = refused("segment", "--t1ce", files.t1ce, *words)
    assert "is no DICOM series" in message and "NIfTI or NRRD" in message


def test_the_folder_of_the_series_is_no_place_for_results(refused, series, tmp_path):
    words = ["--output", tmp_path / "mask.nii.gz", "--dicom"]
    assert "is to be read" in refused("segment", "--t1ce", series, *words, series)
    assert "is to be read" in refused("segment", "--t1ce", series, *words, series.parent)
    (tmp_path / REPORT).write_bytes(b"a letter")
    assert "did not write it" in refused("segment", "--t1ce", series, *words, tmp_path)


@pytest.mark.parametrize("name", [REPORT, CONTOURS])
def test_the_mask_takes_no_other_object_s_place(refused, series, tmp_path, name):
    words = ["segment", "--t1ce", series, "--output", tmp_path / name, "--dicom", tmp_path]
    assert "is the place of another DICOM object" in refused(*words)


@pytest.mark.parametrize("name", NAMES)
def test_the_journal_takes_no_object_s_place(refused, files, series, tmp_path, name):
    """It would be written first, and be gone."""
    inputs = ["--t1ce", series, "--mask", files.mask, "--clicks", files.clicks]
    outputs = ["--output", tmp_path / "mask.nii.gz", "--dicom", tmp_path, "--journal", tmp_path / name]
    assert "is the place of a DICOM object" in refused("correct", *inputs, *outputs)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []
    assert not list(tmp_path.iterdir())


def test_a_segmentation_is_no_scan_and_several_segments_are_told(vsclick, refused, series, tmp_path):
    found = tmp_path / "found.dcm"
    assert vsclick("segment", "--t1ce", series, "--output", found) == 0
    message = refused("segment", "--t1ce", found, "--output", tmp_path / "mask.nii.gz")
    assert "not a scan; give it as the mask" in message


def test_where_the_mask_cannot_be_written_no_objects_are_left(refused, series, tmp_path, monkeypatch):
    output, folder = tmp_path / "mask.nii.gz", tmp_path / "dicom"
    folder.mkdir()

    def full(*_words, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    words = ["--t1ce", series, "--output", output, "--dicom", folder]
    with monkeypatch.context() as patch:
        patch.setattr("SimpleITK.WriteImage", full)
        assert f"Cannot write {output}: No space left" in refused("segment", *words)
    # An older mask stays where the objects cannot be written.
    output.write_bytes(b"the mask of yesterday")
    monkeypatch.setattr("VSClickCorrectLib.io.dicom_out.write_together", full)
    assert "No space left" in refused("segment", *words, "--force")


def test_no_slice_is_written_over_even_if_it_is_told_to(refused, tmp_path):
    folder = write_slices(tmp_path / "t1ce", ball_volume())
    one = next(folder.iterdir()).rename(folder / "IM1.dcm")
    message = refused("segment", "--t1ce", folder, "--output", one, "--force")
    assert "IM1.dcm is DICOM and no segmentation" in message


def test_a_mask_that_names_another_patient_is_refused_unless_it_is_told_to_be_right(
    vsclick, refused, files, series, tmp_path
):
    other, output = tmp_path / "other.dcm", tmp_path / "out.nii.gz"
    write_segmentation_of(series, other, ball(), GRID, patient="Eve")
    words = ["correct", "--t1ce", series, "--mask", other, "--clicks", files.clicks, "--output", output]
    said = refused(*words)
    assert "and the mask of 'Eve'; give scans of one patient, or name the option --different-" in said
    assert not output.exists()
    assert vsclick(*words, "--different-patients") == 0
    assert output.exists()


@pytest.mark.parametrize(("frame", "told"), [("1.2.3", True), ("", False)])
def test_a_mask_in_another_frame_of_reference_is_read_and_told(
    vsclick, files, series, tmp_path, capsys, frame, told
):
    mask = write_segmentation_of(series, tmp_path / "other.dcm", ball(), GRID, frame=frame)
    words = ["correct", "--t1ce", series, "--mask", mask, "--clicks", files.clicks]
    assert vsclick(*words, "--output", tmp_path / "out.nii.gz") == 0
    remark = "Image and mask have different frames of reference; look whether the mask is of this scan."
    assert (remark in capsys.readouterr().out) is told
