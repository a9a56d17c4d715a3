"""VS-SEG: a structure belongs to the series on which it was drawn, whatever else its file holds."""

import json

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from vs_seg_files import (
    PATIENT,
    T1_UID,
    T2_UID,
    circle,
    set_headers,
    write_contours,
    write_matrix,
    write_rtstruct,
    write_series,
)
from vs_seg_patient import (
    CENTER,
    COCHLEA,
    GRID,
    MATRIX,
    STRUCTURES,
    TUMOUR,
    disc,
    imported,
    in_lps,
    mapped,
    points,
    ramp,
    the_case,
    write_t1,
    write_t2,
)
from VSClickCorrectResearch.datasets.listed import read_case_list

MOVED = mapped(TUMOUR)


def both_series(root, one_frame=False):
    frame = {"frame": f"{T1_UID}.77"} if one_frame else {}
    write_t1(root / "t1")
    write_t2(root / "t2", **frame)
    write_matrix(root / "inv_T2_LPS_to_T1_LPS.tfm", in_lps(MATRIX))
    return root


def write_together(path, *files):
    """Put what several ``contours.json`` hold into one."""
    path.write_text(json.dumps([one for file in files for one in json.loads(file.read_text())]))
    for file in files:
        file.unlink()


def item(**values):
    dataset = Dataset()
    for name, value in values.items():
        setattr(dataset, name, value)
    return dataset


def test_one_file_may_hold_the_contours_of_both_series_and_of_other_patients(tmp_path):
    root = both_series(tmp_path / "download")
    other = {"TV": [circle(CENTER, 9.0)]}
    write_together(
        root / "contours.json",
        write_contours(root / "1.json", STRUCTURES),
        write_contours(root / "2.json", {"TV": MOVED}, T2_UID),
        write_contours(root / "3.json", other, "1.2.9", "VS-SEG-003"),
    )
    case, record = the_case(root, tmp_path)
    assert np.array_equal(case.truth, disc())
    assert record["structures"] == {"tumour": ["TV"], "left_out": ["Vol2016", "cochlea"], "drawn_on": "t1"}


@pytest.mark.parametrize("files", ["one", "two"])
def test_tumour_of_one_series_is_used_where_on_the_other_the_cochlea_alone_was_drawn(tmp_path, files):
    root = both_series(tmp_path / "download")
    drawn = (
        write_contours(root / "t1" / "contours.json", {"cochlea": COCHLEA}),
        write_contours(root / "t2" / "contours.json", {"TV": MOVED}, T2_UID),
    )
    if files == "one":
        write_together(root / "contours.json", *drawn)
    case, record = the_case(root, tmp_path)
    assert record["structures"]["drawn_on"] == "t2"
    # Filled on the T2 and turned by 20°, a rim of half voxels aside.
    assert 2 * np.count_nonzero(case.truth & disc()) / np.count_nonzero([case.truth, disc()]) > 0.95


@pytest.mark.parametrize("told_by", ["image", "frame"])
def test_rtstruct_that_names_another_series_first_is_of_the_one_on_which_it_was_drawn(tmp_path, told_by):
    root = both_series(tmp_path / "download", one_frame=told_by == "image")
    path = write_rtstruct(root / "rtss.dcm", {"TV": MOVED})
    dataset = pydicom.dcmread(path)
    first, second = (
        item(
            SeriesInstanceUID=uid,
            ContourImageSequence=[item(ReferencedSOPInstanceUID=f"{uid}.{n}") for n in range(1, 9)],
        )
        for uid in (T1_UID, T2_UID)
    )
    frame = dataset.ReferencedFrameOfReferenceSequence[0]
    if told_by == "image":
        frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence = [first, second]
        for contour in dataset.ROIContourSequence[0].ContourSequence:
            contour.ContourImageSequence = [item(ReferencedSOPInstanceUID=f"{T2_UID}.4")]
    else:
        study = item(RTReferencedSeriesSequence=[item(SeriesInstanceUID=T2_UID)])
        dataset.ReferencedFrameOfReferenceSequence.append(
            item(FrameOfReferenceUID=f"{T2_UID}.77", RTReferencedStudySequence=[study])
        )
        dataset.StructureSetROISequence[0].ReferencedFrameOfReferenceUID = f"{T2_UID}.77"
    dataset.save_as(path)
    case, record = the_case(root, tmp_path)
    assert record["structures"]["drawn_on"] == "t2"
    assert 2 * np.count_nonzero(case.truth & disc()) / np.count_nonzero([case.truth, disc()]) > 0.95


@pytest.mark.parametrize(("frame", "told"), [("1.2.3", True), (f"{T1_UID}.77", False), ("", False)])
def test_contours_in_another_frame_of_reference_than_their_images_are_told(tmp_path, frame, told):
    root = tmp_path / "download"
    write_t1(root / "t1")
    path = write_rtstruct(root / "rtss.dcm", {"TV": TUMOUR})
    dataset = pydicom.dcmread(path)
    dataset.StructureSetROISequence[0].ReferencedFrameOfReferenceUID = frame
    dataset.save_as(path)
    case, record = the_case(root, tmp_path)
    assert np.array_equal(case.truth, disc())
    assert any("lie in another frame of reference" in one for one in record.get("remarks", ())) is told


def test_rtstruct_is_used_where_the_original_contours_are_of_other_series(tmp_path):
    root = tmp_path / "download"
    write_t1(root / "t1")
    write_contours(root / "contours.json", {"TV": MOVED}, T2_UID)
    write_rtstruct(root / "rtss.dcm", {"TV": TUMOUR})
    case, record = the_case(root, tmp_path)
    assert np.array_equal(case.truth, disc())
    # A patient without either is told so.
    (root / "rtss.dcm").unlink()
    assert "no contours of this patient's series" in imported(root, tmp_path)[PATIENT].message


@pytest.mark.parametrize(
    ("name", "matrix"),
    [
        ("inv_T2_LPS_to_T1_LPS.tfm", MATRIX),
        ("T1_LPS_to_T2_LPS.tfm", MATRIX),
        ("inv_T1_LPS_to_T2_LPS.tfm", np.linalg.inv(MATRIX)),
        ("T2_LPS_to_T1_LPS.tfm", np.linalg.inv(MATRIX)),
    ],
)
def test_matrix_maps_as_its_name_says(tmp_path, name, matrix):
    root = both_series(tmp_path / "download")
    (root / "inv_T2_LPS_to_T1_LPS.tfm").unlink()
    write_matrix(root / name, in_lps(matrix))
    write_contours(root / "contours.json", STRUCTURES)
    case, record = the_case(root, tmp_path)
    np.testing.assert_allclose(record["t1ce_to_t2_ras"], MATRIX, atol=1e-6)
    # A point's grey is the same in both but for 1000, away from the border that the T2 does not reach.
    difference = case.case.t2.array.astype(int) - case.case.t1ce.array
    assert np.abs(difference[1:-1, 12:28, 12:28] - 1000).max() <= 2


def test_matrices_of_one_direction_that_differ_are_refused_and_equal_ones_are_one(tmp_path):
    root = both_series(tmp_path / "download")
    write_contours(root / "contours.json", STRUCTURES)
    again = root / "t2" / "inv_T2_LPS_to_T1_LPS.tfm"
    write_matrix(again, in_lps(MATRIX).round(6))
    assert imported(root, tmp_path)[PATIENT].status == "imported"
    shifted = MATRIX.copy()
    shifted[2, 3] += 0.5
    write_matrix(again, in_lps(shifted))
    message = imported(root, tmp_path)[PATIENT].message
    assert "inv_T2_LPS_to_T1_LPS.tfm and " in message
    assert "differ; keep the right one" in message


def test_of_two_series_that_are_called_alike_each_tells_that_a_case_has_changed(tmp_path):
    root = tmp_path / "download"
    for folder, uid in (("a", T1_UID), ("b", "1.2.9")):
        write_t1(root / folder, uid=uid)
    # Of a T1 before and after contrast medium, both called alike, the later is the case's.
    set_headers(root / "a", ContrastBolusAgent="Gadolinium")
    write_contours(root / "contours.json", STRUCTURES)
    assert imported(root, tmp_path)[PATIENT].status == "imported"
    assert imported(root, tmp_path)[PATIENT].status == "unchanged"
    set_headers(write_series(root / "a", ramp(points()) + 7, GRID), ContrastBolusAgent="Gadolinium")
    assert imported(root, tmp_path)[PATIENT].status == "imported"
    (case,) = read_case_list(tmp_path / "cases" / "cases.csv")
    assert np.array_equal(case.load().case.t1ce.array, ramp(points()) + 7)
