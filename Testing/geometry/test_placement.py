"""The same voxels in another order or extent: masks are placed on the image, never resampled."""

from itertools import permutations, product

import numpy as np
import pytest
from any_grid import all_ras
from volume_files import GRID, OBLIQUE, PLAIN, SHAPE, blob, written
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.io.images import read_mask


def stored(axes, flips, grid=GRID, values=None):
    """A mask with axes (k, j, i) in another order and direction, and the grid on which it lies there."""
    values = blob() if values is None else values
    corner = [n - 1 if flip else 0 for n, flip in zip(values.shape, flips, strict=True)]
    affine = grid.affine.copy()
    affine[:3, 3] = grid.index_to_ras(corner)
    columns = grid.affine[:3, 2::-1] * np.where(flips, -1, 1)
    affine[:3, :3] = columns[:, axes][:, ::-1]
    flipped = values[tuple(slice(None, None, -1 if flip else 1) for flip in flips)]
    turned = np.ascontiguousarray(flipped.transpose(axes))
    return turned, Grid(turned.shape, affine)


@pytest.mark.parametrize("axes", list(permutations(range(3))))
@pytest.mark.parametrize("suffix", [".seg.nrrd", ".nii.gz"])
def test_any_order_and_direction_of_the_axes_is_the_same_mask(tmp_path, axes, suffix):
    for flips in product((False, True), repeat=3):
        turned, grid = stored(axes, flips)
        assert np.allclose(all_ras(grid)[turned].mean(axis=0), all_ras(GRID)[blob()].mean(axis=0))
        path = written(tmp_path / f"mask{suffix}", turned.astype(np.uint8), grid)
        assert np.array_equal(read_mask(path, GRID), blob())


def padded(rim, shift=(0, 0, 0)):
    affine = OBLIQUE.copy()
    affine[:3, 3] = GRID.index_to_ras(np.array(shift) - rim)
    values = np.pad(blob(), rim)
    return values, Grid(values.shape, affine)


def test_an_empty_rim_beyond_the_image_is_left_off(tmp_path):
    values, grid = padded(3)
    assert np.array_equal(
        read_mask(written(tmp_path / "m.nrrd", values.astype(np.uint8), grid), GRID), blob()
    )
    turned, grid = stored((1, 2, 0), (True, False, True), grid, values)
    assert np.array_equal(
        read_mask(written(tmp_path / "m.nrrd", turned.astype(np.uint8), grid), GRID), blob()
    )


@pytest.mark.parametrize("shift", [(2, 0, 0), (0, 0, -2), (50, 0, 0)])
def test_a_mask_that_reaches_beyond_the_image_is_refused(tmp_path, shift):
    values, grid = padded(3, shift)
    with pytest.raises(ImageError, match="lies on another grid than the image; resample it"):
        read_mask(written(tmp_path / "m.nrrd", values.astype(np.uint8), grid), GRID)


@pytest.mark.parametrize("axes", [(0, 2, 1), (1, 0, 2), (2, 1, 0), (1, 2, 0)])
def test_a_mask_of_the_images_sides_in_another_order_is_refused_and_not_cropped(tmp_path, axes):
    # As where voxels were turned and the header was not: all of it still lies within the image.
    values = np.zeros(SHAPE, np.uint8)
    values[2, 3, 3] = 1
    turned = values.transpose(axes)
    path = written(tmp_path / "m.nrrd", turned, Grid(turned.shape, OBLIQUE))
    with pytest.raises(ImageError, match="lies on another grid"):
        read_mask(path, GRID)


@pytest.mark.parametrize("decimals", [3, 4])
def test_a_grid_that_another_tool_rounded_is_the_same(tmp_path, decimals):
    path = written(tmp_path / "m.nrrd", blob().astype(np.uint8), Grid(SHAPE, np.round(OBLIQUE, decimals)))
    assert np.array_equal(read_mask(path, GRID), blob())


def test_a_mask_a_quarter_of_a_voxel_aside_is_refused(tmp_path):
    affine = np.eye(4)
    affine[0, 3] = 0.25
    with pytest.raises(ImageError, match="lies on another grid"):
        read_mask(written(tmp_path / "m.nrrd", blob().astype(np.uint8), Grid(SHAPE, affine)), PLAIN)
