"""Whose a T1ce and a T2 are: other patients are refused, other frames of reference told."""

import numpy as np
import pytest
from volume_files import PLAIN, VOLUME, written
from vs_seg_files import set_headers, write_series
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io.images import read_case, read_volume

FRAME = "1.2.3.4"
REMARK = "T1ce and T2 have different frames of reference; look whether they are registered."


@pytest.fixture
def scans(tmp_path):
    """Writes a T1ce and a T2, each with what is given of its header."""

    def write(t1ce=(), t2=()):
        first = {"description": "t1_mpr post", "frame": FRAME, **dict(t1ce)}
        second = {"description": "t2_ci3d", "frame": FRAME, **dict(t2)}
        return (
            write_series(tmp_path / "t1", VOLUME.array, PLAIN, "1.2.1", **first),
            write_series(tmp_path / "t2", VOLUME.array + 5, PLAIN, "1.2.2", **second),
        )

    return write


def test_one_patient_and_one_frame_say_nothing(scans):
    assert read_case(*scans()).remarks == []


@pytest.mark.parametrize("other", ["SOMEONE-ELSE", "VS-SEG-02", "P 2"])
def test_another_patient_s_t2_is_refused_unless_that_is_said_to_be_right(scans, other):
    paths = scans(t2={"patient": other})
    with pytest.raises(
        ImageError, match=f"patient 'VS-SEG-002' and the T2 of '{other}'; give scans of one pa"
    ):
        read_case(*paths)
    case = read_case(*paths, different_patients=True)
    assert np.array_equal(case.t2.array, VOLUME.array + 5)
    assert case.remarks == [f"The T1ce of 'VS-SEG-002' and the T2 of '{other}' are taken for one patient's."]


def test_another_frame_of_reference_is_told(scans):
    assert read_case(*scans(t2={"frame": "8.8.8"})).remarks == [REMARK]


@pytest.mark.parametrize("what", [{"patient": ""}, {"frame": ""}, {"patient": " vs-seg-002 "}])
def test_what_a_header_does_not_say_is_no_contradiction(scans, what):
    assert read_case(*scans(t2=what)).remarks == []


def test_one_patient_in_two_alphabets_is_one(scans):
    first, second = scans()
    set_headers(first, SpecificCharacterSet="ISO_IR 100", PatientID="Prüf-1".encode("latin-1"))
    set_headers(second, SpecificCharacterSet="ISO_IR 192", PatientID="Prüf-1".encode())
    assert read_volume(first).scan.patient == "Prüf-1"
    assert read_case(first, second).remarks == []


def test_files_that_do_not_say_whose_they_are_go_with_any(tmp_path, scans):
    first, second = scans(t2={"patient": "SOMEONE-ELSE"})
    nifti = written(tmp_path / "t1.nii.gz", VOLUME.array, PLAIN)
    assert read_case(nifti, second).remarks == []
    assert read_case(first, None).remarks == []


def test_sequences_that_are_called_something_else_are_told(scans):
    first, second = scans()
    assert read_case(second, first).remarks == [
        "The T1ce is called 't2_ci3d', which is a T2; check it.",
        "The T2 is called 't1_mpr post', which is a T1; check it.",
    ]
    paths = scans(t2={"description": "t2_tirm_flair"})
    assert read_case(*paths).remarks == [
        "The T2 is called 't2_tirm_flair', which is neither T1 nor T2; check it."
    ]


def test_one_file_of_dicom_says_whose_it_is_too(scans, tmp_path):
    first, _ = scans()
    path = sorted(first.iterdir())[0]
    from VSClickCorrectLib.io.image_files import read_image
    from VSClickCorrectLib.io.pairing import scan_of

    assert scan_of(read_image(path)).patient == "VS-SEG-002"


def test_files_that_are_called_something_else_are_told(tmp_path):
    t1ce, t2, mask = (tmp_path / name for name in ("T1ce.nii.gz", "case_hrT2.nii.gz", "VS_mask.nii.gz"))
    for number, path in enumerate((t1ce, t2, mask)):
        written(path, VOLUME.array + number, PLAIN)
    assert read_case(t1ce, t2).remarks == []
    assert read_case(t2, t1ce).remarks == [
        "The T1ce is the file 'case_hrT2.nii.gz', by its name a T2; check it.",
        "The T2 is the file 'T1ce.nii.gz', by its name a T1; check it.",
    ]
    assert read_case(mask, None).remarks == [
        "The T1ce is the file 'VS_mask.nii.gz', by its name a mask; check it."
    ]


def test_one_image_that_was_named_for_both_is_told(tmp_path):
    scan = written(tmp_path / "scan.nii.gz", VOLUME.array, PLAIN)
    assert read_case(scan, scan).remarks == [
        "T1ce and T2 hold the same voxels; look whether one image was named for both."
    ]
