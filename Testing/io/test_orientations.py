"""Left stays left: one head, stored in each of the 48 orientations, always lies where it lay."""

import numpy as np
import pytest
from orientations import (
    CODES,
    COUNTS,
    affine_of,
    head_ras,
    nifti_set_ras,
    ras_array,
    set_ras,
    stored,
    write_nifti,
    write_nrrd,
    write_turned,
)
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.patches import PatchGeometry, patch_grid
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.io.images import read_mask, read_volume, write_mask

every_orientation = pytest.mark.parametrize("code", CODES)

# Voxel (r, a, s) = (3, 7, 2), in the left half of the head.
MARKER_RAS = (-38.5, 11.25, 0.0)
MARKER_VALUE = 3 + 12 * 7 + 12 * 10 * 2


def by_hand_as_nifti(folder, code):
    return write_nifti(folder / "head.nii.gz", stored(code, ras_array()), affine_of(code))


def by_hand_as_nrrd(folder, code):
    return write_nrrd(folder / "head.nrrd", stored(code, ras_array()), affine_of(code))


def by_simpleitk(folder, code):
    return write_turned(folder / "head.nii", code)


def test_there_are_48_orientations():
    assert len(set(CODES)) == 48
    assert len({affine_of(code).tobytes() for code in CODES}) == 48
    # Toward the patient's left, back and top: the order of DICOM. The corner lies rightmost and foremost.
    np.testing.assert_array_equal(affine_of("LPS"), [
        [-0.5, 0, 0, -34.5], [0, -0.75, 0, 12.75], [0, 0, 1.5, -3], [0, 0, 0, 1],
    ])  # fmt: skip


@every_orientation
def test_every_voxel_of_a_file_lies_where_its_value_says_and_a_click_finds_it(tmp_path, code):
    for write in (by_hand_as_nifti, by_hand_as_nrrd, by_simpleitk):
        volume = read_volume(write(tmp_path, code))
        indices = np.moveaxis(np.indices(volume.grid.shape), 0, -1)
        np.testing.assert_allclose(volume.grid.index_to_ras(indices), head_ras(volume.array), atol=1e-5)
        assert sorted(volume.grid.shape) == sorted(COUNTS)
        assert volume.array[volume.grid.ras_to_index(MARKER_RAS)] == MARKER_VALUE


@every_orientation
def test_left_of_a_click_is_right_in_its_cut_and_behind_is_below_and_above_is_later(code):
    grid = Grid(stored(code, ras_array()).shape, affine_of(code))
    geometry = PatchGeometry(size=9, pixel_mm=0.5, slices=5, slice_mm=1.5)
    window = patch_grid(grid, Click(MARKER_RAS), geometry)
    # One slice up, two voxels of 0.75 mm back, three voxels of 0.5 mm to the left.
    marked = np.zeros(COUNTS[::-1])
    marked[3, 5, 0] = 1
    cut = window.resample(stored(code, marked)[window.source_box.slices])
    assert np.unravel_index(cut.argmax(), cut.shape) == (2 + 1, 4 + 3, 4 + 3)


@every_orientation
def test_written_mask_lies_where_the_click_was(tmp_path, code):
    marked = stored(code, ras_array()) == MARKER_VALUE
    grid = Grid(marked.shape, affine_of(code))
    for suffix in (".nii.gz", ".nii", ".nrrd", ".seg.nrrd"):
        path = tmp_path / f"mask{suffix}"
        write_mask(path, marked, grid)
        np.testing.assert_allclose(set_ras(path), [MARKER_RAS], atol=1e-5)
        np.testing.assert_array_equal(read_mask(path, grid), marked)
    for path in tmp_path.glob("*.nii*"):
        np.testing.assert_allclose(nifti_set_ras(path), [MARKER_RAS], atol=1e-5)


@every_orientation
def test_mask_stored_in_another_orientation_than_the_image_marks_the_same_place(tmp_path, code):
    image = Grid(stored("LPS", ras_array()).shape, affine_of("LPS"))
    mask = stored(code, (ras_array() == MARKER_VALUE).astype(np.int16))
    path = write_nifti(tmp_path / "mask.nii", mask, affine_of(code))
    assert np.argwhere(read_mask(path, image)).tolist() == [[2, 2, 8]]
