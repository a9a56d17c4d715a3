"""VS-SEG: whatever the folders are called, files are joined by patient and series."""

import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
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
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io.images import read_volume
from VSClickCorrectLib.io.series_choice import Series
from VSClickCorrectResearch.datasets.listed import read_case_list
from VSClickCorrectResearch.datasets.vs_seg import find_cases

VS_SEG = Path(__file__).resolve().parents[4] / "shared" / "data" / "vs-seg-001"
needs_vs_seg = pytest.mark.skipif(not VS_SEG.is_dir(), reason=f"{VS_SEG} is not here")


def convenient(root):
    """The layout of the publishers' scripts, contours and matrices merged in."""
    t1, t2 = write_t1(root / "vs_gk_2_t1"), write_t2(root / "vs_gk_2_t2")
    write_contours(t1 / "contours.json", STRUCTURES)
    moved = {name: mapped(contours) for name, contours in STRUCTURES.items()}
    write_contours(t2 / "contours.json", moved, T2_UID)
    write_matrix(t1 / "inv_T1_LPS_to_T2_LPS.tfm", in_lps(np.linalg.inv(MATRIX)), T1_UID)
    write_matrix(t2 / "inv_T2_LPS_to_T1_LPS.tfm", in_lps(MATRIX))
    (t1 / "metadata.csv").write_text("Series UID\n")
    return root


def descriptive(root):
    """TCIA's layout, contours and matrices in folders of their own, an RTSTRUCT beside."""
    study = root / "manifest-1" / "Vestibular-Schwannoma-SEG" / PATIENT / "09-04-1994-NA-MRI-87320"
    write_t1(study / "2.000000-t1flair-15797")
    write_t2(study / "4.000000-t2cisstra-90810")
    write_rtstruct(study / "1.000000-05465" / "1-1.dcm", {"TV": [circle(CENTER, 3.0)]})
    write_contours(root / "contours" / "vs_gk_2_t1" / "contours.json", STRUCTURES)
    write_matrix(root / "matrices" / "vs_gk_2_t1" / "inv_T1_LPS_to_T2_LPS.tfm", in_lps(np.linalg.inv(MATRIX)))
    return root


@pytest.mark.parametrize("layout", [convenient, descriptive])
def test_case_lies_on_the_t1ce_with_label_and_t2_brought_there(tmp_path, layout):
    case, record = the_case(layout(tmp_path / "download"), tmp_path)
    assert case.grid.matches(GRID, 1e-4)
    assert np.array_equal(case.case.t1ce.array, ramp(points()))
    assert np.array_equal(case.truth, disc())
    # A point's grey is the same in both but for 1000, away from the border that the T2 does not reach.
    difference = case.case.t2.array.astype(int) - case.case.t1ce.array
    assert np.abs(difference[1:-1, 12:28, 12:28] - 1000).max() <= 2
    assert record["t2_placed_by"] == "matrix"
    assert record["structures"] == {"tumour": ["TV"], "left_out": ["Vol2016", "cochlea"], "drawn_on": "t1"}
    assert record["label_mm3"] == pytest.approx(disc().sum() * 1.5)
    assert not Path(record["sources"]["contours"]["path"]).is_absolute()


def test_rtstruct_is_used_where_there_are_no_original_contours(tmp_path):
    root = tmp_path / "download"
    write_t1(root / "a")
    write_rtstruct(root / "a" / "RTSS.dcm", STRUCTURES)
    case, record = the_case(root, tmp_path)
    assert np.array_equal(case.truth, disc())
    assert case.case.t2 is None
    assert record["sources"]["contours"]["path"] == "a/RTSS.dcm"


@pytest.mark.parametrize("drop", ["name", "entry"])
def test_an_rtstruct_without_a_patient_or_with_a_nameless_structure_is_read(tmp_path, drop):
    root = tmp_path / "download"
    write_t1(root / "a")
    path = write_rtstruct(root / "a" / "RTSS.dcm", {"TV": TUMOUR, "nobody": TUMOUR})
    dataset = pydicom.dcmread(path)
    del dataset.PatientID
    if drop == "name":
        del dataset.StructureSetROISequence[1].ROIName
    else:
        dataset.StructureSetROISequence.pop()
    dataset.save_as(path)
    case, record = the_case(root, tmp_path)
    assert np.array_equal(case.truth, disc())
    assert record["structures"]["left_out"] == ["ROI 2"]


def test_contours_that_an_rtstruct_stores_twice_are_the_tumour_not_nothing(tmp_path):
    root = tmp_path / "download"
    write_t1(root / "a")
    write_rtstruct(root / "a" / "RTSS.dcm", {"TV ": TUMOUR * 2})
    case, _ = the_case(root, tmp_path)
    assert np.array_equal(case.truth, disc())


@pytest.mark.parametrize("kind", ["OPEN_PLANAR", "OPEN_NONPLANAR"])
def test_lines_that_are_not_closed_are_told_not_left_out(tmp_path, kind):
    root = tmp_path / "download"
    write_t1(root / "a")
    write_rtstruct(root / "a" / "RTSS.dcm", {"TV": TUMOUR}, kinds=["CLOSED_PLANAR", "CLOSED_PLANAR", kind])
    outcome = imported(root, tmp_path)[PATIENT]
    assert outcome.status == "failed"
    assert "RTSS.dcm, structure TV holds lines that are not closed; close them" in outcome.message


def test_contours_of_which_one_cuts_holes_into_others_are_read(tmp_path):
    root = tmp_path / "download"
    write_t1(root / "a")
    hole = [circle(c.mean(axis=0), 3.3) for c in TUMOUR]
    write_rtstruct(root / "a" / "RTSS.dcm", {"TV": TUMOUR + hole}, kinds=["CLOSEDPLANAR_XOR"] * 6)
    case, _ = the_case(root, tmp_path)
    assert np.array_equal(case.truth, disc() & (np.linalg.norm((points() - CENTER)[..., :2], axis=-1) > 3.3))


def test_missing_pydicom_is_a_sentence_for_the_patient_who_needs_it(tmp_path, monkeypatch):
    root = tmp_path / "download"
    write_t1(root / "a")
    write_rtstruct(root / "a" / "RTSS.dcm", STRUCTURES)
    write_t1(root / "b", uid="1.2.9", patient="VS-SEG-003")
    write_contours(root / "b" / "contours.json", STRUCTURES, "1.2.9", "VS-SEG-003")
    monkeypatch.setitem(__import__("sys").modules, "pydicom", None)
    outcomes = imported(root, tmp_path)
    assert "pydicom is needed; install vsclickcorrect[datasets]" in outcomes[PATIENT].message
    assert outcomes["VS-SEG-003"].status == "imported"


def test_tumour_drawn_on_the_t2_is_brought_to_the_t1ce(tmp_path):
    root = tmp_path / "download"
    write_t1(root / "t1")
    write_t2(root / "t2")
    # Half-way between the T1ce's slices; on the T2's after a shift of half a slice.
    shift = np.eye(4)
    shift[2, 3] = 0.75
    drawn = [c + (0, 0, 0.75) for c in TUMOUR[:2]]
    write_contours(root / "c1" / "contours.json", {"TV": drawn})
    write_contours(root / "c2" / "contours.json", {"TV": mapped(drawn, shift)}, T2_UID)
    write_matrix(root / "inv_T2_LPS_to_T1_LPS.tfm", in_lps(shift))
    write_series(root / "t2", ramp(points()), GRID, T2_UID, description="t2_tse3d")
    case, record = the_case(root, tmp_path)
    assert record["structures"]["drawn_on"] == "t2"
    # Two slices of the T2, at S -0.75 and 0.75 mm, are three half-filled and whole ones of the T1ce.
    assert set(np.flatnonzero(case.truth.any(axis=(1, 2)))) <= {3, 4, 5}
    assert case.truth[4].sum() == disc()[4].sum()


@pytest.mark.parametrize(
    "structures, status, message",
    [
        ({"Men": TUMOUR, "cochlea": COCHLEA}, "left out", "there is only Men, cochlea"),
        ({"TV": TUMOUR, "AN": TUMOUR}, "failed", r"holds several tumours (TV, AN)"),
        ({"TV": [circle(CENTER + (0, 0, 0.75), 6.0)]}, "failed", "lies between two slices"),
        ({"TV": [circle((90.0, 0.0, 0.0), 6.0)]}, "failed", "lies outside the image"),
        (
            {"TV": [*TUMOUR, *(c + (6.0, 0.0, 0.0) for c in TUMOUR)]},
            "failed",
            "crosses the contour around R",
        ),
        ({"TV": [circle(CENTER + (0.5, 0.5, 0.0), 0.3)]}, "failed", "enclose no voxel's centre"),
        ({"TV": []}, "failed", "structure TV holds no contour"),
    ],
)
def test_contours_that_cannot_be_used_are_told_by_name(tmp_path, structures, status, message):
    root = tmp_path / "download"
    write_contours(write_t1(root / "a") / "contours.json", structures)
    outcome = imported(root, tmp_path)[PATIENT]
    assert outcome.status == status
    assert message in outcome.message
    assert "contours.json" in outcome.message or status == "left out"


def test_matrix_that_does_not_fit_the_contours_is_refused(tmp_path):
    root = convenient(tmp_path / "download")
    write_matrix(root / "vs_gk_2_t2" / "inv_T2_LPS_to_T1_LPS.tfm", in_lps(np.linalg.inv(MATRIX)))
    outcome = imported(root, tmp_path)[PATIENT]
    assert "inv_T2_LPS_to_T1_LPS.tfm does not bring the contours of T1ce and T2 together" in outcome.message


def test_series_that_cannot_be_used_are_told(tmp_path):
    root = tmp_path / "download"
    write_contours(write_t1(root / "a", without=(3,)) / "contours.json", STRUCTURES)
    write_t1(root / "b", uid="1.2.3", patient="VS-SEG-003")
    write_t1(root / "c", uid="1.2.4", patient="VS-SEG-004")
    write_contours(root / "c" / "contours.json", STRUCTURES, "1.2.4", "VS-SEG-004")
    write_t1(root / "d", uid="1.2.4", patient="VS-SEG-004")
    write_t1(root / "e", uid="1.2.5", patient="VS-SEG-005", description="localizer")
    outcomes = imported(root, tmp_path)
    assert {o.status for o in outcomes.values()} == {"failed"}
    assert "lacks slices" in outcomes[PATIENT].message
    assert "no contours of this patient" in outcomes["VS-SEG-003"].message
    assert "there are 2 T1 series" in outcomes["VS-SEG-004"].message
    assert "neither a T1 nor a T2 series" in outcomes["VS-SEG-005"].message


def test_contours_that_cannot_be_read_fail_the_patients_without_others(tmp_path):
    root = tmp_path / "download"
    write_t1(root / "a")
    (root / "a" / "contours.json").write_text('[{"PatientID": ')
    write_t1(root / "b", uid="1.2.9", patient="VS-SEG-003")
    write_contours(root / "b" / "contours.json", STRUCTURES, "1.2.9", "VS-SEG-003")
    outcomes = imported(root, tmp_path)
    assert "contours.json cannot be read; download them again" in outcomes[PATIENT].message
    assert outcomes["VS-SEG-003"].status == "imported"


def test_t2_without_matrix_lies_where_its_header_puts_it_and_that_is_said(tmp_path):
    root = tmp_path / "download"
    write_contours(write_t1(root / "a") / "contours.json", STRUCTURES)
    t2 = {"uid": T2_UID, "description": "t2_tse3d"}
    write_series(root / "b", ramp(points()) + 1000, GRID, **t2)
    _, record = the_case(root, tmp_path)
    assert record["t2_placed_by"] == "header"
    assert "no matrix and another frame" in record["remarks"][0]
    write_series(root / "b", ramp(points()) + 1000, GRID, frame=f"{T1_UID}.77", **t2)
    _, record = the_case(root, tmp_path)
    assert "remarks" not in record


@pytest.mark.parametrize(
    "description, sequence, weighting",
    [
        ("t1_mpr_tra_gk_v4", "*tfl3d1", "t1"),
        ("t2_ci3d_tra_1.5mm_v2_448_gad", "*ci3d1", "t2"),
        ("t2_tse3d_tra_v2_384", "*tseR3d1rs23", "t2"),
        ("Ax T1 +C, not T2", "*fl3d1", "t1"),
        ("", "*ci3d1", "t2"),
        ("iac", "", None),
        ("set1 scout", "", None),
    ],
)
def test_weighting_is_told_by_description_and_sequence(description, sequence, weighting):
    series = Series(Path(), "1.2", (), "MR", PATIENT, description, "", sequence, "")
    assert series.weighting == weighting


@needs_vs_seg
def test_real_series_lies_where_its_nifti_does(tmp_path):
    root = tmp_path / "download"
    with zipfile.ZipFile(VS_SEG / "dicom.zip") as archive:
        archive.extractall(root)
    uid = "1.3.6.1.4.1.14519.5.2.1.149357697745643823053302398129943470751"
    # A mark on the slice at S -45.5 mm; no outline of the real tumour.
    write_contours(root / "contours.json", {"TV": [circle((20.0, 0.0, -45.5), 4.0)]}, uid, "VS-SEG-001")
    (outcome,) = imported(root, tmp_path).values()
    assert outcome.status == "imported", outcome.message
    nifti = read_volume(VS_SEG / "T1ce.nii.gz")
    image = sitk.ReadImage(str(tmp_path / "cases" / "VS-SEG-001" / "T1ce.nii.gz"))
    assert image.GetSize() == (512, 512, 120)
    written = read_volume(tmp_path / "cases" / "VS-SEG-001" / "T1ce.nii.gz")
    assert written.grid.matches(nifti.grid, 1e-4)
    assert np.array_equal(written.array, nifti.array)
    record = json.loads((tmp_path / "cases" / "VS-SEG-001" / "import.json").read_text())
    assert record["slice_offset"] < 0.01


def test_a_folder_whose_name_is_no_text_fails_alone(tmp_path):
    for name in ("bad", "good"):
        write_series(tmp_path / name, ramp(points()), GRID, patient=name)
    os.rename(tmp_path / "bad", os.fsencode(tmp_path) + b"/bad\xff")
    good, bad = find_cases(tmp_path)
    assert (good.name, bad.name) == ("good", "bad\\xff")
    with pytest.raises(ImageError, match="is not UTF-8 text; rename the folder"):
        bad.read()


@pytest.mark.parametrize(
    ("character_set", "codec"), [("ISO_IR 100", "latin-1"), ("ISO_IR 192", "utf-8"), (None, "latin-1")]
)
def test_headers_in_another_alphabet_are_read_as_they_are_written(tmp_path, character_set, codec):
    root = tmp_path / "download"
    patient, description = "Pr\u00fcf-1", "t1 Sch\u00e4delbasis KM"
    given = {"PatientID": patient.encode(codec), "SeriesDescription": description.encode(codec)}
    if character_set:
        given["SpecificCharacterSet"] = character_set
    set_headers(write_t1(root / "a"), **given)
    write_contours(root / "contours.json", STRUCTURES, patient=patient)
    write_series(root / "b", ramp(points()), GRID, "1.2.7", patient="VS-SEG-003")
    outcomes = imported(root, tmp_path)
    assert outcomes[patient].status == "imported", outcomes[patient].message
    record = json.loads((tmp_path / "cases" / patient / "import.json").read_text("utf-8"))
    assert description in record["sources"]
    (case,) = read_case_list(tmp_path / "cases" / "cases.csv")
    assert case.name == patient
