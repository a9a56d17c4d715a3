"""Files in and out: geometry kept, wrong inputs refused in a sentence, nothing half-written left behind."""

import gzip
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from any_grid import all_ras, grids, itk_image
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.imaging import io
from VSClickCorrectLib.imaging.box import Box
from VSClickCorrectLib.imaging.grid import Grid
from VSClickCorrectLib.imaging.io import (
    check_mask_path,
    read_case,
    read_mask,
    read_volume,
    resample_to_grid,
    write_atomically,
    write_mask,
    write_volume,
)
from VSClickCorrectLib.imaging.volume import Volume

VS_SEG = Path(__file__).resolve().parents[3] / "shared" / "data" / "vs-seg-001"
needs_vs_seg = pytest.mark.skipif(not VS_SEG.is_dir(), reason=f"{VS_SEG} is not here")

SHAPE = (5, 6, 7)
# Turned about an axis that is none of the image's, voxels of 0.4 × 0.5 × 1.5 mm.
OBLIQUE = np.eye(4)
OBLIQUE[:3, :3] = Rotation.from_euler("xyz", [12, -20, 35], degrees=True).as_matrix() * [-0.4, -0.5, 1.5]
OBLIQUE[:3, 3] = [31.25, -12.5, 44.125]
GRID = Grid(SHAPE, OBLIQUE)
PLAIN = Grid(SHAPE, np.eye(4))
VOLUME = Volume(np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE), GRID)


def blob(shape=SHAPE):
    mask = np.zeros(shape, bool)
    mask[1:4, 2:4, 1:6] = True
    mask[2, 2, 3] = False
    return mask


def written(path, array, grid=PLAIN):
    sitk.WriteImage(itk_image(array, grid), str(path))
    return path


def left_in(folder):
    return sorted(p.name for p in folder.iterdir())


# Reading what is right


@pytest.mark.parametrize("suffix", [".nii.gz", ".nii", ".nrrd"])
def test_oblique_volume_is_read_where_it_lies(tmp_path, suffix):
    volume = read_volume(written(tmp_path / f"t1ce{suffix}", VOLUME.array, GRID))
    assert np.array_equal(volume.array, VOLUME.array)
    assert np.allclose(all_ras(volume.grid), all_ras(GRID), atol=1e-4)


@settings(max_examples=15)
@given(grid=grids(sides=st.integers(2, 4)), suffix=st.sampled_from([".nii", ".nrrd"]))
def test_volume_in_any_orientation_survives_writing_and_reading(grid, suffix, tmp_path_factory):
    path = tmp_path_factory.mktemp("volumes") / f"t1ce{suffix}"
    array = np.random.default_rng(0).normal(0.0, 500.0, grid.shape).astype(np.float32)
    write_volume(path, Volume(array, grid))
    volume = read_volume(path)
    assert np.array_equal(volume.array, array)
    assert np.allclose(all_ras(volume.grid), all_ras(grid), atol=1e-4)


def test_dicom_series_is_read_in_the_order_of_its_positions(tmp_path, write_series):
    volume = read_volume(write_series(tmp_path / "series", VOLUME))
    assert np.array_equal(volume.array, VOLUME.array)
    assert np.allclose(all_ras(volume.grid), all_ras(GRID), atol=1e-4)


def test_other_files_beside_a_dicom_series_do_not_matter(tmp_path, write_series):
    folder = write_series(tmp_path / "series", VOLUME)
    (folder / "notes.txt").write_text("referred by Dr. Who")
    assert read_volume(folder).grid.shape == SHAPE


def test_four_dimensional_nifti_of_one_volume_is_a_volume(tmp_path):
    sitk.WriteImage(sitk.JoinSeries([itk_image(VOLUME.array, PLAIN)]), str(tmp_path / "t1ce.nii.gz"))
    assert read_volume(tmp_path / "t1ce.nii.gz").grid.shape == SHAPE


def test_nifti_that_is_called_gz_without_being_compressed_is_read(tmp_path):
    written(tmp_path / "t1ce.nii", VOLUME.array).rename(tmp_path / "t1ce.nii.gz")
    assert np.array_equal(read_volume(tmp_path / "t1ce.nii.gz").array, VOLUME.array)


# Reading what is wrong


def test_missing_file_is_named(tmp_path):
    with pytest.raises(ImageError, match=r"t1ce\.nii\.gz does not exist\."):
        read_volume(tmp_path / "t1ce.nii.gz")


@pytest.mark.parametrize("name", ["notes.txt", "t1ce.nii.gz", "t1ce.nrrd"])
def test_text_is_no_image_whatever_it_is_called(tmp_path, name):
    (tmp_path / name).write_text("this is no image\n")
    with pytest.raises(
        ImageError, match="is not an image that can be read; give NIfTI, NRRD or a DICOM folder"
    ):
        read_volume(tmp_path / name)


@pytest.mark.parametrize("depth", [None, 1])
def test_single_slice_is_not_a_volume(tmp_path, depth):
    slab = itk_image(VOLUME.array, PLAIN)[:, :, 0 if depth is None else slice(0, 1)]
    sitk.WriteImage(slab, str(tmp_path / "slice.nrrd"))
    with pytest.raises(
        ImageError, match=r"is not a volume \(its size is 7×6(×1)?\); give a three-dimensional image"
    ):
        read_volume(tmp_path / "slice.nrrd")


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd"])
def test_series_over_time_is_not_a_volume(tmp_path, suffix):
    sitk.WriteImage(sitk.JoinSeries([itk_image(VOLUME.array, PLAIN)] * 2), str(tmp_path / f"dce{suffix}"))
    with pytest.raises(ImageError, match=r"is not a volume \(its size is 7×6×5×2\)"):
        read_volume(tmp_path / f"dce{suffix}")


def test_colour_image_is_refused(tmp_path):
    channel = itk_image(VOLUME.array.astype(np.uint8), PLAIN)
    sitk.WriteImage(sitk.Compose([channel] * 3), str(tmp_path / "rgb.nrrd"))
    with pytest.raises(
        ImageError, match="has several channels or complex values; give a plain greyscale image"
    ):
        read_volume(tmp_path / "rgb.nrrd")


def test_complex_image_is_refused(tmp_path):
    part = itk_image(VOLUME.array.astype(np.float32), PLAIN)
    sitk.WriteImage(sitk.RealAndImaginaryToComplex(part, part), str(tmp_path / "raw.nii.gz"))
    with pytest.raises(
        ImageError, match="has several channels or complex values; give a plain greyscale image"
    ):
        read_volume(tmp_path / "raw.nii.gz")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused_naming_the_file(tmp_path, value):
    array = VOLUME.array.astype(np.float32)
    array[1, 2, 3] = value
    with pytest.raises(
        ImageError, match=r"t1ce\.nrrd: the image holds NaN or infinite values; export it again"
    ):
        read_volume(written(tmp_path / "t1ce.nrrd", array))


@pytest.mark.parametrize("name", ["t1ce.nii.gz", "t1ce.nii"])
@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_nifti_that_ends_too_early_is_refused_not_filled_with_zeros(tmp_path, name, kept):
    path = written(
        tmp_path / name, np.random.default_rng(0).integers(0, 30000, (20, 20, 20)).astype(np.int16)
    )
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    with pytest.raises(ImageError, match="is incomplete; copy or download it again"):
        read_volume(path)


def test_nrrd_that_ends_too_early_is_refused(tmp_path):
    path = written(tmp_path / "t1ce.nrrd", VOLUME.array)
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(ImageError, match="is not an image that can be read"):
        read_volume(path)


def test_sheared_nifti_is_refused_with_the_way_out(tmp_path):
    path = written(tmp_path / "tilted.nii", VOLUME.array)
    header = bytearray(path.read_bytes())
    struct.pack_into("<h", header, 252, 0)  # no qform
    struct.pack_into("<4f", header, 280, 1.0, 0.3, 0.0, 0.0)  # the first row of the sform
    path.write_bytes(header)
    with pytest.raises(
        ImageError, match="axes are not at right angles; resample it to an orthogonal grid first"
    ):
        read_volume(path)


def test_folder_without_dicom_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing to see")
    with pytest.raises(ImageError, match="holds no DICOM series; give the folder of one series"):
        read_volume(tmp_path)


def test_two_series_in_one_folder_are_refused_rather_than_guessed(tmp_path, write_series):
    write_series(tmp_path / "both", VOLUME)
    write_series(tmp_path / "both", VOLUME, uid="1.2.826.0.1.3680043.2.1125.2")
    with pytest.raises(ImageError, match="holds 2 DICOM series; give each a folder of its own"):
        read_volume(tmp_path / "both")


@pytest.mark.parametrize("missing", [1, 3])
def test_dicom_series_that_lacks_a_slice_is_refused(tmp_path, write_series, missing):
    folder = write_series(tmp_path / "series", VOLUME, without=(missing,))
    with pytest.raises(ImageError, match="lacks slices or is unevenly spaced; export it again"):
        read_volume(folder)


def test_dicom_series_of_one_slice_is_not_a_volume(tmp_path, write_series):
    folder = write_series(tmp_path / "series", VOLUME, without=range(1, 5))
    with pytest.raises(ImageError, match="is not a volume"):
        read_volume(folder)


# Cases of two sequences


def linear(ras):
    return 300.0 + ras @ np.array([2.0, -3.0, 5.0])


def test_t2_is_resampled_to_the_t1ce_and_reads_zero_where_it_does_not_reach(tmp_path):
    t1ce = written(tmp_path / "t1ce.nii.gz", VOLUME.array, GRID)
    finer = OBLIQUE @ np.diag([0.5, 0.5, 0.5, 1.0])
    wide = Grid((7, 13, 15), finer)  # its voxels end with the seventh half step of 0.75 mm
    t2 = written(tmp_path / "t2.nrrd", linear(all_ras(wide)).astype(np.float32), wide)
    case = read_case(t1ce, t2)
    assert case.grid.matches(GRID)
    assert np.allclose(case.t2.array[:4], linear(all_ras(GRID))[:4], atol=1e-2)
    assert not case.t2.array[4].any()


def test_t2_on_the_t1ces_grid_is_taken_as_it_is(tmp_path):
    t1ce, t2 = (written(tmp_path / name, VOLUME.array, GRID) for name in ("t1ce.nii.gz", "t2.nrrd"))
    assert np.array_equal(read_case(t1ce, t2).t2.array, VOLUME.array)


def test_either_sequence_may_be_missing(tmp_path):
    path = written(tmp_path / "any.nii.gz", VOLUME.array, GRID)
    assert read_case(path, None).t2 is None
    assert read_case(None, path).t1ce is None
    assert read_case(None, path).grid.matches(GRID)
    with pytest.raises(ImageError, match="no image was given"):
        read_case(None, None)


def test_fields_of_view_that_do_not_meet_are_refused(tmp_path):
    far = OBLIQUE.copy()
    far[0, 3] += 500.0
    t1ce = written(tmp_path / "t1ce.nii.gz", VOLUME.array, GRID)
    t2 = written(tmp_path / "t2.nii.gz", VOLUME.array, Grid(SHAPE, far))
    with pytest.raises(
        ImageError, match="do not meet; check that both are of the same patient and registered"
    ):
        read_case(t1ce, t2)


@settings(max_examples=15)
@given(grids(sides=st.integers(4, 6), spacings=st.floats(0.5, 2.0)))
def test_resampling_reproduces_a_ramp_across_any_two_orientations(target):
    source_affine = np.eye(4) * [1.5, 1.5, 1.5, 1.0]
    source_affine[:3, 3] = target.ijk_to_ras((np.array(target.shape[::-1]) - 1) / 2) - 1.5 * 9.5
    source = Grid((20, 20, 20), source_affine)
    ramp = (all_ras(source) - source_affine[:3, 3]) @ (1.0, -2.0, 3.0)
    resampled = resample_to_grid(Volume(ramp, source), target)
    assert resampled.grid is target
    assert np.allclose(
        resampled.array, (all_ras(target) - source_affine[:3, 3]) @ (1.0, -2.0, 3.0), atol=1e-6
    )


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
    from VSClickCorrectLib.mrml.scene import HeadlessScene
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


def test_several_labels_are_listed_and_one_must_be_named(tmp_path):
    path = two_labels(tmp_path / "mask.nii.gz")
    with pytest.raises(ImageError, match=r"holds several labels \(1, 4\); name the tumour's with --label"):
        read_mask(path, PLAIN)
    assert np.array_equal(read_mask(path, PLAIN, label=1), blob())


def test_label_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    with pytest.raises(ImageError, match=r"does not hold the label 2; it holds 1, 4\.$"):
        read_mask(two_labels(tmp_path / "mask.nii.gz"), PLAIN, label=2)


def test_values_between_labels_are_shown_as_they_are(tmp_path):
    probability = np.zeros(SHAPE, np.float32)
    probability[0, 0, :2] = (0.25, 0.5)
    with pytest.raises(ImageError, match=r"holds several labels \(0\.25, 0\.5\)"):
        read_mask(written(tmp_path / "probability.nii.gz", probability), PLAIN)


OTHER_GRIDS = {
    "finer": np.diag([0.5, 0.5, 0.5, 1.0]),
    "half a voxel aside": np.array([[1, 0, 0, 0.5], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
    "reaching out": np.array([[1, 0, 0, 1.0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
    "mirrored": np.array([[-1, 0, 0, 6.0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
    "turned": np.array([[0, -1, 0, 6.0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
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
    with pytest.raises(ImageError, match=r"cannot write into .*results: Not a directory\."):
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
    with pytest.raises(ImageError, match=sentence):
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

    with pytest.raises(ImageError, match="Input/output error"):
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


# The real case, where the shared data is at hand


@needs_vs_seg
def test_vs_seg_001_lies_where_its_header_says_from_nifti_and_from_dicom(tmp_path):
    with zipfile.ZipFile(VS_SEG / "dicom.zip") as archive:
        archive.extractall(tmp_path)
    from_nifti, from_dicom = read_volume(VS_SEG / "T1ce.nii.gz"), read_volume(tmp_path / "dicom")
    assert from_nifti.grid.shape == (120, 512, 512)
    assert from_nifti.grid.spacing == pytest.approx([0.41015625, 0.41015625, 1.5])
    assert from_nifti.grid.index_to_ras((0, 0, 0)) == pytest.approx([106.327, 123.074, -92.001], abs=1e-3)
    order = from_nifti.grid.axial_order()
    assert (order.axes, order.flips) == ((0, 1, 2), (False, False, False))
    assert from_dicom.grid.matches(from_nifti.grid)
    assert np.array_equal(from_dicom.array, from_nifti.array)
