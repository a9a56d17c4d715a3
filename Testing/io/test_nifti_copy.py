"""Good NIfTI files that ITK does not take: NIfTI-2, odd suffixes, a sform that leans by rounding."""

import gzip
import struct

import numpy as np
import pytest
from any_grid import all_ras
from volume_files import GRID, OBLIQUE, PLAIN, SHAPE, VOLUME, blob, written
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.io.images import read_mask, read_volume, write_mask, write_volume


def nifti_2(array, affine, order="<", slope=0.0, extension=b""):
    """A file of NIfTI-2 with a sform, field by field as the standard lays it out."""
    k, j, i = array.shape
    header = struct.pack(order + "i8s2h8q3d", 540, b"n+2\0\r\n\x1a\n", 4, 16, 3, i, j, k, 1, 1, 1, 1, 0, 0, 0)
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    header += struct.pack(order + "8dq", 1, *sizes, 0, 0, 0, 0, 544 + len(extension))
    header += struct.pack(order + "6d2q", slope, 7.0 * bool(slope), 0, 0, 0, 0, 0, 0) + bytes(104)
    header += struct.pack(order + "2i6d", 0, 1, 0, 0, 0, 0, 0, 0) + struct.pack(
        order + "12d", *affine[:3].ravel()
    )
    header += struct.pack(order + "3i", 0, 2, 0) + bytes(16 + 16)
    assert len(header) == 540
    return header + bytes([bool(extension), 0, 0, 0]) + extension + array.astype(order + "i2").tobytes()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("name", ["t1ce.nii", "t1ce.nii.gz"])
def test_nifti_2_is_read(tmp_path, name, order):
    content = nifti_2(VOLUME.array, OBLIQUE, order, extension=bytes(32))
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    volume = read_volume(tmp_path / name)
    assert np.array_equal(volume.array, VOLUME.array)
    assert np.allclose(all_ras(volume.grid), all_ras(GRID), atol=1e-4)


def test_nifti_2_keeps_its_slope_and_intercept(tmp_path):
    (tmp_path / "t1ce.nii").write_bytes(nifti_2(VOLUME.array, OBLIQUE, slope=0.5))
    assert np.allclose(read_volume(tmp_path / "t1ce.nii").array, VOLUME.array * 0.5 + 7)


def test_nifti_2_that_is_cut_off_or_too_large_is_refused(tmp_path):
    content = nifti_2(VOLUME.array, OBLIQUE)
    path = tmp_path / "t1ce.nii"
    path.write_bytes(content[:-10])
    with pytest.raises(ImageError, match="is incomplete; copy or download it again"):
        read_volume(path)
    path.write_bytes(content[:300])
    with pytest.raises(ImageError, match="is not an image that can be read"):
        read_volume(path)
    path.write_bytes(content[:24] + struct.pack("<q", 1 << 40) + content[32:])
    with pytest.raises(ImageError, match="is not an image that can be read"):
        read_volume(path)


def nifti_1(path, array, **fields):
    """Write a file of NIfTI-1 with some fields of its header as they are given: layout and value by place."""
    written(path, array, GRID)
    content = bytearray(path.read_bytes())
    for place, (layout, *values) in fields.items():
        struct.pack_into("<" + layout, content, int(place.removeprefix("at")), *values)
    path.write_bytes(content)
    return path


def test_a_fourth_axis_of_no_length_is_one_volume(tmp_path):
    axes = ("5h", 4, *SHAPE[::-1], 0)
    volume = read_volume(nifti_1(tmp_path / "t1ce.nii", VOLUME.array, at40=axes))
    assert np.array_equal(volume.array, VOLUME.array)
    assert np.allclose(all_ras(volume.grid), all_ras(GRID), atol=1e-4)
    path = tmp_path / "two.nii"
    path.write_bytes((tmp_path / "t1ce.nii").read_bytes() + VOLUME.array.tobytes())
    with pytest.raises(ImageError, match="does not say how many volumes it holds"):
        read_volume(path)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("first", [0.0, -352.0, 348.0, 351.5, np.nan, np.inf])
def test_voxels_that_begin_in_the_header_or_nowhere_are_read_from_behind_it(tmp_path, first, compressed):
    path = nifti_1(tmp_path / "t1ce.nii", VOLUME.array, at108=("f", first))
    assert np.array_equal(read_volume(_compressed(path) if compressed else path).array, VOLUME.array)


@pytest.mark.parametrize("compressed", [False, True])
def test_a_header_that_names_half_of_the_voxels_or_less_is_refused(tmp_path, compressed):
    # Of real numbers that the header calls whole ones of two bytes.
    reals = nifti_1(tmp_path / "reals.nii", VOLUME.array.astype(np.float32), at70=("2h", 4, 16))
    two = nifti_1(tmp_path / "two.nii", VOLUME.array)
    two.write_bytes(two.read_bytes() + VOLUME.array.tobytes())
    for path in (reals, two):
        with pytest.raises(ImageError, match="does not say how many volumes it holds or of what type"):
            read_volume(_compressed(path) if compressed else path)


def test_what_follows_the_voxels_and_is_no_volume_does_not_matter(tmp_path):
    path = nifti_1(tmp_path / "t1ce.nii", VOLUME.array)
    path.write_bytes(path.read_bytes() + bytes(100))
    packed = tmp_path / "packed.nii.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()) + b"no gzip")
    for one in (path, packed):
        assert np.array_equal(read_volume(one).array, VOLUME.array)


@pytest.mark.parametrize("compressed", [False, True])
def test_a_slope_of_0_is_no_scaling_whatever_the_intercept(tmp_path, compressed):
    path = nifti_1(tmp_path / "image.nii", VOLUME.array, at112=("2f", 0.0, 3.0))
    mask = nifti_1(tmp_path / "mask.nii", blob().astype(np.uint8), at112=("2f", 0.0, 1.0))
    if compressed:
        path, mask = (_compressed(one) for one in (path, mask))
    assert np.array_equal(read_volume(path).array, VOLUME.array)
    assert np.array_equal(read_mask(mask, GRID), blob())


def _compressed(path):
    packed = path.with_name(path.name + ".gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    return packed


@pytest.mark.parametrize("first", [-1 << 62, -1, 0, 1 << 50, (1 << 63) - 1])
def test_nifti_2_whose_voxels_begin_nowhere_is_refused_or_read_from_its_header_s_end(tmp_path, first):
    content = nifti_2(VOLUME.array, OBLIQUE)
    (tmp_path / "t1ce.nii").write_bytes(content[:168] + struct.pack("<q", first) + content[176:])
    if first <= 0:
        assert np.array_equal(read_volume(tmp_path / "t1ce.nii").array, VOLUME.array)
        return
    with pytest.raises(ImageError, match="is incomplete; copy or download it again"):
        read_volume(tmp_path / "t1ce.nii")


@pytest.mark.parametrize(
    "name", ["A.NII", "A.Nii", "A.NII.GZ", "a.nii.GZ", "A.Nii.Gz", "A.NRRD", "A.Seg.Nrrd"]
)
def test_a_suffix_in_capitals_is_the_same(tmp_path, name):
    written(tmp_path / f"made{name[1:].lower()}", VOLUME.array, GRID).rename(tmp_path / name)
    volume = read_volume(tmp_path / name)
    assert np.array_equal(volume.array, VOLUME.array)
    assert np.allclose(all_ras(volume.grid), all_ras(GRID), atol=1e-4)


def test_gzip_is_known_by_its_content_not_by_the_suffix(tmp_path):
    written(tmp_path / "a.nii.gz", VOLUME.array, GRID).rename(tmp_path / "zipped.nii")
    written(tmp_path / "a.nii", VOLUME.array, GRID).rename(tmp_path / "plain.nii.gz")
    for name in ("zipped.nii", "plain.nii.gz"):
        assert np.array_equal(read_volume(tmp_path / name).array, VOLUME.array)


def leaning(path, degrees, qform=False):
    """A file whose second axis leans; returns its affine as it is written."""
    affine = OBLIQUE.copy()
    lean = np.radians(degrees)
    affine[:3, 1] = np.sin(lean) * OBLIQUE[:3, 0] * (0.5 / 0.4) + np.cos(lean) * OBLIQUE[:3, 1]
    written(path, VOLUME.array, GRID)
    content = bytearray(path.read_bytes())
    struct.pack_into("<2h", content, 252, int(qform), 1)
    struct.pack_into("<12f", content, 280, *affine[:3].ravel())
    path.write_bytes(content)
    return affine


@pytest.mark.parametrize("damage", [lambda gz: gz[: len(gz) // 2], lambda gz: gz[:-8] + bytes(8)])
@pytest.mark.parametrize("name", ["t1ce.nii", "T1ce.NII.GZ"])
def test_gzip_that_is_unpacked_for_itk_and_damaged_is_refused_in_a_sentence(tmp_path, name, damage):
    # So large that the header can be read.
    noise = np.random.default_rng(0).integers(0, 1000, (20, 20, 20), np.int16)
    written(tmp_path / "plain.nii.gz", noise, Grid(noise.shape, OBLIQUE))
    (tmp_path / name).write_bytes(damage((tmp_path / "plain.nii.gz").read_bytes()))
    with pytest.raises(ImageError, match=rf"{name} is incomplete or damaged; copy it again"):
        read_volume(tmp_path / name)


@pytest.mark.parametrize("degrees", [0.01, 0.03, 0.05, -0.05])
def test_a_sform_that_leans_by_rounding_is_read_where_it_lies(tmp_path, degrees):
    affine = leaning(tmp_path / "t1ce.nii", degrees)
    volume = read_volume(tmp_path / "t1ce.nii")
    assert np.array_equal(volume.array, VOLUME.array)
    assert np.allclose(volume.grid.affine, affine, atol=1e-5)


@pytest.mark.parametrize("suffix", [".nii.gz", ".nii", ".seg.nrrd", ".nrrd"])
def test_what_is_written_for_such_an_image_lies_on_it(tmp_path, suffix):
    leaning(tmp_path / "t1ce.nii", 0.05)
    grid = read_volume(tmp_path / "t1ce.nii").grid
    write_mask(tmp_path / f"mask{suffix}", blob(), grid)
    assert np.array_equal(read_mask(tmp_path / f"mask{suffix}", grid), blob())
    write_volume(tmp_path / f"copy{suffix}", Volume(VOLUME.array, grid))
    assert np.allclose(all_ras(read_volume(tmp_path / f"copy{suffix}").grid), all_ras(grid), atol=5e-3)


@pytest.mark.parametrize("degrees", [0.1, 1.0])
def test_a_sform_that_leans_more_is_refused(tmp_path, degrees):
    leaning(tmp_path / "t1ce.nii", degrees)
    with pytest.raises(
        ImageError, match="axes are not at right angles; resample it to an orthogonal grid first"
    ):
        read_volume(tmp_path / "t1ce.nii")


def test_a_mask_of_another_suffix_beside_the_image_is_its_own(tmp_path):
    write_mask(tmp_path / "mask.nii.gz", blob(), PLAIN)
    written(tmp_path / "mask.nii", np.zeros(SHAPE, np.uint8))
    assert np.array_equal(read_mask(tmp_path / "mask.nii.gz", PLAIN), blob())
