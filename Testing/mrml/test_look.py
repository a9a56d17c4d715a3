"""How slices show the segment that is being corrected."""

import pytest
from VSClickCorrectLib.mrml.look import SegmentLook
from VSClickCorrectLib.mrml.persistence import save_scene


@pytest.fixture
def display(segment):
    return segment[0].GetDisplayNode()


def test_outlines_that_were_switched_off_are_seen_until_the_end(segment, display):
    display.SetVisibility2DOutline(False)
    display.SetSegmentVisibility2DOutline(segment[1], False)
    look = SegmentLook(*segment)
    look.filled = False
    assert display.GetVisibility2DOutline() and display.GetSegmentVisibility2DOutline(segment[1])
    look.filled = True
    look.restore()
    assert not display.GetVisibility2DOutline()
    assert not display.GetSegmentVisibility2DOutline(segment[1])


def test_a_segment_that_was_hidden_is_shown_and_stays_so_and_its_siblings_stay_hidden(segment, display):
    sibling = segment[0].GetSegmentation().AddEmptySegment("", "sibling")
    display.SetVisibility(False)
    for one in (segment[1], sibling):
        display.SetSegmentVisibility(one, False)
    look = SegmentLook(*segment)
    look.filled = False
    look.restore()
    assert display.GetVisibility() and display.GetSegmentVisibility(segment[1])
    assert not display.GetSegmentVisibility(sibling)


def test_what_is_switched_off_while_it_is_corrected_stays_off(segment, display):
    look = SegmentLook(*segment)
    look.filled = False
    display.SetVisibility(False)
    look.filled = True
    assert not display.GetVisibility()


def shown(display, segment_id):
    """Filled, outlined, with outlines at all, and how thick these are."""
    segment = (
        display.GetSegmentVisibility2DFill(segment_id),
        display.GetSegmentVisibility2DOutline(segment_id),
    )
    return *segment, bool(display.GetVisibility2DOutline()), display.GetSliceIntersectionThickness()


@pytest.mark.parametrize("other", [False, True])
def test_a_scene_saved_meanwhile_tells_what_its_user_had_chosen(scene, segment, display, tmp_path, other):
    node, segment_id = segment
    sibling = node.GetSegmentation().AddEmptySegment("", "sibling")
    display.SetSegmentVisibility2DOutline(segment_id, False)
    display.SetVisibility2DOutline(False)
    chosen = (True, False, False, 1)
    assert shown(display, segment_id) == chosen
    SegmentLook(node, segment_id).filled = False
    assert shown(display, segment_id) == (False, True, True, 2)
    save_scene(scene, tmp_path / "scene.mrb")
    scene.Clear(False)
    assert scene.ReadFromMRB(str(tmp_path / "scene.mrb"), True)
    node = scene.GetFirstNodeByName("tumour")
    look = SegmentLook(node, sibling if other else segment_id)
    look.filled = False
    look.restore()
    assert shown(node.GetDisplayNode(), segment_id) == chosen
    # What the next correction finds is the user's own again.
    node.GetDisplayNode().SetSliceIntersectionThickness(4)
    look.filled = True
    look.restore()
    assert shown(node.GetDisplayNode(), segment_id) == (True, False, False, 4)


def test_siblings_have_their_outlines_back_though_the_segment_went(segment, display):
    node, segment_id = segment
    display.SetVisibility2DOutline(False)
    look = SegmentLook(node, segment_id)
    look.filled = False
    node.GetSegmentation().RemoveSegment(segment_id)
    look.restore()
    assert not display.GetVisibility2DOutline() and display.GetSliceIntersectionThickness() == 1


@pytest.mark.parametrize("told", ["", "nonsense", "Segment_1 1 1 1 9999999999999"])
def test_a_look_that_cannot_be_read_is_none(segment, display, told):
    before = shown(display, segment[1])
    display.SetAttribute("VSClickCorrect.LookBefore", told)
    look = SegmentLook(*segment)
    look.filled = False
    look.restore()
    assert shown(display, segment[1]) == before
