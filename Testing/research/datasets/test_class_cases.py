"""Lists of cases of several classes: any named sequences, and what is wrong with lists and labels."""

import numpy as np
import pytest
import SimpleITK as sitk
from class_scans import CLASSES, GRID, SEQUENCES, SHAPE, image, labels, write_list
from source_series import write_slices
from volume_files import written
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectResearch.datasets.class_cases import list_class_cases
from VSClickCorrectResearch.datasets.class_map import read_class_map


def test_a_list_gives_the_sequences_that_are_asked_for_in_that_order(tmp_path):
    cases = list_class_cases(write_list(tmp_path, 2), ("flair", "t1ce"), CLASSES)
    assert [case.name for case in cases] == ["case-0", "case-1"]
    case = cases[1].load()
    assert list(case.volumes) == ["flair", "t1ce"]
    np.testing.assert_array_equal(case.volumes["flair"].array, image("flair", labels(1), 1))
    np.testing.assert_array_equal(case.labels, labels(1))
    assert case.labels.dtype == np.uint8


def test_a_sequence_may_be_missing_and_one_on_another_grid_is_resampled(tmp_path):
    path = write_list(tmp_path, 1)
    double = np.diag([-2.0, -2.0, 2.0, 1.0])
    double[:3, 3] = GRID.affine[:3, :3] @ (0.5, 0.5, 0.5)
    half = Grid(tuple(n // 2 for n in SHAPE), double)
    written(tmp_path / "0-flair.nii.gz", np.full(half.shape, 7, np.int16), half)
    text = path.read_text().replace("0-t2.nii.gz", "")
    path.write_text(text)
    case = list_class_cases(path, SEQUENCES, CLASSES)[0].load()
    assert case.volumes["t2"] is None
    assert case.volumes["flair"].grid.matches(case.grid)
    assert case.volumes["flair"].array[5, 5, 5] == 7


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("flair,label", "fl,label", "has no column 'flair'; it has case, t1"),
        ("case-1,", "case-0,", "'case-0' stands there twice"),
        ("1-t2.nii.gz", "9-t2.nii.gz", "9-t2.nii.gz does not exist"),
        (
            "1-t1.nii.gz,1-t1ce.nii.gz,1-t2.nii.gz,1-flair.nii.gz",
            ",,,",
            "none of t1, t1ce, t2, flair is given",
        ),
    ],
)
def test_a_list_that_cannot_be_used_is_refused(old, new, said, tmp_path):
    path = write_list(tmp_path, 2)
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ImageError, match=said):
        list_class_cases(path, SEQUENCES, CLASSES)


@pytest.mark.parametrize(("value", "kind"), [(4, np.uint8), (-1, np.int16), (0.5, np.float32)])
def test_what_is_no_class_is_refused(value, kind, tmp_path):
    values = labels(0).astype(kind)
    values[0, 0, 0] = value
    written(tmp_path / "label.nii.gz", values, GRID)
    with pytest.raises(
        ImageError, match=f"holds the value {value:g}, but the classes are numbered from 1 to 3"
    ):
        read_class_map(tmp_path / "label.nii.gz", GRID, 3)


def test_a_map_is_placed_in_whatever_order_and_extent_it_is_stored(tmp_path):
    values = labels(0)
    turned = GRID.affine.copy()
    turned[:3, 2] *= -1
    part = values[2:18][::-1]
    turned[:3, 3] = GRID.ijk_to_ras((0, 0, 17))
    written(tmp_path / "label.nii.gz", np.ascontiguousarray(part), Grid(part.shape, turned))
    np.testing.assert_array_equal(read_class_map(tmp_path / "label.nii.gz", GRID, 3), values)
    written(tmp_path / "label.nii.gz", values, Grid(SHAPE, np.diag([-1.0, -1.0, 1.3, 1.0])))
    with pytest.raises(ImageError, match="lies on another grid"):
        read_class_map(tmp_path / "label.nii.gz", GRID, 3)


def segmented(path, values, names):
    """A label map as Slicer saves it, with the name of each number from 1 on."""
    image = sitk.ReadImage(str(written(path, values, GRID)))
    for number, name in enumerate(names, 1):
        for key, text in {"ID": f"S_{number}", "Name": name, "Layer": "0", "LabelValue": f"{number}"}.items():
            image.SetMetaData(f"Segment{number - 1}_{key}", text)
    sitk.WriteImage(image, str(path))
    return path


def test_segments_that_are_numbered_otherwise_than_the_classes_are_refused(tmp_path):
    first, second, third = CLASSES
    path = segmented(tmp_path / "label.seg.nrrd", labels(0), (second, first, third))
    with pytest.raises(ImageError, match=f"label.seg.nrrd has {first} as number 2, not 1; name the classes"):
        read_class_map(path, GRID, 3, CLASSES)
    segmented(path, labels(0), (first.upper(), second, "drawn by hand"))
    np.testing.assert_array_equal(read_class_map(path, GRID, 3, CLASSES), labels(0))


def test_a_list_holds_its_classes_against_the_segments_of_its_labels(tmp_path):
    path = write_list(tmp_path, 1)
    path.write_text(path.read_text().replace("0-label.nii.gz", "label.seg.nrrd"))
    segmented(tmp_path / "label.seg.nrrd", labels(0), CLASSES[::-1])
    with pytest.raises(ImageError, match=f"case case-0: .* has {CLASSES[0]} as number 3, not 1"):
        list_class_cases(path, SEQUENCES, CLASSES)[0].load()


def test_sequences_of_two_patients_are_refused(tmp_path):
    truth = labels(0)
    for name, patient in (("t1ce", "P1"), ("t2", "P2"), ("flair", "p1")):
        write_slices(tmp_path / name, Volume(image(name, truth, 0), GRID), patient=patient)
    written(tmp_path / "label.nii.gz", truth, GRID)
    path = tmp_path / "classes.csv"
    path.write_text("case,t1ce,t2,flair,label\none,t1ce,t2,flair,label.nii.gz\n", encoding="utf-8")
    (case,) = list_class_cases(path, ("t1ce", "t2", "flair"), CLASSES)
    with pytest.raises(
        ImageError, match="^case one: the t1ce is of patient 'P1' and the t2 of 'P2'; correct"
    ):
        case.load()
    (case,) = list_class_cases(path, ("t1ce", "flair"), CLASSES)
    np.testing.assert_array_equal(case.load().volumes["flair"].array, image("flair", truth, 0))
