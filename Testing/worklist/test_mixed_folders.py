"""Folders that hold files and DICOM series beside each other."""

import os

import numpy as np
import pytest
from source_series import write_slices
from volume_files import GRID, SHAPE, VOLUME, blob, written
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.io.dicom_out import segmentation_object, write_segmentation
from VSClickCorrectLib.io.dicom_source import read_source
from VSClickCorrectLib.worklist.cases import find_cases
from VSClickCorrectLib.worklist.worklist import Worklist

MASK = blob()


def scan(path, patient="P", description="t1_mpr post"):
    return write_slices(path, VOLUME, patient, description=description)


def image(path, array=VOLUME.array):
    path.parent.mkdir(parents=True, exist_ok=True)
    return written(path, array, GRID)


def mask(path):
    return image(path, MASK.astype(np.uint8))


def found(root):
    """What each case takes, relative to the folder, and what is told of it."""
    return {
        case.name: (
            {role: path.relative_to(root).as_posix() for role, path in case.files.items()},
            case.problem or case.remark,
        )
        for case in find_cases(root, root / "results")
    }


def test_a_loose_scan_hides_no_patient_s_series(tmp_path):
    image(tmp_path / "Smith_T1ce.nii.gz")
    for patient in ("P1", "P2"):
        scan(tmp_path / patient / "t1", patient)
    assert found(tmp_path) == {
        "P1": ({"t1ce": "P1/t1"}, ""),
        "P2": ({"t1ce": "P2/t1"}, ""),
        "Smith": ({"t1ce": "Smith_T1ce.nii.gz"}, ""),
    }


def test_nor_does_one_in_a_folder_of_several_patients(tmp_path):
    image(tmp_path / "ward" / "T1ce.nii.gz")
    for patient in ("P1", "P2"):
        scan(tmp_path / "ward" / patient, patient)
    assert list(found(tmp_path)) == ["P1", "P2", "ward"]


def test_series_beside_the_files_that_were_made_of_them_are_no_case_more(tmp_path):
    remark = "the DICOM series of '{}' beside its files were not taken"
    image(tmp_path / "P1" / "T1ce.nii.gz")
    scan(tmp_path / "P1" / "dicom", "1001")
    image(tmp_path / "P2" / "nifti" / "T1ce.nii.gz")
    scan(tmp_path / "P2" / "dicom", "1002")
    # Of one name, wherever they lie.
    image(tmp_path / "nifti" / "1003_T1ce.nii.gz")
    image(tmp_path / "1003" / "T1ce.nii.gz")
    scan(tmp_path / "dicom" / "c", "1003")
    # A BIDS tree keeps what it was made of.
    scan(tmp_path / "sourcedata" / "1004", "1004")
    told = found(tmp_path)
    assert {name: files for name, (files, _) in told.items()} == {
        "P1": {"t1ce": "P1/T1ce.nii.gz"},
        "P2_nifti": {"t1ce": "P2/nifti/T1ce.nii.gz"},
        "nifti": {"t1ce": "nifti/1003_T1ce.nii.gz"},
        "1003": {"t1ce": "1003/T1ce.nii.gz"},
    }
    names = {"P1": "1001", "P2_nifti": "1002", "1003": "1003"}
    assert {n: r for n, (_, r) in told.items()} == {
        "nifti": "",
        **{n: remark.format(names[n]) for n in names},
    }


def test_files_of_which_it_is_not_clear_what_they_are_hide_no_series(tmp_path):
    image(tmp_path / "P1" / "scan.nii.gz")
    scan(tmp_path / "P1" / "dicom", "1001")
    remark = "unclear files of 'P1' beside its series were not taken"
    assert found(tmp_path) == {"1001": ({"t1ce": "P1/dicom"}, remark)}


def test_files_of_other_patients_in_the_same_folder_hide_no_series(tmp_path):
    for patient in ("VS-1", "VS-2"):
        image(tmp_path / "cohort" / patient / "T1ce.nii.gz")
    scan(tmp_path / "cohort" / "VS-3" / "dicom", "1003")
    assert found(tmp_path) == {
        "1003": ({"t1ce": "cohort/VS-3/dicom"}, ""),
        **{f"cohort_{p}": ({"t1ce": f"cohort/{p}/T1ce.nii.gz"}, "") for p in ("VS-1", "VS-2")},
    }


@pytest.mark.parametrize("folder", [b"derivatives/M\xfcller", b"docs\xfc"])
def test_a_folder_whose_name_is_no_text_is_no_case_beside_files(tmp_path, folder):
    image(tmp_path / "A_T1ce.nii.gz")
    place = os.path.join(os.fsencode(tmp_path), folder)
    os.makedirs(place)
    open(os.path.join(place, b"a.pdf"), "wb").close()
    assert list(found(tmp_path)) == ["A"]


# Masks


@pytest.mark.parametrize("place", ["P1/t1/mask.nii.gz", "P1/tumour_seg.nrrd", "P1/masks/a.seg.nrrd"])
def test_a_mask_beside_series_is_the_one_to_begin_with(tmp_path, place):
    scan(tmp_path / "in" / "P1" / "t1", "1001")
    scan(tmp_path / "in" / "P1" / "t2", "1001", "t2_space")
    scan(tmp_path / "in" / "P2" / "t1", "1002")
    mask(tmp_path / "in" / place)
    worklist = Worklist.open(tmp_path / "in", tmp_path / "out", "AB")
    assert [case.mask for case in worklist.cases] == [tmp_path / "in" / place, None]
    worklist.go_to("1001")
    grid = worklist.opened.load().grid
    np.testing.assert_array_equal(worklist.opened.saved_mask(grid), MASK)


def test_a_mask_whose_rows_are_stored_the_other_way_round_lies_where_it_is(tmp_path):
    # As converters from DICOM to NIfTI write them.
    scan(tmp_path / "P1" / "t1", "1001")
    affine = GRID.affine.copy()
    affine[:3, 3] += affine[:3, 1] * (SHAPE[1] - 1)
    affine[:3, 1] *= -1
    written(
        tmp_path / "P1" / "mask.nii.gz",
        np.ascontiguousarray(MASK[:, ::-1]).astype(np.uint8),
        Grid(SHAPE, affine),
    )
    (case,) = find_cases(tmp_path, tmp_path / "out")
    np.testing.assert_array_equal(case.load_mask(case.load().grid), MASK)


def test_of_a_loose_mask_its_name_tells_whose_it_is(tmp_path):
    for patient in ("P1", "P10"):
        scan(tmp_path / f"series of {patient}", patient)
    mask(tmp_path / "P1_tumour_seg.nii.gz")
    mask(tmp_path / "masks" / "p10_mask.nii.gz")
    assert found(tmp_path) == {
        "P1": ({"t1ce": "series of P1", "mask": "P1_tumour_seg.nii.gz"}, ""),
        "P10": ({"t1ce": "series of P10", "mask": "masks/p10_mask.nii.gz"}, ""),
    }


def test_a_mask_of_which_nobody_knows_whose_it_is_is_told(tmp_path):
    for patient in ("P1", "P2"):
        scan(tmp_path / patient, patient)
    mask(tmp_path / "mask.nii.gz")
    remark = "mask.nii.gz may be its mask and was not taken"
    assert found(tmp_path) == {p: ({"t1ce": p}, remark) for p in ("P1", "P2")}
    # The name of another than the one beside whom it lies.
    (tmp_path / "mask.nii.gz").rename(tmp_path / "P2" / "P1_mask.nii.gz")
    assert found(tmp_path)["P2"] == ({"t1ce": "P2"}, "P1_mask.nii.gz may be its mask and was not taken")
    assert found(tmp_path)["P1"] == ({"t1ce": "P1"}, "")


@pytest.mark.parametrize("place", ["P2_mask.nii.gz", "P1/P2_mask.nii.gz", "VS-9_tumour_seg.nii.gz"])
def test_a_mask_that_names_another_patient_is_told_and_not_taken(tmp_path, place):
    scan(tmp_path / "P1" / "t1", "1001")
    mask(tmp_path / place)
    name = place.rsplit("/", 1)[-1]
    assert found(tmp_path) == {"1001": ({"t1ce": "P1/t1"}, f"{name} may be its mask and was not taken")}


def test_a_mask_that_names_the_folder_of_one_of_two_patients_is_that_one_s(tmp_path):
    for folder, patient in (("P1", "1001"), ("P2", "1002")):
        scan(tmp_path / folder / "t1", patient)
    mask(tmp_path / "P1_mask.nii.gz")
    assert found(tmp_path) == {
        "1001": ({"t1ce": "P1/t1", "mask": "P1_mask.nii.gz"}, ""),
        "1002": ({"t1ce": "P2/t1"}, ""),
    }


def test_a_mask_in_a_folder_next_to_the_one_of_the_series_is_told(tmp_path):
    scan(tmp_path / "P1" / "DICOM" / "t1", "P1")
    mask(tmp_path / "P1" / "NIFTI" / "mask.nii.gz")
    mask(tmp_path / "P2" / "mask.nii.gz")
    assert found(tmp_path) == {
        "P1": ({"t1ce": "P1/DICOM/t1"}, "mask.nii.gz may be its mask and was not taken")
    }


def test_masks_of_no_tumour_are_none_and_of_several_none_is_guessed(tmp_path):
    scan(tmp_path / "P1", "P1")
    mask(tmp_path / "P1" / "brain_mask.nii.gz")
    assert found(tmp_path) == {"P1": ({"t1ce": "P1"}, "")}
    for name in ("mask_AB", "mask_CD"):
        mask(tmp_path / "P1" / f"{name}.nii.gz")
    assert "several files for its mask (mask_AB.nii.gz and mask_CD.nii.gz)" in found(tmp_path)["P1"][1]


def test_a_dicom_segmentation_goes_before_a_mask_of_another_format(tmp_path):
    series = scan(tmp_path / "P1" / "t1", "P1")
    made = segmentation_object(read_source(series, GRID), MASK, GRID)
    write_segmentation(tmp_path / "P1" / "seg.dcm", made)
    mask(tmp_path / "P1" / "mask.nii.gz")
    files, remark = found(tmp_path)["P1"]
    assert files == {"t1ce": "P1/t1", "mask": "P1/seg.dcm"}
    assert remark == "mask.nii.gz may be its mask and was not taken"
