"""Where the panel leads Slicer's slice views."""

import numpy as np
import pytest
from pythonqt import bare
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.geometry.box import Box


@pytest.fixture
def shown_voxel(headless, small):
    """The voxel, ``(k, j, i)`` with fractions, in whose middle the views look."""
    view = headless.scene.AddNewNodeByClass("vtkMRMLSliceNode")

    def shown():
        place = [view.GetSliceToRAS().GetElement(row, 3) for row in range(3)]
        return small.grid.ras_to_ijk(place)[::-1]

    return shown


@pytest.fixture
def even(example):
    """A mask whose middle lies between two voxels along each axis."""
    values = np.zeros(example.mask.grid.shape, bool)
    values[Box((8, 40, 40), (12, 46, 48)).slices] = True
    example.mask.fill(values)
    return values


def test_a_new_mask_is_shown_in_slices_of_the_image_and_not_between_two(widget, even, shown_voxel):
    widget.ui.correctButton.click()
    np.testing.assert_allclose(shown_voxel(), (10, 43, 44), atol=1e-6)


def test_a_click_between_two_slices_is_shown_in_the_one_that_it_means(widget, even, shown_voxel, small):
    widget.ui.correctButton.click()
    place = tuple(small.grid.index_to_ras((9.4, 42.3, 44.9)))
    widget.panel.correction.mode.collecting = True
    widget.panel.correction.place(Click(place, ClickKind.INCLUDE))
    bare(widget.ui.clickTable).selectRow(0)
    np.testing.assert_allclose(shown_voxel(), (9, 42, 45), atol=1e-6)
