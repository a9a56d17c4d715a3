"""What an edit changed, shown beside the segment."""

import numpy as np
import pytest
from VSClickCorrectApp.reading.saved_scenes import load_scene
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.mrml.outline import ChangeOutline
from VSClickCorrectLib.mrml.persistence import save_scene
from VSClickCorrectLib.session.edit import Change

BOX = Box((3, 2, 4), (5, 4, 6))


@pytest.fixture
def change():
    """Two voxels of a block added, one removed."""
    added, removed = np.zeros((2, *BOX.shape), bool)
    added[0, 0, :], removed[1, 1, 1] = True, True
    return Change.of(BOX, added, removed)


@pytest.fixture
def outline(scene, volume_node):
    outline = ChangeOutline(scene, volume_node)
    yield outline
    outline.close()


def shown(scene):
    node = scene.GetFirstNodeByName("last change")
    return node if node is not None and node.GetDisplayNode().GetVisibility() else None


def test_added_and_removed_voxels_are_two_segments_where_they_lie(
    scene, volume_node, outline, change, exported, quarter_turn
):
    volume_node.SetAndObserveTransformNodeID(quarter_turn.GetID())
    outline.show(change)
    node = shown(scene)
    assert np.argwhere(exported(node, "added", volume_node)).tolist() == [[3, 2, 4], [3, 2, 5]]
    assert np.argwhere(exported(node, "removed", volume_node)).tolist() == [[4, 3, 5]]
    colors = [
        "".join(f"{round(255 * c):02X}" for c in node.GetSegmentation().GetSegment(i).GetColor())
        for i in ("added", "removed")
    ]
    assert colors == ["56B4E9", "D55E00"]
    display = node.GetDisplayNode()
    assert (display.GetVisibility2DFill(), display.GetVisibility2DOutline(), display.GetVisibility3D()) == (
        0,
        1,
        0,
    )


def test_next_change_takes_the_place_of_the_last(scene, volume_node, outline, change, exported):
    outline.show(change)
    only_added = np.ones((1, 1, 1), bool)
    outline.show(Change.of(Box.of_voxel((0, 0, 0)), only_added, ~only_added))
    node = shown(scene)
    assert np.argwhere(exported(node, "added", volume_node)).tolist() == [[0, 0, 0]]
    assert not exported(node, "removed", volume_node).any()
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 1


def test_change_of_nothing_shows_nothing(scene, volume_node, outline, change, exported):
    outline.show(change)
    nothing = np.zeros((2, 2, 2), bool)
    outline.show(Change.of(Box((0, 0, 0), (2, 2, 2)), nothing, nothing))
    for segment_id in ("added", "removed"):
        assert not exported(shown(scene), segment_id, volume_node).any()


def test_outline_is_hidden_and_shown_again(scene, outline, change):
    outline.hide()
    outline.show(change)
    outline.hide()
    assert shown(scene) is None
    outline.show(change)
    assert shown(scene) is not None


def test_outline_is_no_choice_in_editors_and_not_saved(scene, outline, change, tmp_path):
    outline.show(change)
    assert shown(scene).GetHideFromEditors()
    save_scene(scene, tmp_path / "scene.mrb")
    with load_scene(tmp_path / "scene.mrb") as loaded:
        assert loaded.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0
        assert loaded.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationDisplayNode") == 0


def test_closed_outline_leaves_nothing(scene, volume_node, change):
    before = scene.GetNumberOfNodes()
    outline = ChangeOutline(scene, volume_node)
    outline.show(change)
    outline.close()
    outline.close()
    outline.hide()
    assert scene.GetNumberOfNodes() == before


def test_deleted_nodes_are_survived(scene, volume_node, outline, change):
    outline.show(change)
    scene.RemoveNode(shown(scene))
    outline.hide()
    outline.show(change)
    assert shown(scene) is not None
    scene.RemoveNode(volume_node)
    outline.show(change)
    assert shown(scene) is None
