"""Points that somebody moves, unlocks or unsets once they stand for a click."""

import pytest
import slicer
from placed_points import ELSEWHERE, INCLUDE, SITE, TUMOUR, points, press
from VSClickCorrectLib.clicks.click import Click


@pytest.fixture
def correction(correct, heard):
    return correct(later=heard.later)


def test_a_point_that_is_moved_goes_back_to_what_it_changed(correction, segment, mask, heard):
    correction.place(Click(SITE, INCLUDE))
    node = correction.click_node(INCLUDE)
    node.SetNthControlPointLocked(0, False)
    for place in (SITE[0] + 1, *SITE[1:]), ELSEWHERE:
        node.SetNthControlPointPositionWorld(0, *place)
    assert points(segment) == [("include", ELSEWHERE)]
    assert ["a click stays where it was made" in str(error) for error in heard.errors] == [True]
    heard.pass_on()
    assert points(segment) == [("include", SITE)]
    assert node.GetNthControlPointLocked(0) and node.GetNumberOfControlPoints() == 1
    assert [row.position_ras for row in correction.rows] == [pytest.approx(SITE)]
    node.RemoveNthControlPoint(0)
    assert (mask.extent(), len(heard.errors)) == (None, 1)


def test_a_waiting_point_that_is_moved_is_applied_where_it_is_shown(correction, segment, mask, heard):
    correction.mode.collecting = True
    press(correction, SITE)
    node = correction.click_node(INCLUDE)
    node.SetNthControlPointPositionWorld(0, *ELSEWHERE)
    heard.pass_on()
    assert points(segment) == [("include", SITE)]
    correction.apply_collected()
    assert mask.extent() == TUMOUR


def test_points_under_a_transform_lie_where_their_clicks_are_with_the_next_step(
    correction, segment, quarter_turn, heard
):
    correction.place(Click(SITE, INCLUDE))
    node = correction.click_node(INCLUDE)
    node.SetAndObserveTransformNodeID(quarter_turn.GetID())
    assert points(segment) != [("include", SITE)]
    correction.place(Click(ELSEWHERE, INCLUDE))
    correction.undo()
    assert points(segment) == [("include", SITE)]
    assert [node.GetNthControlPointLabel(0), heard.errors] == ["", []]


def test_what_a_bent_transform_rounds_is_no_move(correction, segment, bent, heard):
    correction.click_node(INCLUDE).SetAndObserveTransformNodeID(bent.GetID())
    heard.pass_on()
    correction.place(Click(SITE, INCLUDE))
    node, modified = correction.click_node(INCLUDE), []
    assert [position for _kind, position in points(segment)] == [pytest.approx(SITE, abs=0.01)]
    node.AddObserver(slicer.vtkMRMLMarkupsNode.PointModifiedEvent, lambda *_: modified.append(True))
    correction.next_round()
    heard.pass_on()
    assert modified == []


def test_a_point_whose_position_is_unset_takes_its_correction_with_it(correction, segment, mask, heard):
    correction.place(Click(SITE, INCLUDE))
    node = correction.click_node(INCLUDE)
    node.UnsetNthControlPointPosition(0)
    heard.pass_on()
    assert (mask.extent(), correction.rows, points(segment), heard.errors) == (None, [], [], [])
    node.SetNthControlPointPositionWorld(0, *SITE)
    heard.pass_on()
    assert (mask.extent(), len(correction.rows)) == (TUMOUR, 1)
    assert node.GetNthControlPointLocked(0) and points(segment) == [("include", SITE)]


def test_a_hovering_point_is_never_laid_anywhere(correction, heard):
    """A view moves the point under its pointer as a preview."""
    correction.place(Click(SITE, INCLUDE))
    node, event = correction.click_node(INCLUDE), slicer.vtkMRMLInteractionEventData()
    update, index = node.GetDisplayNode().UpdateActiveControlPointWorld, -1
    for step in range(3):
        event.SetWorldPosition([ELSEWHERE[0] + step, *ELSEWHERE[1:]])
        index = update(index, event, [1, 0, 0, 0, 1, 0, 0, 0, 1], "", "", node.PositionPreview)
        heard.pass_on()
    place = node.GetNthControlPointPositionWorld(index)
    assert tuple(place) == pytest.approx((ELSEWHERE[0] + 2, *ELSEWHERE[1:]))


def test_a_list_whose_number_of_points_somebody_fixed_follows_clicks_and_undo(correction, segment, heard):
    """By a button of the Markups module."""
    correction.place(Click(SITE, INCLUDE))
    node = correction.click_node(INCLUDE)
    node.SetFixedNumberOfControlPoints(True)
    correction.undo()
    heard.pass_on()
    assert points(segment) == [] and correction.rows == []
    node.SetFixedNumberOfControlPoints(True)
    correction.redo()
    heard.pass_on()
    assert points(segment) == [("include", SITE)]
    node.SetFixedNumberOfControlPoints(True)
    correction.click_node(INCLUDE)
    press(correction, ELSEWHERE)
    assert len(correction.rows) == 2 and heard.errors == []
