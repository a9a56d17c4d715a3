"""The mask with which a correction began."""

import numpy as np
import pytest
from VSClickCorrectApp.reading.saved_scenes import load_scene
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.mrml.persistence import save_scene
from VSClickCorrectLib.mrml.start_segment import START_ROLE, keep_start, show_start, start_of

BOX = Box((3, 2, 4), (5, 6, 7))


@pytest.fixture
def filled(mask):
    values = np.ones(BOX.shape, bool)
    values[0, 1, 1] = False
    mask.write(BOX, values)
    return values


def test_nothing_was_kept_yet(segment, volume_node):
    assert start_of(*segment, volume_node) is None
    assert not show_start(*segment)


def test_start_stays_while_the_segment_changes(segment, volume_node, mask, filled):
    keep_start(*segment, volume_node)
    mask.write(BOX, np.zeros(BOX.shape, bool))
    box, values = start_of(*segment, volume_node)
    assert box == BOX
    np.testing.assert_array_equal(values, filled)


def test_empty_start_is_not_the_same_as_none(segment, volume_node):
    keep_start(*segment, volume_node)
    box, values = start_of(*segment, volume_node)
    assert (box.empty, values.shape) == (True, (0, 0, 0))


def test_start_kept_again_is_replaced(scene, segment, volume_node, mask, filled):
    keep_start(*segment, volume_node)
    mask.write(Box.of_voxel((0, 0, 0)), np.ones((1, 1, 1), bool))
    keep_start(*segment, volume_node)
    assert start_of(*segment, volume_node)[0] == Box((0, 0, 0), (5, 6, 7))
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 2


def test_each_segment_has_a_start_of_its_own(segment, volume_node, filled):
    node, first = segment
    second = node.GetSegmentation().AddEmptySegment("", "second")
    keep_start(node, first, volume_node)
    assert start_of(node, second, volume_node) is None
    keep_start(node, second, volume_node)
    assert start_of(node, first, volume_node)[0] == BOX
    assert start_of(node, second, volume_node)[0].empty


def test_start_is_hidden_until_it_is_shown_as_an_outline(segment, volume_node, filled):
    node, first = segment
    second = node.GetSegmentation().AddEmptySegment("", "second")
    for segment_id in (first, second):
        keep_start(node, segment_id, volume_node)
    start = node.GetNodeReference(START_ROLE)
    display = start.GetDisplayNode()
    assert (start.GetHideFromEditors(), display.GetVisibility(), display.GetVisibility2DFill()) == (1, 0, 0)
    assert show_start(node, first)
    assert display.GetVisibility()
    assert (display.GetSegmentVisibility(first), display.GetSegmentVisibility(second)) == (True, False)
    assert show_start(node, first, False)
    assert not display.GetVisibility()


def test_start_comes_back_with_the_scene(scene, segment, volume_node, filled, tmp_path):
    keep_start(*segment, volume_node)
    save_scene(scene, tmp_path / "scene.mrb")
    with load_scene(tmp_path / "scene.mrb") as loaded:
        node = loaded.scene.GetFirstNodeByName("tumour")
        volume = loaded.scene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
        box, values = start_of(node, segment[1], volume)
        assert box == BOX
        np.testing.assert_array_equal(values, filled)


def test_start_moves_with_volume_and_segmentation(segment, volume_node, filled, quarter_turn):
    keep_start(*segment, volume_node)
    for node in (volume_node, segment[0]):
        node.SetAndObserveTransformNodeID(quarter_turn.GetID())
    assert start_of(*segment, volume_node)[0] == BOX


def test_deleted_start_is_kept_anew(scene, segment, volume_node, filled):
    keep_start(*segment, volume_node)
    scene.RemoveNode(segment[0].GetNodeReference(START_ROLE))
    assert start_of(*segment, volume_node) is None
    keep_start(*segment, volume_node)
    assert start_of(*segment, volume_node)[0] == BOX
