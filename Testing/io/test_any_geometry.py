"""Files and grids of any geometry: what is saved comes back, and shear is refused by a sentence."""

import numpy as np
import pytest
from any_grid import grids
from example_counts import examples
from hypothesis import example, given
from hypothesis import strategies as st
from orientations import nifti_set_ras, set_ras, write_nifti, write_nrrd
from session_doubles import masks_on
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.io.images import read_mask, read_volume, write_mask

SIDES = st.integers(1, 11)
SUFFIXES = st.sampled_from([".nii.gz", ".nii", ".nrrd", ".seg.nrrd"])
AXES = st.sampled_from([(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("any-geometry")


def sheared(grid, axes, amount):
    """Lean one axis of a grid toward another by ``amount`` of the other's direction."""
    affine, (leaning, other) = grid.affine.copy(), axes
    affine[:3, leaning] += amount * grid.spacing[leaning] * affine[:3, other] / grid.spacing[other]
    return affine


@examples(1)
@given(grid=grids(SIDES), suffix=SUFFIXES, data=st.data())
def test_mask_of_any_geometry_comes_back_from_a_file(folder, grid, suffix, data):
    mask = data.draw(masks_on(grid))
    # Names of their own: SimpleITK, by which this is checked, mixes up a .nii.gz with a .nii beside it.
    path = folder / f"mask-{suffix.strip('.')}{suffix}"
    write_mask(path, mask, grid)
    np.testing.assert_array_equal(read_mask(path, grid), mask)
    expected = np.argwhere(mask)[:, ::-1] @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    np.testing.assert_allclose(set_ras(path), expected, atol=1e-3)
    if ".nii" in suffix:
        np.testing.assert_allclose(nifti_set_ras(path), expected, atol=1e-3)


@examples(1)
@given(grid=grids(st.integers(2, 40)), axes=AXES, amount=st.floats(1e-6, 9.9e-4), suffix=SUFFIXES)
# Far from its first voxel a grid with this much shear lies 0.1 mm beside its straightened twin.
@example(grid=Grid((2, 200, 200), np.eye(4)), axes=(1, 0), amount=9e-4, suffix=".nii.gz")
def test_mask_on_a_grid_that_leans_by_a_hair_comes_back_too(folder, grid, axes, amount, suffix):
    leaning = Grid(grid.shape, sheared(grid, axes, amount))
    mask = np.random.default_rng(0).random(grid.shape) < 0.3
    path = folder / f"leaning{suffix}"
    write_mask(path, mask, leaning)
    np.testing.assert_array_equal(read_mask(path, leaning), mask)


@examples(1)
@given(grid=grids(st.integers(2, 4)), axes=AXES, amount=st.floats(2e-3, 0.9), sign=st.sampled_from((-1, 1)))
def test_shear_is_refused_with_the_way_out_wherever_it_comes_from(folder, grid, axes, amount, sign):
    affine = sheared(grid, axes, sign * amount)
    array = np.zeros(grid.shape, np.int16)
    for make in (
        lambda: Grid(grid.shape, affine),
        lambda: read_volume(write_nrrd(folder / "sheared.nrrd", array, affine)),
        lambda: read_volume(write_nifti(folder / "sheared.nii", array, affine)),
    ):
        with pytest.raises(ImageError, match="not at right angles.*resample it to an orthogonal grid first"):
            make()
