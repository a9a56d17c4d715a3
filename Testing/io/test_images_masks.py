"""Masks and files out: nothing misplaced, nothing half-written left behind."""

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from any_grid import all_ras
from volume_files import GRID, OBLIQUE, PLAIN, SHAPE, VOLUME, blob, left_in, written
from VSClickCorrectLib.errors import ImageError, StorageError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.io import images as io
from VSClickCorrectLib.io.images import (
    check_mask_path,
    read_mask,
    write_atomically,
    write_mask,
    write_volume,
)
from VSClickCorrectLib.io.tumour_label import chosen_label

# Masks


@pytest.mark.parametrize("suffix", io.MASK_SUFFIXES)
def test_mask_survives_writing_and_reading(tmp_path, suffix):
    write_mask(tmp_path / f"mask{suffix}", blob(), GRID)
    assert left_in(tmp_path) == [f"mask{suffix}"]
    mask = read_mask(tmp_path / f"mask{suffix}", GRID)
    assert mask.dtype == bool
    assert np.array_equal(mask, blob())


@pytest.mark.parametrize("suffix", io.MASK_SUFFIXES)
def test_written_mask_lies_where_the_image_lies(tmp_path, suffix):
    write_mask(tmp_path / f"mask{suffix}", blob(), GRID)
    image = sitk.ReadImage(str(tmp_path / f"mask{suffix}"))
    assert image.GetPixelID() == sitk.sitkUInt8
    assert np.array_equal(sitk.GetArrayFromImage(image), blob())
    for index in np.ndindex(SHAPE):
        left, posterior, superior = image.TransformIndexToPhysicalPoint(index[::-1])
        assert (-left, -posterior, superior) == pytest.approx(all_ras(GRID)[index], abs=1e-4)


def test_slicer_reads_the_written_segmentation_with_its_name_and_voxels(tmp_path):
    slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
    import vtk
    from VSClickCorrectApp.headless_scene import HeadlessScene
    from vtkmodules.util.numpy_support import vtk_to_numpy

    write_mask(tmp_path / "mask.seg.nrrd", blob(), GRID, name="schwannoma, left")
    with HeadlessScene() as headless:
        node = headless.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
        storage = slicer.vtkMRMLSegmentationStorageNode()
        storage.SetFileName(str(tmp_path / "mask.seg.nrrd"))
        assert storage.ReadData(node) == 1
        segmentation = node.GetSegmentation()
        assert segmentation.GetNumberOfSegments() == 1
        segment = segmentation.GetNthSegment(0)
        assert segment.GetName() == "schwannoma, left"
        labelmap = segment.GetRepresentation("Binary labelmap")
        voxels = vtk_to_numpy(labelmap.GetPointData().GetScalars()).reshape(labelmap.GetDimensions()[::-1])
        extent = labelmap.GetExtent()
        seen = np.zeros(SHAPE, bool)
        seen[tuple(slice(extent[n], extent[n + 1] + 1) for n in (4, 2, 0))] = (
            voxels == segment.GetLabelValue()
        )
        assert np.array_equal(seen, blob())
        place = vtk.vtkMatrix4x4()
        labelmap.GetImageToWorldMatrix(place)
        assert np.allclose([[place.GetElement(r, c) for c in range(4)] for r in range(4)], OBLIQUE, atol=1e-4)


@pytest.mark.parametrize(
    "box", [Box((1, 2, 1), (4, 4, 6)), Box((4, 0, 0), (5, 6, 7)), Box((2, 3, 4), (3, 4, 5))]
)
def test_cropped_segmentation_is_placed_on_the_grid(tmp_path, box):
    # Slicer crops a segmentation to what is set: to a slice or a voxel, if that is all.
    part = np.ones(box.shape, np.uint8)
    place = OBLIQUE.copy()
    place[:3, 3] += OBLIQUE[:3, :3] @ box.start[::-1]
    path = written(tmp_path / "mask.seg.nrrd", part, Grid(box.shape, place))
    expected = np.zeros(SHAPE, bool)
    expected[box.slices] = True
    assert np.array_equal(read_mask(path, GRID), expected)


def test_segmentation_that_slicer_saved_in_ras_is_read_where_it_lies(tmp_path):
    path = tmp_path / "mask.seg.nrrd"
    columns = " ".join("({:.9f},{:.9f},{:.9f})".format(*OBLIQUE[:3, n]) for n in range(3))
    origin = "({},{},{})".format(*OBLIQUE[:3, 3])
    header = [
        "NRRD0004",
        "type: unsigned char",
        "dimension: 3",
        "space: right-anterior-superior",
        "sizes: 7 6 5",
        f"space directions: {columns}",
        "kinds: domain domain domain",
        "encoding: gzip",
        f"space origin: {origin}",
    ]
    path.write_bytes("\n".join(header).encode() + b"\n\n" + gzip.compress(blob().astype(np.uint8).tobytes()))
    assert np.array_equal(read_mask(path, GRID), blob())


def test_mask_is_not_mixed_up_with_an_uncompressed_file_of_the_same_name(tmp_path):
    # ITK takes the voxels of mask.nii when it is asked for mask.nii.gz.
    write_mask(tmp_path / "mask.nii.gz", blob(), PLAIN)
    write_mask(tmp_path / "mask.nii", ~blob(), PLAIN)
    assert np.array_equal(read_mask(tmp_path / "mask.nii.gz", PLAIN), blob())
    assert np.array_equal(read_mask(tmp_path / "mask.nii", PLAIN), ~blob())


def test_label_of_any_value_is_the_tumour_where_it_stands_alone(tmp_path):
    path = written(tmp_path / "mask.nii.gz", blob().astype(np.uint8) * 7)
    assert np.array_equal(read_mask(path, PLAIN), blob())
    assert np.array_equal(read_mask(path, PLAIN, label=7), blob())


def test_mask_without_any_label_is_empty(tmp_path):
    path = written(tmp_path / "mask.nii.gz", np.zeros(SHAPE, np.uint8))
    assert not read_mask(path, PLAIN).any()
    with pytest.raises(ImageError, match="does not hold the label 1; it holds none"):
        read_mask(path, PLAIN, label=1)


def two_labels(path):
    labels = blob().astype(np.uint8)
    labels[0] = 4
    return written(path, labels)


def test_a_scan_that_is_given_as_a_mask_is_called_one():
    with pytest.raises(ImageError, match="T1ce.nii holds 299 different values, as a scan does; name a mask"):
        chosen_label(np.arange(300), (), Path("T1ce.nii"))


def test_of_many_labels_the_list_says_that_it_goes_on(tmp_path):
    values = blob().astype(np.uint8)
    values.ravel()[:7] = np.arange(2, 9)
    with pytest.raises(ImageError, match=r"holds several labels \(1, 2, 3, 4, 5, 6, …\); name"):
        read_mask(written(tmp_path / "mask.nii.gz", values), PLAIN)


@pytest.mark.parametrize("value", [1 / 255, 1e-3, 1e-30, -4e-3])
def test_a_mask_that_is_nearly_0_everywhere_is_not_read_as_an_empty_one(tmp_path, value):
    # A mask of 0 and 1 that a program took for one of 0 to 255, for instance.
    path = written(tmp_path / "mask.nii.gz", blob().astype(np.float32) * np.float32(value))
    with pytest.raises(ImageError, match=r"holds fractions \(.*\) where labels should be; threshold it"):
        read_mask(path, PLAIN)


def test_noise_beside_labels_is_background(tmp_path):
    values = np.where(blob(), np.float32(0.999), np.float32(0.004))
    assert np.array_equal(read_mask(written(tmp_path / "mask.nii.gz", values), PLAIN), blob())


def test_several_labels_are_listed_and_one_must_be_named(tmp_path):
    path = two_labels(tmp_path / "mask.nii.gz")
    with pytest.raises(ImageError, match=r"holds several labels \(1, 4\); name the tumour's with --label"):
        read_mask(path, PLAIN)
    assert np.array_equal(read_mask(path, PLAIN, label=1), blob())


def test_several_labels_can_be_the_tumour_and_one_of_them_is_enough(tmp_path):
    path = two_labels(tmp_path / "mask.nii.gz")
    whole = blob()
    whole[0] = True
    assert np.array_equal(read_mask(path, PLAIN, label=(1, 4)), whole)
    assert np.array_equal(read_mask(path, PLAIN, label=(1, 2)), blob())
    with pytest.raises(ImageError, match=r"does not hold the label 2 or 3; it holds 1, 4\.$"):
        read_mask(path, PLAIN, label=(2, 3))


def test_label_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    with pytest.raises(ImageError, match=r"does not hold the label 2; it holds 1, 4\.$"):
        read_mask(two_labels(tmp_path / "mask.nii.gz"), PLAIN, label=2)


def test_values_between_labels_are_shown_as_they_are(tmp_path):
    probability = np.zeros(SHAPE, np.float32)
    probability[0, 0, :2] = (0.25, 0.5)
    with pytest.raises(ImageError, match=r"holds fractions \(0\.25, 0\.5, …\) where labels should be"):
        read_mask(written(tmp_path / "probability.nii.gz", probability), PLAIN)


@pytest.mark.parametrize("stored", [np.uint8, np.int16, np.uint16])
def test_labels_that_were_scaled_as_they_were_written_are_the_labels(tmp_path, stored):
    labels = np.zeros(SHAPE[::-1], float)
    labels[1:3, 2:4, 1:3], labels[4, 4, 4] = 1, 2
    image = nib.Nifti1Image(labels, np.eye(4))
    # A slope comes of it, and 1 is 0.996 or 0.99999 thereby.
    image.set_data_dtype(stored)
    nib.save(image, tmp_path / "mask.nii.gz")
    found = read_mask(tmp_path / "mask.nii.gz", PLAIN, label=1)
    np.testing.assert_array_equal(found, np.transpose(labels == 1))


OTHER_GRIDS = {
    "finer": np.diag([0.5, 0.5, 0.5, 1.0]),
    "half a voxel aside": np.array([[1, 0, 0, 0.5], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
    "reaching out": np.array([[1, 0, 0, 1.0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
    "turned by 30 degrees": np.array([[0.866, -0.5, 0, 2], [0.5, 0.866, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
}


@pytest.mark.parametrize("affine", OTHER_GRIDS.values(), ids=OTHER_GRIDS)
def test_mask_on_another_grid_is_refused(tmp_path, affine):
    path = written(tmp_path / "mask.nii.gz", blob().astype(np.uint8), Grid(SHAPE, affine))
    with pytest.raises(
        ImageError, match="lies on another grid than the image; resample it to the image first"
    ):
        read_mask(path, PLAIN)


# Writing


@pytest.mark.parametrize("name", ["mask.stl", "mask", "mask.nii.zip", "mask.dcm"])
def test_suffix_that_is_unknown_is_refused_with_those_that_are_known(tmp_path, name):
    for write in (
        check_mask_path,
        lambda path: write_mask(path, blob(), GRID),
        lambda path: write_volume(path, VOLUME),
    ):
        with pytest.raises(
            ImageError, match=r"has no known suffix; name it \.nii\.gz, \.nii, \.seg\.nrrd, \.nrrd"
        ):
            write(tmp_path / name)
    assert left_in(tmp_path) == []


def test_folder_that_does_not_exist_is_refused_not_created(tmp_path):
    with pytest.raises(ImageError, match="results does not exist; create it or choose another"):
        write_mask(tmp_path / "results" / "mask.nii.gz", blob(), GRID)
    assert left_in(tmp_path) == []


def test_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "results").write_text("a file")
    with pytest.raises(ImageError, match="results does not exist; create it or choose another"):
        check_mask_path(tmp_path / "results" / "mask.nii.gz")
    with pytest.raises(
        StorageError, match=r"cannot write into .*results \(Not a directory\); choose another folder"
    ):
        write_atomically(tmp_path / "results" / "mask.nii.gz", lambda path: path.write_text("mask"))


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(28, "No space left on device"), r"cannot write .*mask\.nii\.gz: No space left on device\."),
        (RuntimeError("ITK ERROR"), r"cannot write .*: the disk may be full or the folder read-only\."),
    ],
)
def test_failed_writing_leaves_the_older_file_and_nothing_else(tmp_path, monkeypatch, error, sentence):
    path = tmp_path / "mask.nii.gz"
    write_mask(path, blob(), GRID)
    before = path.read_bytes()

    def fail(image, name, **options):
        Path(name).write_text("half a mask")
        raise error

    monkeypatch.setattr(sitk, "WriteImage", fail)
    with pytest.raises(StorageError, match=sentence):
        write_mask(path, ~blob(), GRID)
    assert left_in(tmp_path) == ["mask.nii.gz"]
    assert path.read_bytes() == before


def test_writer_that_leaves_other_files_beside_its_own_is_cleaned_up_after(tmp_path):
    def write(path):
        (path.parent / "scratch").mkdir()
        (path.parent / "scratch" / "part").write_text("left over")
        path.write_text("whole")

    write_atomically(tmp_path / "scene.mrb", write)
    assert left_in(tmp_path) == ["scene.mrb"]

    def fail(path):
        write(path)
        raise OSError(5, "Input/output error")

    with pytest.raises(StorageError, match="Input/output error"):
        write_atomically(tmp_path / "scene.mrb", fail)
    assert left_in(tmp_path) == ["scene.mrb"]


def test_interrupted_writing_leaves_nothing_behind(tmp_path):
    def interrupted(path):
        path.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "mask.nii.gz", interrupted)
    assert left_in(tmp_path) == []


def test_older_file_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "mask.nrrd"
    path.write_text("older")

    def write(temporary):
        temporary.write_text("newer")
        assert path.read_text() == "older"
        assert temporary.name == path.name, "writers choose their format by the suffix"

    write_atomically(path, write)
    assert path.read_text() == "newer"


@pytest.mark.parametrize("label", [0, -1, [2, 0]])
def test_the_background_is_no_label(tmp_path, label):
    path = written(tmp_path / "mask.nii.gz", blob().astype(np.uint8), GRID)
    with pytest.raises(ImageError, match="a label is a whole number, 1 or more, for 0 is the background"):
        read_mask(path, GRID, label)
