"""Files in: geometry kept, wrong inputs refused in a sentence."""

import os
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import vs_seg_files as dicom
from any_grid import all_ras, grids, itk_image
from example_counts import examples
from hypothesis import given
from hypothesis import strategies as st
from volume_files import GRID, OBLIQUE, PLAIN, SHAPE, VOLUME, written
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.io.images import read_case, read_volume, write_volume
from VSClickCorrectLib.io.one_grid import resample_to_grid

LIBRARY = Path(__file__).resolve().parents[2] / "VSClickCorrect"
VS_SEG = Path(__file__).resolve().parents[3] / "shared" / "data" / "vs-seg-001"
needs_vs_seg = pytest.mark.skipif(not VS_SEG.is_dir(), reason=f"{VS_SEG} is not here")


# Reading what is right


@pytest.mark.parametrize("suffix", [".nii.gz", ".nii", ".nrrd"])
def test_oblique_volume_is_read_where_it_lies(tmp_path, suffix):
    volume = read_volume(written(tmp_path / f"t1ce{suffix}", VOLUME.array, GRID))
    assert np.array_equal(volume.array, VOLUME.array)
    assert np.allclose(all_ras(volume.grid), all_ras(GRID), atol=1e-4)


@examples(0.5)
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


@pytest.mark.parametrize("suffix", [".nii.gz", ".nii", ".nrrd"])
def test_a_series_over_time_of_one_volume_is_that_volume(tmp_path, suffix):
    sitk.WriteImage(sitk.JoinSeries([itk_image(VOLUME.array, GRID)]), str(tmp_path / f"one{suffix}"))
    volume = read_volume(tmp_path / f"one{suffix}")
    assert np.array_equal(volume.array, VOLUME.array)
    assert np.allclose(all_ras(volume.grid), all_ras(GRID), atol=1e-4)


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


@pytest.mark.parametrize("name", ["t1ce.nrrd", "t1ce.nii", "t1ce.nii.gz"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused_naming_the_file(tmp_path, value, dtype, name):
    # An odd number of voxels, the last of them wrong: none may slip through at the end of the file.
    array = VOLUME.array[:, :5].astype(dtype)
    array[-1, -1, -1] = value
    with pytest.raises(ImageError, match=f"{name}: the image holds NaN or infinite values; export it again"):
        read_volume(written(tmp_path / name, array))


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
    with pytest.raises(ImageError, match="is incomplete or damaged; copy it again or export it again"):
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


def test_the_sequence_that_is_asked_for_is_found_among_the_series_of_a_folder(tmp_path):
    folder = dicom.write_series(tmp_path / "both", VOLUME.array, PLAIN, "1.2.21", description="t1 post")
    more = dicom.write_series(tmp_path / "t2", VOLUME.array + 9, PLAIN, "1.2.22", description="t2_ciss")
    for path in more.iterdir():
        path.rename(folder / f"t2-{path.name}")
    dicom.write_rtdose(folder / "dose.dcm")
    case = read_case(folder, folder)
    assert np.array_equal(case.t1ce.array, VOLUME.array)
    assert np.array_equal(case.t2.array, VOLUME.array + 9)
    with pytest.raises(ImageError, match=r"give each a folder of its own \('t1 post', 't2_ciss'\)"):
        read_volume(folder)


def test_dose_and_structures_beside_the_slices_are_no_scans(tmp_path, write_series):
    folder = write_series(tmp_path / "series", VOLUME)
    dicom.write_rtdose(folder / "RTDOSE.dcm")
    dicom.write_rtstruct(folder / "RTSS.dcm", {})
    assert np.array_equal(read_volume(folder).array, VOLUME.array)
    alone = tmp_path / "alone"
    alone.mkdir()
    dicom.write_rtdose(alone / "RTDOSE.dcm")
    with pytest.raises(ImageError, match="holds no DICOM series but RTDOSE; give the folder of one series"):
        read_volume(alone)


@pytest.mark.parametrize("missing", [1, 3])
def test_dicom_series_that_lacks_a_slice_is_refused(tmp_path, write_series, missing):
    folder = write_series(tmp_path / "series", VOLUME, without=(missing,))
    with pytest.raises(ImageError, match="lacks slices or is unevenly spaced; export it again"):
        read_volume(folder)


def test_dicom_series_with_slices_twice_is_refused(tmp_path, write_series):
    folder = write_series(tmp_path / "series", VOLUME)
    for path in list(folder.iterdir())[:2]:
        (folder / f"copy-{path.name}").write_bytes(path.read_bytes())
    with pytest.raises(ImageError, match="holds slices twice; remove the copies"):
        read_volume(folder)


def test_one_series_of_a_folder_with_several_can_be_named(tmp_path, write_series):
    write_series(tmp_path / "both", VOLUME)
    other = Volume(VOLUME.array + 100, PLAIN)
    write_series(tmp_path / "both", other, uid="1.2.826.0.1.3680043.2.1125.2")
    volume = read_volume(tmp_path / "both", uid="1.2.826.0.1.3680043.2.1125.2")
    assert np.array_equal(volume.array, other.array)
    assert np.allclose(all_ras(volume.grid), all_ras(PLAIN), atol=1e-4)


def test_a_series_that_is_not_there_any_more_is_named(tmp_path, write_series):
    folder = write_series(tmp_path / "series", VOLUME)
    sentence = f"the DICOM series 1.2.3 is not in {folder} any more; put it back or choose another folder."
    with pytest.raises(ImageError) as refused:
        read_volume(folder, uid="1.2.3")
    assert str(refused.value) == sentence


def test_dicom_series_of_one_slice_is_not_a_volume(tmp_path, write_series):
    folder = write_series(tmp_path / "series", VOLUME, without=range(1, 5))
    with pytest.raises(ImageError, match="is not a volume"):
        read_volume(folder)


# Cases of two sequences


def linear(ras):
    return 300.0 + ras @ np.array([2.0, -3.0, 5.0])


def test_t2_is_resampled_to_the_t1ce_and_is_at_its_darkest_where_it_does_not_reach(tmp_path):
    t1ce = written(tmp_path / "t1ce.nii.gz", VOLUME.array, GRID)
    finer = OBLIQUE @ np.diag([0.5, 0.5, 0.5, 1.0])
    wide = Grid((7, 13, 15), finer)  # its voxels end with the seventh half step of 0.75 mm
    values = linear(all_ras(wide)).astype(np.float32)
    case = read_case(t1ce, written(tmp_path / "t2.nrrd", values, wide))
    assert case.grid.matches(GRID)
    assert np.allclose(case.t2.array[:4], linear(all_ras(GRID))[:4], atol=1e-2)
    assert (case.t2.array[4] == values.min()).all()


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


@examples(0.5)
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


@pytest.mark.parametrize("offset", [0.0, -300.0, 5000.0])
def test_beside_a_t2_that_covers_a_part_there_is_nothing_whatever_values_it_has(offset):
    # The T2 has every second slice of the upper half, of values from 0 to 1000 and an offset.
    grid = Grid((40, 10, 10), np.eye(4))
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    affine[2, 3] = 20
    values = np.tile(np.linspace(0, 1000, 100, dtype=np.float32).reshape(10, 10), (10, 1, 1))
    found = resample_to_grid(Volume(values + np.float32(offset), Grid((10, 10, 10), affine)), grid)
    assert (found.array[:19] == offset).all()
    # As networks see it: nothing beside it, and in it all there is from dark to bright.
    seen = found.normalised(grid.box)
    assert (seen[:19] == 0).all()
    np.testing.assert_allclose(seen[20:38:2], values[:9] / 1000, atol=0.01)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count memory otherwise")
def test_resampling_takes_memory_for_its_results_alone():
    """For 16-bit voxels their two bytes in ITK and in numpy, and one of where there are any."""
    program = (
        "import re\n"
        "import numpy as np\n"
        "from VSClickCorrectLib.geometry.grid import Grid\n"
        "from VSClickCorrectLib.geometry.volume import Volume\n"
        "from VSClickCorrectLib.io.one_grid import resample_to_grid\n"
        "volume = Volume(np.ones((8, 8, 8), np.int16), Grid((8, 8, 8), np.diag([8.0, 8.0, 16.0, 1.0])))\n"
        "most = lambda: int(re.search(r'VmHWM:\\s*(\\d+)', open('/proc/self/status').read())[1]) << 10\n"
        "before = most()\n"
        "resample_to_grid(volume, Grid((256, 256, 256), np.diag([0.25, 0.25, 0.5, 1.0])))\n"
        "print((most() - before) / 256**3)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    command = [sys.executable, "-c", program]
    told = subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout
    assert 5 < float(told) < 6


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
