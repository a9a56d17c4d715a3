"""The line along the border, in the colours of how doubtful it is."""

import numpy as np
import pytest
from VSClickCorrectLib.geometry.resampling import ResamplingGeometry, ResamplingGrid
from VSClickCorrectLib.inference.doubt_map import DoubtMap
from VSClickCorrectLib.mrml.doubt_line import LEVELS, DoubtLine
from VSClickCorrectLib.mrml.volumes import grid_of


@pytest.fixture
def line(scene, volume_node):
    line = DoubtLine(scene, volume_node)
    yield line
    line.close()


def doubt_at(volume_node, **errors):
    """A map of native samples with the block (2:6, 3:9, 4:12) as mask, and errors at voxels of it."""
    grid = grid_of(volume_node)
    window = ResamplingGrid(
        grid,
        (np.array(grid.axial_shape) - 1) / 2,
        ResamplingGeometry(grid.axial_shape, tuple(map(float, grid.axial_spacing))),
    )
    mask, error = np.zeros(grid.shape, bool), np.zeros(grid.shape, np.float32)
    mask[2:6, 3:9, 4:12] = True
    for place, value in errors.values():
        error[place] = value
    order = grid.axial_order()
    return DoubtMap(window, order.arranged(mask), order.arranged(error)), mask


def shown(scene):
    node = scene.GetFirstNodeByName("doubt")
    return node if node is not None and node.GetDisplayNode().GetVisibility() else None


def test_each_level_is_a_segment_where_it_lies(scene, volume_node, line, exported, quarter_turn):
    volume_node.SetAndObserveTransformNodeID(quarter_turn.GetID())
    doubt, mask = doubt_at(volume_node, a=(np.s_[:, 4:, 6:], 1.0))
    line.show(doubt, mask)
    node = shown(scene)
    ids = node.GetSegmentation().GetSegmentIDs()
    found = [exported(node, one, volume_node) for one in ids]
    levels = doubt.border_levels(mask, [least for least, _ in LEVELS])
    assert set(np.unique(levels)) == {0, 1, 2, 3}
    for number, voxels in enumerate(found):
        np.testing.assert_array_equal(voxels, levels == number + 1)
    assert [node.GetSegmentation().GetSegment(one).GetColor() for one in ids] == [
        pytest.approx(color) for _, color in LEVELS
    ]
    display = node.GetDisplayNode()
    assert display.GetVisibility2DFill() and not display.GetVisibility2DOutline()
    assert node.GetHideFromEditors() and not node.GetSaveWithScene()


def test_the_next_map_takes_its_place_and_it_can_be_hidden(scene, volume_node, line, exported):
    line.show(*doubt_at(volume_node, a=(np.s_[:], 0.9)))
    line.show(*doubt_at(volume_node))
    node = shown(scene)
    assert not any(exported(node, one, volume_node).any() for one in node.GetSegmentation().GetSegmentIDs())
    line.hide()
    assert shown(scene) is None
    line.close()
    line.close()
    assert scene.GetFirstNodeByName("doubt") is None


def test_nothing_is_shown_of_a_volume_that_is_gone(scene, volume_node, line):
    doubt = doubt_at(volume_node, a=(np.s_[:], 0.9))
    line.show(*doubt)
    scene.RemoveNode(volume_node)
    line.show(*doubt)
    assert scene.GetFirstNodeByName("doubt") is None
