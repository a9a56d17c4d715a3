"""Slicer's own undo and redo of a scene, where somebody has switched it on for lists of points."""

import pytest
import vtk
from placed_points import ELSEWHERE, INCLUDE, SITE, TUMOUR, points, press
from VSClickCorrectLib.clicks.click import Click


@pytest.fixture
def correction(scene, correct, heard):
    correction = correct(later=heard.later)
    scene.SetUndoOn()
    correction.click_node(INCLUDE).SetUndoEnabled(True)
    return correction


def test_a_point_that_comes_back_brings_its_correction_with_it(scene, correction, segment, mask, heard):
    scene.SaveStateForUndo()
    press(correction, SITE)
    scene.Undo()
    heard.pass_on()
    assert (points(segment), mask.extent(), correction.rows) == ([], None, [])
    scene.Redo()
    heard.pass_on()
    assert (points(segment), mask.extent(), len(correction.rows)) == ([("include", SITE)], TUMOUR, 1)
    assert correction.click_node(INCLUDE).GetNthControlPointLocked(0) and heard.errors == []
    correction.remove(1)
    assert (points(segment), mask.extent()) == ([], None)


def test_a_deleted_point_that_comes_back_is_a_click_again(scene, correction, segment, mask, heard):
    correction.place(Click(SITE, INCLUDE))
    scene.SaveStateForUndo()
    correction.click_node(INCLUDE).RemoveNthControlPoint(0)
    assert mask.extent() is None
    scene.Undo()
    heard.pass_on()
    assert (points(segment), mask.extent(), len(correction.rows)) == ([("include", SITE)], TUMOUR, 1)


def test_a_point_that_comes_back_and_cannot_be_a_click_goes_with_a_sentence(
    scene, correction, segment, mask, heard
):
    scene.SaveStateForUndo()
    press(correction, SITE)
    scene.Undo()
    heard.pass_on()
    correction.mode.busy = True
    scene.Redo()
    heard.pass_on()
    assert ["something else is being computed" in str(error) for error in heard.errors] == [True]
    assert (points(segment), mask.extent()) == ([], None)


def test_points_placed_after_undo_are_told_apart(scene, correction, segment, mask, heard):
    correction.place(Click(ELSEWHERE, INCLUDE))
    scene.SaveStateForUndo()
    press(correction, SITE)
    scene.Undo()
    heard.pass_on()
    press(correction, SITE)
    heard.pass_on()
    node = correction.click_node(INCLUDE)
    assert len({node.GetNthControlPointID(index) for index in range(2)}) == 2
    assert all(node.GetNthControlPointLocked(index) for index in range(2))
    node.RemoveNthControlPoint(1)
    heard.pass_on()
    assert [row.position_ras for row in correction.rows] == [pytest.approx(ELSEWHERE)]
    assert points(segment) == [("include", ELSEWHERE)]


def test_points_moved_in_bulk_go_back_to_their_clicks(correction, segment, mask, heard):
    correction.place(Click(SITE, INCLUDE))
    moved = vtk.vtkPoints()
    moved.InsertNextPoint(ELSEWHERE)
    correction.click_node(INCLUDE).SetControlPointPositionsWorld(moved)
    heard.pass_on()
    assert (points(segment), mask.extent()) == ([("include", SITE)], TUMOUR)
    assert ["a click stays where it was made" in str(error) for error in heard.errors] == [True]
