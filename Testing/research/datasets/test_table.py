"""Cases that a CSV file lists: any images, with a transform where one is known."""

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from bright_ball import GRID as BALL_GRID
from bright_ball import ball, ball_volume
from source_series import write_segmentation_of, write_slices
from volume_files import GRID, PLAIN, SHAPE, VOLUME, blob, written
from VSClickCorrectLib.cli.main import main
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.io.images import read_volume, write_mask
from VSClickCorrectLib.io.pairing import MASK_FRAME
from VSClickCorrectLib.jobs.cases import ThisProcess
from VSClickCorrectResearch.datasets.importing import import_cases
from VSClickCorrectResearch.datasets.listed import read_case_list
from VSClickCorrectResearch.datasets.table import find_cases


@pytest.fixture
def scans(tmp_path):
    folder = tmp_path / "scans"
    folder.mkdir()
    written(folder / "t1.nrrd", VOLUME.array, GRID)
    written(folder / "label.nii.gz", blob().astype(np.uint8) * 3, GRID)
    written(folder / "mask.nrrd", (~blob()).astype(np.uint8), GRID)
    return folder


def table(folder, *lines):
    path = folder / "cases.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def imported(path, output, *more):
    return import_cases(find_cases(path, *more), path.parent, output, lambda _: None, ThisProcess())


def test_listed_case_is_imported_with_its_mask(scans, tmp_path):
    path = table(scans, "case,t1ce,t2,label,mask", "one,t1.nrrd,,label.nii.gz,mask.nrrd")
    (outcome,) = imported(path, tmp_path / "cases")
    assert outcome.status == "imported", outcome.message
    case = read_case_list(tmp_path / "cases" / "cases.csv")[0].load()
    assert np.array_equal(case.case.t1ce.array, VOLUME.array)
    assert np.array_equal(case.truth, blob())
    assert np.array_equal(case.start, ~blob())
    assert case.grid.matches(GRID, 1e-4)
    assert outcome.record["sources"]["t1ce"]["path"] == "t1.nrrd"


def test_a_dicom_mask_of_another_patient_is_refused_and_one_in_another_frame_is_told(tmp_path):
    series = write_slices(tmp_path / "t1", ball_volume(), patient="P1")
    write_segmentation_of(series, tmp_path / "Eve.dcm", ball(), BALL_GRID, "Eve")
    write_segmentation_of(series, tmp_path / "frame.dcm", ball(), BALL_GRID, "P1", "1.2.3")
    rows = ("case,t1ce,label,mask", "one,t1,Eve.dcm,", "two,t1,frame.dcm,", "three,t1,frame.dcm,Eve.dcm")
    one, two, three = imported(table(tmp_path, *rows), tmp_path / "cases")
    said = "the image is of patient 'P1' and the mask of 'Eve'"
    assert said in one.message and said in three.message
    assert two.record["remarks"] == [MASK_FRAME]
    (case,) = read_case_list(tmp_path / "cases" / "cases.csv")
    assert np.array_equal(case.load().truth, ball())
    # Whoever reads a list has no such option; `vsclick import csv` has.
    with pytest.raises(
        ImageError, match="case one: the image is of patient 'P1' and the mask of 'Eve'; corr"
    ) as e:
        read_case_list(table(tmp_path, *rows[:2]))[0].load()
    assert str(e.value).endswith("import it first by 'vsclick import csv' with --different-patients.")


def test_listed_sequences_of_two_patients_are_imported_by_whoever_says_that_they_are_one(tmp_path):
    for name, patient in (("t1", "P1"), ("t2", "P2")):
        write_slices(tmp_path / name, ball_volume(t2=name == "t2"), patient=patient, description=name)
    write_mask(tmp_path / "label.nii.gz", ball(), BALL_GRID)
    path = table(tmp_path, "case,t1ce,t2,label", "one,t1,t2,label.nii.gz")
    said = (
        "case one: the T1ce is of patient 'P1' and the T2 of 'P2'; correct the list or, if the two are one, "
    )
    with pytest.raises(
        ImageError, match=f"^{said}import it first by 'vsclick import csv' with --different-pat"
    ):
        read_case_list(path)[0].load()
    words = ["import", "csv", str(path), "--output", str(tmp_path / "cases"), "--different-patients"]
    assert main(words) == 0
    assert np.array_equal(read_case_list(tmp_path / "cases" / "cases.csv")[0].load().truth, ball())


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd"])
def test_what_says_nothing_of_place_and_sides_says_nothing_after_the_import_either(tmp_path, suffix):
    values = {"t1": VOLUME.array, "label": blob().astype(np.uint8), "mask": (~blob()).astype(np.uint8)}
    for name, array in values.items():
        image = nib.Nifti1Image(array.transpose(2, 1, 0), None)
        image.header.set_zooms((0.7, 0.8, 2.5))
        nib.save(image, tmp_path / f"{name}.nii.gz")
    if suffix == ".nrrd":
        fields = "type: short\ndimension: 3\nsizes: 7 6 5\nspacings: 0.7 0.8 2.5\nencoding: raw"
        voxels = VOLUME.array.astype("<i2").tobytes()
        (tmp_path / "t1.nrrd").write_bytes(f"NRRD0004\n{fields}\nendian: little\n\n".encode() + voxels)
    path = table(tmp_path, "case,t1ce,label,mask", f"one,t1{suffix},label.nii.gz,mask.nii.gz")
    (outcome,) = imported(path, tmp_path / "cases")
    assert outcome.status == "imported", outcome.message
    for name, key in (("T1ce", "t1"), ("label", "label"), ("mask", "mask")):
        found = nib.load(tmp_path / "cases" / "one" / f"{name}.nii.gz")
        assert [found.header["qform_code"], found.header["sform_code"]] == [0, 0]
        np.testing.assert_allclose(found.header.get_zooms(), (0.7, 0.8, 2.5), rtol=1e-6)
        np.testing.assert_array_equal(np.asarray(found.dataobj).transpose(2, 1, 0), values[key])
    volume = read_volume(tmp_path / "cases" / "one" / "T1ce.nii.gz")
    assert not volume.sides_known and "nor which side is left" in volume.remarks[0]
    case = read_case_list(tmp_path / "cases" / "cases.csv")[0].load()
    np.testing.assert_array_equal(case.truth, blob())


def test_what_says_where_it_lies_says_so_after_the_import(scans, tmp_path):
    path = table(scans, "case,t1ce,label", "one,t1.nrrd,label.nii.gz")
    imported(path, tmp_path / "cases")
    header = nib.load(tmp_path / "cases" / "one" / "T1ce.nii.gz").header
    assert header["qform_code"] > 0 and header["sform_code"] > 0
    assert read_volume(tmp_path / "cases" / "one" / "T1ce.nii.gz").sides_known


def test_transform_maps_points_of_the_t1ce_to_the_t2(scans, tmp_path):
    # The T2's frame is the T1ce's, turned and shifted, and its voxels are the T1ce's.
    turn = sitk.Euler3DTransform()
    turn.SetRotation(0.3, -0.2, 0.5)
    turn.SetTranslation((10.0, -4.0, 7.0))
    sitk.WriteTransform(turn, str(scans / "t1_to_t2.tfm"))
    flip = np.diag([-1.0, -1.0, 1.0, 1.0])
    lps = np.eye(4)
    lps[:3, :3], lps[:3, 3] = np.reshape(turn.GetMatrix(), (3, 3)), turn.GetTranslation()
    written(scans / "t2.nii.gz", VOLUME.array * 2, Grid(SHAPE, flip @ lps @ flip @ GRID.affine))
    path = table(scans, "case,t1ce,t2,label,t1_to_t2", "one,t1.nrrd,t2.nii.gz,label.nii.gz,t1_to_t2.tfm")
    (outcome,) = imported(path, tmp_path / "cases")
    assert outcome.record["t2_placed_by"] == "matrix"
    case = read_case_list(tmp_path / "cases" / "cases.csv")[0].load()
    assert np.array_equal(case.case.t2.array, VOLUME.array * 2)


def test_labels_that_are_the_tumour_can_be_named(scans, tmp_path):
    several = blob().astype(np.uint8)
    several[0] = 2
    several[4] = 3
    written(scans / "label.nii.gz", several, GRID)
    path = table(scans, "case,t1ce,label", "one,t1.nrrd,label.nii.gz")
    assert "holds several labels (1, 2, 3)" in imported(path, tmp_path / "cases")[0].message
    (outcome,) = imported(path, tmp_path / "cases", (1, 2))
    assert outcome.status == "imported"
    truth = read_case_list(tmp_path / "cases" / "cases.csv")[0].load().truth
    assert np.array_equal(truth, (several == 1) | (several == 2))


def test_bad_cases_fail_alone_naming_line_and_column(scans, tmp_path):
    written(scans / "elsewhere.nii.gz", blob().astype(np.uint8), PLAIN)
    path = table(
        scans,
        "case,t1ce,t2,label,t1_to_t2",
        "a,none.nrrd,,label.nii.gz,",
        "b,t1.nrrd,,elsewhere.nii.gz,",
        "c,t1.nrrd,t1.nrrd,label.nii.gz,gone.tfm",
        "d/e,t1.nrrd,,label.nii.gz,",
        "f,,,label.nii.gz,",
        "g,t1.nrrd,,label.nii.gz,",
    )
    outcomes = {o.name: o for o in imported(path, tmp_path / "cases")}
    assert [o.status for o in outcomes.values()] == ["failed"] * 5 + ["imported"]
    assert "none.nrrd cannot be read: No such file" in outcomes["a"].message
    assert "lies on another grid than the image" in outcomes["b"].message
    assert "gone.tfm cannot be read" in outcomes["c"].message
    assert "'d/e' cannot be a folder's name" in outcomes["d/e"].message
    assert "line 6, columns t1ce and t2: both are empty" in outcomes["f"].message
    assert sorted(p.name for p in (tmp_path / "cases").iterdir()) == ["cases.csv", "g", "report.csv"]


def test_a_folder_without_files_fails_its_case_alone(scans, tmp_path):
    (scans / "series" / "in another").mkdir(parents=True)
    path = table(scans, "case,t1ce,label", "a,series,label.nii.gz", "b,t1.nrrd,label.nii.gz")
    outcomes = {o.name: o for o in imported(path, tmp_path / "cases")}
    assert [o.status for o in outcomes.values()] == ["failed", "imported"]
    assert "series holds no DICOM series" in outcomes["a"].message


@pytest.mark.parametrize(
    "lines, message",
    [
        (
            ["case,t1ce,label", "a,t1.nrrd,label.nii.gz", "a,t1.nrrd,label.nii.gz"],
            r"line 3, column case: 'a'",
        ),
        (["case,t1ce,label"], "lists no case"),
        (["case,flair,label", "a,x,y"], "the column 'flair' is unknown; there may be .*mask, t1_to_t2"),
    ],
)
def test_table_that_makes_no_sense_is_refused(scans, lines, message):
    with pytest.raises(ImageError, match=message):
        find_cases(table(scans, *lines))
