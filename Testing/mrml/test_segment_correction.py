"""A segment that is corrected where points are placed."""

import math
import time

import numpy as np
import pytest
import slicer
from placed_points import BOUNDARY, ELSEWHERE, EXCLUDE, INCLUDE, OUTSIDE, SITE, TUMOUR, points, press
from VSClickCorrectApp.reading.saved_scenes import load_scene
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.merging import Proposal
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.mrml.begin_correction import correct_segment
from VSClickCorrectLib.mrml.persistence import save_scene
from VSClickCorrectLib.mrml.segment_mask import SegmentMask
from VSClickCorrectLib.session import click_rules


def test_segments_of_one_segmentation_have_undo_of_their_own(volume_node, segment, oracle):
    node, first = segment
    second = node.GetSegmentation().AddEmptySegment("", "second")
    masks = [SegmentMask(node, segment_id, volume_node) for segment_id in (first, second)]
    for segment_id in (first, second):
        correction = correct_segment((volume_node, None), (node, segment_id), oracle)
        assert correction.next_undo is None
        assert points(segment) == []
        correction.place(Click(SITE, INCLUDE))
        correction.close()
    assert [mask.extent() for mask in masks] == [TUMOUR, TUMOUR]
    again = correct_segment((None, volume_node), (node, first), oracle)
    again.undo()
    again.close()
    assert [mask.extent() for mask in masks] == [None, TUMOUR]


def test_next_undo_and_redo_say_what_they_would_do(correct):
    correction = correct()
    assert (correction.next_undo, correction.next_redo) == (None, None)
    edit = correction.place(Click(SITE, INCLUDE))
    assert edit.description == "include click, round 1 (+18 −0 voxels)"
    assert correction.next_undo is edit
    correction.undo()
    assert (correction.next_undo, correction.next_redo) == (None, edit)
    correction.redo()
    assert (correction.next_undo.description, correction.next_redo) == (edit.description, None)


def test_segmentation_that_is_gone_is_refused(volume_node, oracle):
    with pytest.raises(CorrectionError, match="no segmentation to correct"):
        correct_segment((volume_node, None), (None, ""), oracle)


def test_point_placed_in_a_view_corrects_and_is_locked(correct, segment, mask, heard):
    correction = correct()
    index = press(correction, SITE)
    node = correction.click_node(INCLUDE)
    assert node.GetNthControlPointLocked(index)
    assert node.GetNthControlPointDescription(index) == "include"
    assert mask.extent() == TUMOUR
    (edit,) = heard.edits
    assert edit.clicks == (Click(tuple(node.GetNthControlPointPositionWorld(0)), INCLUDE),)
    assert (heard.errors, heard.changes) == ([], 1)


def test_a_click_tells_the_time_that_a_look_took_before_it_was_taken(correct, mask, monkeypatch):
    # The image is no larger.
    monkeypatch.setattr(click_rules, "BORDER_MM", 6.5)

    def initial_proposer(case, click, *_):
        time.sleep(0.2)
        box = case.grid.box_around(click.position_ras, 1.0)
        return Proposal(click, box, np.ones(box.shape, np.float32))

    corner = mask.grid.box.stop
    far = Box(tuple(n - 1 for n in corner), corner)
    mask.write(far, np.ones(far.shape, bool))
    assert math.dist(mask.grid.index_to_ras(far.start), SITE) > 7.0
    edit = correct(initial_proposer=initial_proposer).place(Click(SITE, BOUNDARY))
    assert edit.change.count[0] > 0
    assert edit.milliseconds >= 200


def test_click_given_in_code_is_shown_once_it_has_done_its_work(correct, segment, mask, oracle, heard):
    propose, shown = oracle.propose, []

    def watched(*arguments):
        shown.append(points(segment))
        return propose(*arguments)

    oracle.propose = watched
    heard.edits = type("Shown", (), {"append": lambda _, edit: shown.append(points(segment))})()
    correction = correct()
    correction.place(Click(SITE, INCLUDE))
    assert shown == [[], [("include", SITE)]]
    assert mask.extent() == TUMOUR


def test_rows_tell_what_a_table_shows(correct):
    correction = correct()
    correction.place(Click(SITE, INCLUDE))
    correction.next_round()
    correction.place(Click(SITE, EXCLUDE))
    correction.mode.collecting = True
    correction.place(Click(ELSEWHERE, BOUNDARY))
    rows = [(r.number, r.kind, r.slice_number, r.round, r.voxels) for r in correction.rows]
    # The exclude click stands on the tumour itself, so it takes its disc of 1.2 mm: 0.5 mm voxels within
    # the slice, 1.5 mm apart across, hence 21 of one slice, of which the tumour has its 9.
    assert rows == [(1, INCLUDE, 5, 1, 18), (2, EXCLUDE, 5, 2, 9), (3, BOUNDARY, 2, 2, None)]
    assert correction.position(3) == pytest.approx(ELSEWHERE)
    for number in (0, 4):
        with pytest.raises(CorrectionError, match=f"no click {number}"):
            correction.position(number)
        with pytest.raises(CorrectionError, match=f"no click {number}"):
            correction.remove(number)


def test_slices_are_counted_upward_whichever_way_the_volume_runs(correct, volume_node, add_transform):
    upside_down = add_transform([[1, 0, 0, 0], [0, -1, 0, 0], [0, 0, -1, 0], [0, 0, 0, 1]])
    volume_node.SetAndObserveTransformNodeID(upside_down.GetID())
    correction = correct()
    correction.mode.collecting = True
    correction.place(Click((SITE[0], -SITE[1], -SITE[2]), BOUNDARY))
    # Voxel slice 4 of 0 to 7 is the fourth from what is now the bottom.
    assert correction.rows[0].slice_number == 4


def test_markers_follow_undo_redo_and_removal(correct, segment, mask):
    correction = correct()
    site, elsewhere = ("include", SITE), ("boundary", ELSEWHERE)
    correction.place(Click(SITE, INCLUDE))
    correction.place(Click(ELSEWHERE, BOUNDARY))
    assert points(segment) == [elsewhere, site]
    correction.undo()
    assert points(segment) == [site]
    correction.redo()
    assert points(segment) == [elsewhere, site]
    assert correction.remove(1).description == "include click taken back, round 1 (+0 −18 voxels)"
    assert (points(segment), mask.extent()) == ([elsewhere], None)
    correction.undo()
    assert (points(segment), mask.extent()) == ([elsewhere, site], TUMOUR)
    assert correction.click_node(INCLUDE).GetNthControlPointLocked(0)


def test_point_deleted_by_a_user_takes_its_correction_with_it(correct, segment, mask, heard):
    correction = correct()
    press(correction, SITE)
    press(correction, ELSEWHERE, BOUNDARY)
    correction.click_node(INCLUDE).RemoveNthControlPoint(0)
    assert mask.extent() is None
    assert [edit.removed for edit in heard.edits[2:]] == [heard.edits[0].clicks]
    assert [row.kind for row in correction.rows] == [BOUNDARY]
    correction.undo()
    assert (points(segment), mask.extent()) == ([("boundary", ELSEWHERE), ("include", SITE)], TUMOUR)


def test_deleting_all_points_of_a_kind_takes_all_their_corrections(correct, mask, heard):
    correction = correct()
    for position in (SITE, ELSEWHERE, SITE):
        press(correction, position)
    correction.click_node(INCLUDE).RemoveAllControlPoints()
    assert (correction.rows, mask.extent(), heard.errors) == ([], None, [])
    assert [edit.numbers for edit in heard.edits[3:]] == [(3,), (2,), (1,)]


def test_deleted_points_of_which_one_was_taken_back_meanwhile_take_all_others_back(correct, mask, heard):
    told = []

    def append(edit):
        told.append(edit.numbers)
        if edit.removed and edit.numbers == (3,):
            correction.remove(2)

    heard.edits = type("Told", (), {"append": staticmethod(append)})()
    correction = correct()
    for position in (SITE, ELSEWHERE, SITE):
        press(correction, position)
    correction.click_node(INCLUDE).RemoveAllControlPoints()
    assert told == [(1,), (2,), (3,), (3,), (2,), (1,)]
    assert (correction.rows, mask.extent(), heard.errors) == ([], None, [])


def test_collected_clicks_change_nothing_until_they_are_applied(correct, segment, mask, heard):
    correction = correct()
    correction.mode.collecting = True
    assert correction.place(Click(SITE, INCLUDE)) is None
    press(correction, ELSEWHERE, EXCLUDE)
    assert (mask.extent(), heard.edits, heard.changes) == (None, [], 2)
    assert [click.kind for click in correction.pending] == [INCLUDE, EXCLUDE]
    assert len(points(segment)) == 2
    edit = correction.apply_collected()
    assert ([c.kind for c in edit.clicks], heard.edits) == ([INCLUDE, EXCLUDE], [edit])
    assert (mask.extent(), correction.pending) == (TUMOUR, [])
    assert [row.voxels for row in correction.rows] == [18, 0]
    # A collected click that was applied is a point like any other.
    correction.click_node(INCLUDE).RemoveNthControlPoint(0)
    assert (mask.extent(), len(points(segment))) == (None, 1)
    with pytest.raises(CorrectionError, match="no click to apply"):
        correction.apply_collected()


def test_click_that_waits_is_not_told_as_the_edit_before_it(correct, heard):
    correction = correct()
    press(correction, SITE)
    correction.mode.collecting = True
    press(correction, ELSEWHERE)
    assert (len(heard.edits), len(correction.pending)) == (1, 1)


def test_waiting_click_is_removed_without_an_edit(correct, segment, heard):
    correction = correct()
    correction.mode.collecting = True
    correction.place(Click(SITE, INCLUDE))
    correction.place(Click(ELSEWHERE, INCLUDE))
    assert correction.remove(1) is None
    assert points(segment) == [("include", ELSEWHERE)]
    correction.click_node(INCLUDE).RemoveNthControlPoint(0)
    assert (correction.pending, heard.edits, correction.next_undo) == ([], [], None)


def test_waiting_clicks_still_wait_when_the_correction_is_taken_up_again(correct, segment, mask):
    first = correct()
    first.place(Click(ELSEWHERE, BOUNDARY))
    first.mode.collecting = True
    first.place(Click(ELSEWHERE, EXCLUDE))
    first.place(Click(SITE, INCLUDE))
    first.close()
    second = correct()
    assert second.mode.collecting
    assert [click.kind for click in second.pending] == [EXCLUDE, INCLUDE]
    assert len(points(segment)) == 3
    second.apply_collected()
    assert mask.extent() == TUMOUR
    second.close()
    assert not correct().mode.collecting


@pytest.mark.parametrize("lost", ["point while something is computed", "list"])
def test_waiting_clicks_whose_points_came_back_wait_after_the_next_beginning_too(
    correct, segment, heard, lost, scene
):
    first = correct(later=heard.later)
    first.mode.collecting = True
    for position in (SITE, ELSEWHERE, SITE):
        first.place(Click(position, INCLUDE))
    waiting, node = first.pending, first.click_node(INCLUDE)
    if lost == "list":
        scene.RemoveNode(node)
    else:
        first.mode.busy = True
        node.RemoveNthControlPoint(1)
        heard.pass_on()
        first.mode.busy = False
    first.tidy()
    assert len(points(segment)) == 3
    first.close()
    assert correct().pending == waiting


def test_points_that_were_added_while_nothing_listened_wait_as_clicks(correct, segment, mask):
    """As with another module open; what can be no click does not stay."""
    first = correct()
    first.place(Click(ELSEWHERE, EXCLUDE))
    node = first.click_node(INCLUDE)
    first.close()
    outside = 1e4, 0.0, 0.0
    for position in (SITE, outside):
        node.AddControlPointWorld(*position)
    second = correct()
    assert second.mode.collecting
    assert second.pending == [Click(SITE, INCLUDE)]
    assert points(segment) == [("exclude", ELSEWHERE), ("include", SITE)]
    second.apply_collected()
    assert mask.extent() == TUMOUR
    second.close()
    assert correct().pending == []


def test_waiting_clicks_wait_while_another_segment_is_corrected(
    correct, segment, volume_node, oracle, scene, tmp_path
):
    node, first_id = segment
    second = node, node.GetSegmentation().AddEmptySegment("", "second")
    first = correct()
    first.mode.collecting = True
    first.place(Click(SITE, INCLUDE))
    first.close()
    other = correct_segment((volume_node, None), second, oracle)
    other.place(Click(ELSEWHERE, INCLUDE))
    assert (other.pending, len(other.rows)) == ([], 1)
    places = other.click_node(INCLUDE)
    assert [places.GetNthControlPointVisibility(n) for n in range(2)] == [False, True]
    other.close()
    save_scene(scene, tmp_path / "work.mrb")
    with load_scene(tmp_path / "work.mrb") as loaded:
        volume = loaded.scene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
        again = correct_segment((volume, None), (loaded.scene.GetFirstNodeByName("tumour"), first_id), oracle)
        assert [click.kind for click in again.pending] == [INCLUDE]
        places = again.click_node(INCLUDE)
        assert [places.GetNthControlPointVisibility(n) for n in range(1)] == [True]
        again.close()
    assert correct().pending == [Click(SITE, INCLUDE)]
    assert points(segment) == [("include", SITE)]


@pytest.mark.parametrize("collecting", [False, True])
def test_refused_point_goes_only_after_its_own_event(correct, segment, mask, heard, collecting):
    correction = correct(later=heard.later)
    correction.mode.collecting = collecting
    press(correction, OUTSIDE)
    assert len(points(segment)) == 1
    heard.pass_on()
    assert (points(segment), mask.extent(), correction.rows, heard.changes) == ([], None, [], 0)
    assert ["outside" in str(error) for error in heard.errors] == [True]


def test_without_a_later_a_refused_point_goes_with_the_next_method(correct, segment):
    correction = correct()
    press(correction, OUTSIDE)
    assert len(points(segment)) == 1
    correction.tidy()
    assert points(segment) == []


def test_point_placed_by_a_program_is_refused_at_once(correct, segment, heard):
    assert correct().place(Click(OUTSIDE, BOUNDARY)) is None
    assert (points(segment), len(heard.errors)) == ([], 1)


def test_nothing_happens_while_something_else_is_computed(correct, segment, mask, heard):
    correction = correct()
    edit = correction.place(Click(SITE, INCLUDE))
    correction.mode.busy = True
    assert correction.place(Click(ELSEWHERE, BOUNDARY)) is None
    assert "something else is being computed" in str(heard.errors[0])
    correction.click_node(INCLUDE).RemoveNthControlPoint(0)
    with pytest.raises(CorrectionError, match="something else"):
        correction.undo()
    correction.tidy()
    assert (points(segment), mask.extent()) == ([("include", SITE)], TUMOUR)
    correction.mode.busy = False
    assert correction.undo() is edit


def test_callbacks_may_act_on_the_correction(correct, segment, mask, heard):
    heard.edits = type("Undoing", (), {"append": lambda _, edit: correction.undo()})()
    correction = correct(later=heard.later)
    press(correction, SITE)
    assert (mask.extent(), correction.rows) == (None, [])
    heard.pass_on()
    assert points(segment) == []


def test_hovering_point_survives_no_removal_below_it(correct, segment):
    """A view knows its hovering point by index; with the index stale it would take a marker for it."""
    correction = correct()
    correction.place(Click(SITE, INCLUDE))
    node, event = correction.click_node(INCLUDE), slicer.vtkMRMLInteractionEventData()
    event.SetWorldPosition(ELSEWHERE)
    preview = slicer.vtkMRMLMarkupsNode.PositionPreview
    update = node.GetDisplayNode().UpdateActiveControlPointWorld
    index = update(-1, event, [1, 0, 0, 0, 1, 0, 0, 0, 1], "", "", preview)
    correction.undo()
    assert node.GetNumberOfControlPoints() == 0
    index = update(index, event, [1, 0, 0, 0, 1, 0, 0, 0, 1], "", "", preview)
    correction.redo()
    assert points(segment) == [("include", SITE)]
    update(index, event, [1, 0, 0, 0, 1, 0, 0, 0, 1], "", "", slicer.vtkMRMLMarkupsNode.PositionDefined)
    assert len(correction.rows) == 2
    assert points(segment) == [("include", ELSEWHERE), ("include", SITE)]


def test_marker_that_a_view_took_for_its_own_comes_back(correct, segment):
    correction = correct()
    correction.place(Click(SITE, INCLUDE))
    node, event = correction.click_node(INCLUDE), slicer.vtkMRMLInteractionEventData()
    event.SetWorldPosition(ELSEWHERE)
    update = node.GetDisplayNode().UpdateActiveControlPointWorld
    update(0, event, [1, 0, 0, 0, 1, 0, 0, 0, 1], "", "", slicer.vtkMRMLMarkupsNode.PositionPreview)
    update(0, event, [1, 0, 0, 0, 1, 0, 0, 0, 1], "", "", slicer.vtkMRMLMarkupsNode.PositionDefined)
    assert len(correction.rows) == 2
    correction.tidy()
    assert points(segment) == [("include", ELSEWHERE), ("include", SITE)]


def test_markers_can_be_hidden(correct, segment):
    correction = correct()
    nodes = [correction.click_node(kind) for kind in ClickKind]
    assert correction.markers_visible
    correction.markers_visible = False
    assert [node.GetDisplayVisibility() for node in nodes] == [0, 0, 0]
    assert not correction.markers_visible
