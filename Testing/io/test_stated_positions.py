"""Where a NIfTI or NRRD file lies: one place is taken, a second is told, and none is made up."""

import struct
from itertools import product

import nibabel as nib
import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.io.images import read_case, read_mask, read_volume, write_mask
from VSClickCorrectLib.measure.measurements import head_middle, measure

SHAPE = (30, 28, 20)


def affine(angles=(10, -5, 20), origin=(-30.0, -20.0, -25.0)):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() * (2.0, 2.0, 3.0)
    matrix[:3, 3] = origin
    return matrix


HERE, THERE = affine(), affine((0, 0, -4), (-25.0, -27.0, -16.0))
VOXEL = (12, 9, 7)


def write(path, sform, qform, codes=(1, 1), **changes):
    """Write a file with one bright voxel; ``changes`` are values of the header as they are stored."""
    values = np.zeros(SHAPE, np.int16)
    values[VOXEL] = 1000
    # A T2 is another image.
    values[0, 0, 0] = path.name.startswith("t2")
    image = nib.Nifti1Image(values, None)
    image.header.set_xyzt_units("mm")
    image.set_qform(qform, 1, update_affine=False)
    image.set_sform(sform, 1, update_affine=False)
    image.header["qform_code"], image.header["sform_code"] = codes
    for name, value in changes.items():
        image.header[name] = value
    nib.save(image, path)
    return path


def at(volume):
    """Where the bright voxel lies, RAS mm."""
    (index,) = np.argwhere(volume.array == 1000)
    return volume.grid.index_to_ras(index)


def place(form):
    """Where the bright voxel lies by a form, RAS mm."""
    return nib.affines.apply_affine(form, VOXEL)


# Which form counts


@pytest.mark.parametrize("suffix", ["nii", "nii.gz"])
@pytest.mark.parametrize(("q", "s"), list(product((0, 1, 2, 4), repeat=2)))
def test_of_two_forms_that_counts_which_counts_in_slicer_and_the_other_is_told(tmp_path, q, s, suffix):
    volume = read_volume(write(tmp_path / f"t1.{suffix}", HERE, THERE, (q, s)))
    if (q, s) == (0, 0):
        assert not volume.sides_known
        (remark,) = volume.remarks
        assert (
            "does not say where the image lies nor which side is left; it was placed as Slicer does" in remark
        )
        np.testing.assert_allclose(volume.grid.affine[:3], np.diag([-2.0, -2.0, 3.0, 1.0])[:3], atol=1e-6)
        return
    used = HERE if s == 1 or q == 0 else THERE
    np.testing.assert_allclose(at(volume), place(used), atol=1e-3)
    assert volume.sides_known
    if 0 in (q, s):
        assert volume.remarks == ()
        return
    names = ("sform", "qform") if used is HERE else ("qform", "sform")
    (remark,) = volume.remarks
    assert f"t1.{suffix} names two places: the image lies where the {names[0]} says, as in Slicer" in remark
    assert f"from where the {names[1]} says; if it belongs there, copy that to the {names[0]}" in remark
    corners = np.array(list(product(*((0, n - 1) for n in SHAPE))))
    farthest = np.linalg.norm(
        nib.affines.apply_affine(HERE, corners) - nib.affines.apply_affine(THERE, corners), axis=1
    ).max()
    assert f"up to {farthest:.1f} mm from" in remark


@pytest.mark.parametrize(("voxels", "told"), [(0.08, False), (0.12, True)])
@pytest.mark.parametrize("codes", [(1, 1), (1, 2)])
def test_forms_that_differ_by_less_than_a_tenth_of_a_voxel_are_one_place(tmp_path, voxels, told, codes):
    moved = HERE.copy()
    moved[:3, 3] += HERE[:3, 2] * voxels
    assert bool(read_volume(write(tmp_path / "t1.nii", moved, HERE, codes)).remarks) is told


def test_forms_that_are_turned_against_each_other_by_little_are_told_where_it_shows_at_the_corner(tmp_path):
    turned = affine((10, -5, 20.4))
    (remark,) = read_volume(write(tmp_path / "t1.nii", turned, HERE)).remarks
    assert "names two places" in remark


def test_a_coregistration_in_the_sform_alone_is_never_lost_without_a_word(tmp_path):
    t1ce = write(tmp_path / "t1.nii", HERE, HERE)
    scanner, aligned = (write(tmp_path / f"t2-{s}.nii", HERE, THERE, (1, s)) for s in (1, 2))
    assert read_case(t1ce, scanner).t2.array[VOXEL[::-1]] == 1000
    case = read_case(t1ce, aligned)
    assert case.t2.array[VOXEL[::-1]] < 1000
    (remark,) = case.remarks
    assert "t2-2.nii names two places" in remark
    # What the remark says to do.
    image = nib.load(aligned)
    image.set_qform(image.get_sform(), 1)
    nib.save(image, tmp_path / "t2-mended.nii")
    mended = read_case(t1ce, tmp_path / "t2-mended.nii")
    assert (mended.t2.array[VOXEL[::-1]], mended.remarks) == (1000, [])


@pytest.mark.parametrize("codes", [(1, 0), (1, 1), (0, 1), (2, 4)])
@pytest.mark.parametrize("flip", [1, -1])
@pytest.mark.parametrize("suffix", ["nii.gz", "nii"])
def test_the_mask_lies_on_the_image_as_nibabel_reads_both(tmp_path, codes, flip, suffix):
    form = HERE @ np.diag([flip, 1, 1, 1])
    path = write(tmp_path / "t1.nii", form, form, codes)
    volume = read_volume(path)
    assert volume.remarks == ()
    write_mask(tmp_path / f"mask.{suffix}", volume.array == 1000, volume.grid)
    image, mask = nib.load(path), nib.load(tmp_path / f"mask.{suffix}")
    np.testing.assert_allclose(mask.affine, image.affine, atol=1e-4)
    np.testing.assert_array_equal(np.argwhere(mask.get_fdata() > 0), [VOXEL])
    for read in (mask.get_qform(), mask.get_sform()):
        np.testing.assert_allclose(nib.affines.apply_affine(read, VOXEL), place(form), atol=1e-3)


# What cannot be


@pytest.mark.parametrize("codes", [(1, 0), (0, 1), (1, 1), (0, 0)])
@pytest.mark.parametrize("axis", [1, 2, 3])
def test_a_negative_voxel_size_is_refused_as_programs_mirror_by_it(tmp_path, axis, codes):
    path = write(tmp_path / "t1.nii", HERE, HERE, codes)
    content = bytearray(path.read_bytes())
    size = struct.unpack_from("<f", content, 76 + 4 * axis)[0]
    struct.pack_into("<f", content, 76 + 4 * axis, -size)
    path.write_bytes(content)
    with pytest.raises(ImageError, match="names a negative voxel size .*; export the image again"):
        read_volume(path)


@pytest.mark.parametrize("unit", [1, 3])
def test_places_in_metres_and_micrometres_are_one_place(tmp_path, unit):
    scale = np.diag([*([{1: 1e-3, 3: 1e3}[unit]] * 3), 1.0])
    volume = read_volume(write(tmp_path / "t1.nii", scale @ HERE, scale @ HERE, xyzt_units=unit))
    np.testing.assert_allclose(at(volume), place(HERE), atol=1e-3)
    assert volume.remarks == ()


def test_a_sheared_sform_beside_a_qform_is_told(tmp_path):
    sheared = HERE @ np.array([[1, 0.05, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    volume = read_volume(write(tmp_path / "t1.nii", sheared, HERE, (1, 4)))
    np.testing.assert_allclose(at(volume), place(HERE), atol=1e-3)
    assert "the image lies where the qform says" in volume.remarks[0]


def test_an_image_that_lies_where_no_form_says_is_refused(tmp_path, monkeypatch):
    from VSClickCorrectLib.io import images as io

    read_image = io.read_image

    def beside(path):
        image = read_image(path)
        image.SetOrigin(np.add(image.GetOrigin(), (0.5, 0, 0)))
        return image

    monkeypatch.setattr(io, "read_image", beside)
    with pytest.raises(ImageError, match=r"would not lie where its sform says, but 0\.5 mm away"):
        read_volume(write(tmp_path / "t1.nii", HERE, HERE, (0, 1)))


# NRRD

FIELDS = {
    "type": "int16",
    "dimension": "3",
    "space": "left-posterior-superior",
    "sizes": "4 5 6",
    "space directions": "(2,0,0) (0,2,0) (0,0,3)",
    "encoding": "raw",
    "endian": "little",
    "space origin": "(7,8,9)",
}


def nrrd(path, **fields):
    lines = {**FIELDS, **{name.replace("_", " "): value for name, value in fields.items()}}
    text = "".join(f"{name}: {value}\n" for name, value in lines.items() if value)
    path.write_bytes(f"NRRD0005\n{text}\n".encode() + bytes(240))
    return path


@pytest.mark.parametrize("space", ["LPS", "left-posterior-superior", "RAS", "Right-Anterior-Superior", "LAS"])
def test_a_nrrd_of_an_anatomical_space_knows_its_sides(tmp_path, space):
    volume = read_volume(nrrd(tmp_path / "t1.nrrd", space=space))
    assert (volume.sides_known, volume.remarks) == (True, ())
    signs = {"L": (-1, -1, 1), "R": (1, 1, 1)}[space[0].upper()] if space != "LAS" else (-1, 1, 1)
    np.testing.assert_allclose(volume.grid.affine[:3, 3], np.multiply((7, 8, 9), signs))


@pytest.mark.parametrize(
    "fields",
    [
        {"space": "", "space_directions": "", "space_origin": "", "spacings": "2 2 3"},
        {"space": "scanner-xyz"},
        {"space": "3D-right-handed"},
        {"space": "", "space_dimension": "3", "sizes": "4 5 6"},
    ],
    ids=str,
)
def test_a_nrrd_without_orientation_knows_no_side_and_says_so(tmp_path, fields):
    first = {k: v for k, v in fields.items() if k == "space_dimension"}
    path = nrrd(tmp_path / "t1.nrrd", **fields)
    if first:
        # It stands before what refers to it.
        path.write_bytes(path.read_bytes().replace(b"space dimension: 3\n", b"").replace(
            b"NRRD0005\n", b"NRRD0005\nspace dimension: 3\n"))  # fmt: skip
    volume = read_volume(path)
    assert not volume.sides_known
    (remark,) = volume.remarks
    assert (
        "t1.nrrd does not say where the image lies nor which side is left; it was placed as Slicer" in remark
    )


def test_a_nrrd_without_origin_knows_its_sides_and_says_that_it_lies_nowhere(tmp_path):
    volume = read_volume(nrrd(tmp_path / "t1.nrrd", space_origin=""))
    assert volume.sides_known
    assert "does not say where the image lies; it was placed at the origin" in volume.remarks[0]


@pytest.mark.parametrize("units", ['"mm" "mm" "mm"', '"millimeters" "" "?"'])
def test_a_nrrd_in_mm_is_read(tmp_path, units):
    volume = read_volume(nrrd(tmp_path / "t1.nrrd", space_units=units))
    np.testing.assert_allclose(volume.grid.affine[:3, 3], (-7, -8, 9))


def test_a_nrrd_in_another_unit_is_refused_as_its_sizes_would_be_taken_for_mm(tmp_path):
    with pytest.raises(ImageError, match="tells places in cm, not in mm"):
        read_volume(nrrd(tmp_path / "t1.nrrd", space_units='"cm" "cm" "cm"'))


def test_units_of_each_axis_count_as_those_of_the_space_do(tmp_path):
    alone = {"space": "", "space_directions": "", "space_origin": "", "spacings": "0.2 0.2 0.3"}
    with pytest.raises(ImageError, match="tells places in cm, not in mm"):
        read_volume(nrrd(tmp_path / "t1.nrrd", **alone, units='"cm" "cm" "cm"'))
    volume = read_volume(nrrd(tmp_path / "t1.nrrd", **alone, units='"mm" "mm" "mm"'))
    np.testing.assert_allclose(volume.grid.spacing, (0.2, 0.2, 0.3))


@pytest.mark.parametrize(
    "fields",
    [
        {"space": "", "space_directions": "", "space_origin": ""},
        {"space_directions": "none none none"},
        {"space": "", "space_directions": "", "space_origin": "", "spacings": "nan nan nan"},
        {"space": "", "space_directions": "", "space_origin": "", "spacings": "0.4 0.4 nan"},
    ],
    ids=str,
)
def test_a_nrrd_without_voxel_sizes_is_refused_as_they_would_be_taken_for_1_mm(tmp_path, fields):
    with pytest.raises(ImageError, match="t1.nrrd names no voxel size"):
        read_volume(nrrd(tmp_path / "t1.nrrd", **fields))


# No side is named where none is known


def test_no_side_is_measured_where_none_is_known():
    grid = Grid((40, 60, 70), np.diag([-2.0, -2.0, 3.0, 1.0]))
    head = np.zeros(grid.shape, np.int16)
    head[4:-4, 4:-4, 4:-4] = 300
    mask = np.zeros(grid.shape, bool)
    mask[20:24, 20:24, 50:55] = True
    for known, side in ((True, "left"), (False, "untold")):
        found = measure(grid, grid.box, mask, head_middle(Volume(head, grid, sides_known=known)))
        assert found.side == side
        text = found.as_text()
        assert ("left" in text.replace("which side is left", "")) is known
        assert ("R -" in text) is known
    assert "Side: not told, the image's header does not say which side is left" in text


def test_a_mask_and_an_image_of_no_place_fit_each_other(tmp_path):
    path = write(tmp_path / "t1.nii", HERE, HERE, (0, 0))
    assert np.argwhere(read_mask(path, read_volume(path).grid)).tolist() == [list(VOXEL[::-1])]


def test_what_is_told_of_an_image_stays_with_it_when_it_is_resampled(tmp_path):
    t1ce = write(tmp_path / "t1.nii", HERE, HERE)
    case = read_case(t1ce, write(tmp_path / "t2.nii", HERE, THERE, (1, 2)))
    assert len(case.remarks) == 1
    assert case.t2.grid.matches(case.t1ce.grid)


# Axes that lean


def leaning(degrees):
    lean = np.eye(4)
    lean[:2, 1] = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    return HERE @ np.diag([0.5, 0.5, 1 / 3, 1]) @ lean @ np.diag([2, 2, 3, 1])


@pytest.mark.parametrize("suffix", ["nii", "nii.gz"])
@pytest.mark.parametrize("degrees", [0.01, 0.03, 0.05])
def test_an_sform_that_leans_by_hundredths_of_a_degree_is_read_where_it_lies(tmp_path, degrees, suffix):
    form = leaning(degrees)
    path = write(tmp_path / f"t1.{suffix}", form, HERE, (0, 2))
    volume = read_volume(path)
    np.testing.assert_allclose(volume.grid.affine, form, atol=1e-4)
    np.testing.assert_allclose(at(volume), place(form), atol=1e-3)
    np.testing.assert_array_equal(volume.array.transpose(), nib.load(path).get_fdata())
    assert volume.remarks == ()


@pytest.mark.parametrize("degrees", [0.1, 1.0])
def test_an_sform_that_leans_by_more_is_refused(tmp_path, degrees):
    with pytest.raises(ImageError, match="axes are not at right angles; resample it to an orthogonal grid"):
        read_volume(write(tmp_path / "t1.nii", leaning(degrees), HERE, (0, 1)))
