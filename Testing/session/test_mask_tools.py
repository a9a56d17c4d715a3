"""Tools that change the whole mask, on masks that can be counted by hand."""

import numpy as np
import pytest
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.session.mask_tools import between_slices, largest_part, without_islands

# Voxels of 1 x 1 x 4 mm, 4 mm³ each; the slices lie along the first axis.
GRID = Grid((7, 12, 12), np.diag([-1.0, -1.0, 4.0, 1.0]))


@pytest.fixture
def parts():
    """A part of 27 voxels, one of 2 (8 mm³) and one of 1 (4 mm³)."""
    values = np.zeros(GRID.shape, bool)
    values[1:4, 2:5, 2:5] = True
    values[5, 8, 8:10] = True
    values[0, 11, 11] = True
    return values


def test_the_largest_part_stays_alone(parts):
    kept = largest_part(parts)
    assert kept.sum() == 27 and kept[1:4, 2:5, 2:5].all()
    with pytest.raises(CorrectionError, match="no second part"):
        largest_part(kept)


def test_parts_that_touch_at_a_corner_are_one():
    values = np.zeros(GRID.shape, bool)
    values[2, 2, 2] = values[3, 3, 3] = True
    with pytest.raises(CorrectionError):
        largest_part(values)


def test_islands_below_the_volume_go_and_the_largest_part_never():
    values = np.zeros(GRID.shape, bool)
    values[0, 0, 0] = values[4, 4, 4:6] = True
    assert np.argwhere(without_islands(values, GRID, 8.0)).tolist() == [[4, 4, 4], [4, 4, 5]]
    assert np.argwhere(without_islands(values, GRID, 100.0)).tolist() == [[4, 4, 4], [4, 4, 5]]
    with pytest.raises(CorrectionError, match="below 4 mm³"):
        without_islands(values, GRID, 4.0)


def test_specks_of_a_default_tumour_go(parts):
    left = without_islands(parts, GRID)
    assert left.sum() == 29 and not left[0, 11, 11]


def test_between_two_equal_outlines_lies_the_same_one_and_nothing_goes():
    values = np.zeros(GRID.shape, bool)
    values[1, 3:8, 4:9] = values[5, 3:8, 4:9] = True
    filled = between_slices(values, GRID)
    expected = np.zeros(GRID.shape, bool)
    expected[1:6, 3:8, 4:9] = True
    np.testing.assert_array_equal(filled, expected)


def test_half_way_between_two_squares_lies_the_middle_one():
    values = np.zeros(GRID.shape, bool)
    values[2, 5:6, 5:6] = True
    values[4, 2:9, 2:9] = True
    filled = between_slices(values, GRID)
    # 1 and 7 voxels across: 4 mm less along each axis's middle, so about 3 to 5.
    across = filled[3, 5].sum()
    assert 3 <= across <= 5 and filled[3, 5, 5] and not filled[3, 2, 2]
    np.testing.assert_array_equal(filled[[2, 4]], values[[2, 4]])


def test_slices_are_axial_however_the_array_lies():
    # The slices lie along the last axis.
    turned = Grid((12, 12, 7), np.array([[0, 0, -1.0, 0], [0, -1.0, 0, 0], [4.0, 0, 0, 0], [0, 0, 0, 1]]))
    values = np.zeros(turned.shape, bool)
    values[3:8, 4:9, 1] = values[3:8, 4:9, 3] = True
    assert between_slices(values, turned)[3:8, 4:9, 2].all()


def test_without_a_gap_it_says_so(parts):
    values = np.zeros(GRID.shape, bool)
    values[1:4, 2:5, 2:5] = True
    with pytest.raises(CorrectionError, match="no slice without mask"):
        between_slices(values, GRID)
    with pytest.raises(CorrectionError):
        between_slices(np.zeros(GRID.shape, bool), GRID)
