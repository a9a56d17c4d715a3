"""Cases that came as DICOM: the label, and DICOM objects beside it that come and go with it."""

import numpy as np
import pydicom
import pytest
from source_series import write_slices
from volume_files import GRID, SHAPE, VOLUME, blob, written
from VSClickCorrectLib.imaging import dicom_headers
from VSClickCorrectLib.imaging.dicom_out import NAMES, SEGMENTATION
from VSClickCorrectLib.imaging.io import read_mask
from VSClickCorrectLib.worklist.worklist import Worklist

MASK = blob()


@pytest.fixture
def cases(tmp_path):
    """Two patients as DICOM folders; the list goes by PatientID."""
    for name in ("VS-1", "VS-2"):
        write_slices(tmp_path / "cases" / name / "t1_mpr", VOLUME, patient=name)
    return tmp_path / "cases"


@pytest.fixture
def worklist(cases, tmp_path):
    return Worklist.open(cases, tmp_path / "out", "AB")


def objects(worklist, label="VS1"):
    folder = worklist.output / "dicom" / f"sub-{label}"
    return {path.name: path for path in folder.iterdir()} if folder.exists() else {}


def test_a_case_that_is_done_has_its_dicom_too(worklist):
    worklist.go_to("VS-1")
    np.testing.assert_array_equal(read_mask(worklist.done(MASK, GRID, "VS-1"), GRID), MASK)
    found = objects(worklist)
    assert sorted(found) == sorted(NAMES)
    np.testing.assert_array_equal(read_mask(found[SEGMENTATION], GRID), MASK)
    assert {pydicom.dcmread(path).PatientID for path in found.values()} == {"VS-1"}
    assert worklist.remark == ""
    # Done again, with another mask.
    worklist.go_to("VS-1")
    worklist.done(~MASK, GRID, "VS-1")
    np.testing.assert_array_equal(read_mask(objects(worklist)[SEGMENTATION], GRID), ~MASK)


@pytest.mark.parametrize("leave", [lambda w: w.skip("blurred"), lambda w: (w.start_over(), w.close())])
def test_what_is_withdrawn_has_no_dicom(worklist, leave):
    worklist.go_to("VS-1")
    worklist.done(MASK, GRID, "VS-1")
    worklist.go_to("VS-1")
    leave(worklist)
    assert objects(worklist) == {}
    assert not worklist.label_path("VS-1").exists()


def test_an_empty_mask_has_a_label_and_no_dicom(worklist):
    worklist.go_to("VS-1")
    worklist.done(MASK, GRID, "VS-1")
    worklist.go_to("VS-1")
    assert not read_mask(worklist.done(np.zeros(SHAPE, bool), GRID, "VS-1"), GRID).any()
    assert (objects(worklist), worklist.remark) == ({}, "")


def test_without_highdicom_the_label_stands_and_a_sentence_says_what_to_install(worklist, monkeypatch):
    worklist.go_to("VS-1")
    worklist.done(~MASK, GRID, "VS-1")

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(dicom_headers, "import_module", missing)
    worklist.go_to("VS-1")
    np.testing.assert_array_equal(read_mask(worklist.done(MASK, GRID, "VS-1"), GRID), MASK)
    assert worklist.remark.startswith("No DICOM was written: to write DICOM highdicom is needed; install")
    # Nor is the older mask's DICOM left.
    assert objects(worklist) == {}
    assert worklist.record("VS-1").state.value == "done"


def test_other_kinds_of_files_have_none(tmp_path):
    for name in ("VS-1", "VS-2"):
        (tmp_path / "cases" / name).mkdir(parents=True)
        written(tmp_path / "cases" / name / "T1ce.nii.gz", VOLUME.array, GRID)
    worklist = Worklist.open(tmp_path / "cases", tmp_path / "out")
    worklist.go_to("VS-1")
    worklist.done(MASK, GRID, "VS-1")
    assert (objects(worklist), worklist.remark) == ({}, "")
    assert not (worklist.output / "dicom").exists()
