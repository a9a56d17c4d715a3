"""The lists of points of a segmentation."""

import pytest
import slicer
from VSClickCorrectApp.reading.saved_scenes import load_scene
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.mrml.click_nodes import KIND_ATTRIBUTE, ClickNodes, Marker
from VSClickCorrectLib.mrml.persistence import save_scene

BOUNDARY, INCLUDE, EXCLUDE = ClickKind


@pytest.fixture
def nodes(segment):
    return ClickNodes(segment[0])


def test_each_kind_has_a_colour_and_a_shape_of_its_own(nodes):
    looks = {}
    for kind in ClickKind:
        display = nodes.node(kind).GetDisplayNode()
        color = "".join(f"{round(255 * c):02X}" for c in display.GetSelectedColor())
        looks[kind] = color, display.GetGlyphTypeAsString(display.GetGlyphType())
        assert display.GetUseGlyphScale()
        assert not display.GetPointLabelsVisibility()
    assert looks == {
        BOUNDARY: ("F0E442", "Diamond2D"),
        INCLUDE: ("56B4E9", "Circle2D"),
        EXCLUDE: ("D55E00", "ThickCross2D"),
    }


def test_lists_and_points_say_their_kind_to_everything_that_reads_points(nodes):
    nodes.fix(nodes.add(Click((1.0, 2.0, 3.0), EXCLUDE)))
    node = nodes.node(EXCLUDE)
    assert node.GetAttribute(KIND_ATTRIBUTE) == node.GetNthControlPointDescription(0) == "exclude"
    assert node.GetNthControlPointLocked(0)


def test_lists_are_made_once_and_found_again_after_loading(scene, segment, nodes, tmp_path):
    assert list(nodes.existing()) == []
    node = nodes.node(INCLUDE)
    assert ClickNodes(segment[0]).node(INCLUDE) is node
    nodes.add(Click((1.0, 2.0, 3.0), INCLUDE))
    save_scene(scene, tmp_path / "points.mrb")
    with load_scene(tmp_path / "points.mrb") as loaded:
        again = ClickNodes(loaded.scene.GetFirstNodeByName("tumour"))
        assert [kind for kind, _ in again.existing()] == [INCLUDE]
        (click,) = again.markers().values()
        assert click.position_ras == pytest.approx((1, 2, 3))


def test_list_that_was_deleted_is_made_anew(scene, nodes):
    scene.RemoveNode(nodes.node(BOUNDARY))
    assert nodes.find(BOUNDARY) is None
    assert nodes.node(BOUNDARY).GetScene() is scene


def test_segmentation_that_left_the_scene_has_no_lists(scene, segment, nodes):
    scene.RemoveNode(segment[0])
    with pytest.raises(CorrectionError, match="segmentation was removed"):
        nodes.node(BOUNDARY)


def test_point_that_is_gone_can_be_removed_and_locked_in_vain(nodes):
    gone = Marker(INCLUDE, "77")
    nodes.remove(gone)
    nodes.fix(gone)
    nodes.add(Click((1.0, 2.0, 3.0), INCLUDE))
    nodes.remove(gone)
    assert len(nodes.markers()) == 1


def test_points_are_found_by_their_label_in_the_order_of_its_numbers(nodes):
    clicks = [
        Click((float(r), 0.0, 0.0), kind) for r, kind in enumerate((INCLUDE, BOUNDARY, INCLUDE, BOUNDARY))
    ]
    first, second, third, other = map(nodes.add, clicks)
    nodes.fix(first, "waiting Segment 1 10")
    nodes.fix(second, "waiting Segment 1 9")
    nodes.fix(third, "waiting Segment 1")
    nodes.fix(other)
    assert list(nodes.labelled("waiting Segment 1").items()) == [(second, clicks[1]), (first, clicks[0])]


def test_hovering_point_is_no_marker(nodes):
    event = slicer.vtkMRMLInteractionEventData()
    identity = [1, 0, 0, 0, 1, 0, 0, 0, 1]
    nodes.node(BOUNDARY).GetDisplayNode().UpdateActiveControlPointWorld(
        -1, event, identity, "", "", slicer.vtkMRMLMarkupsNode.PositionPreview
    )
    assert nodes.node(BOUNDARY).GetNumberOfControlPoints() == 1
    assert nodes.markers() == {}
