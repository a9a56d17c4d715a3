"""A segment that is corrected where points are placed."""

import gc
import weakref

import numpy as np
import pytest
import slicer
import vtk
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.imaging.box import Box
from VSClickCorrectLib.imaging.click import Click, ClickKind
from VSClickCorrectLib.mrml.click_nodes import ClickNodes
from VSClickCorrectLib.mrml.correction import correct_segment
from VSClickCorrectLib.mrml.persistence import load_scene, save_scene, stored_journal
from VSClickCorrectLib.mrml.segment_mask import SegmentMask, has_surface, refresh_surface
from VSClickCorrectLib.mrml.start import start_of
from VSClickCorrectLib.session.journal import Journal
from VSClickCorrectLib.simulation.oracle import Oracle

BOUNDARY, INCLUDE, EXCLUDE = ClickKind
TUMOUR = Box((3, 4, 5), (5, 7, 8))
SITE = (9.1, 16.2, -24.0)  # the middle of voxel (4, 5, 6): 10 - 2.4 + 1.5, 20 - 1.8 - 2, -30 + 6
ELSEWHERE = (7.2, 15.4, -28.5)  # the middle of voxel (1, 4, 10): 10 - 4 + 1.2, 20 - 3 - 1.6, -30 + 1.5
OUTSIDE = (900.0, 0.0, 0.0)


@pytest.fixture
def oracle(volume_node):
    truth = np.zeros(volume_node.GetImageData().GetDimensions()[::-1], bool)
    truth[TUMOUR.slices] = True
    return Oracle(truth)


class Heard:
    """What a correction told, in order."""

    def __init__(self):
        self.edits, self.errors, self.changes, self.postponed = [], [], 0, []

    def changed(self):
        self.changes += 1

    def later(self, action):
        self.postponed.append(action)

    def pass_on(self):
        """Let the event loop turn."""
        while self.postponed:
            self.postponed.pop(0)()


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
def correct(volume_node, segment, oracle, heard):
    """Begin a correction of the segment."""
    begun = []

    def begin(**options):
        correction = correct_segment(
            (volume_node, None),
            segment,
            oracle,
            on_edit=heard.edits.append,
            on_error=heard.errors.append,
            on_change=heard.changed,
            **options,
        )
        begun.append(correction)
        return correction

    yield begin
    for correction in begun:
        correction.close()


def points(segment):
    """The points shown: kind and position of each."""
    clicks = ClickNodes(segment[0]).markers().values()
    return sorted((c.kind.value, tuple(np.round(c.position_ras, 3))) for c in clicks)


def press(correction, position, kind=INCLUDE):
    """Place a point as a view does, past the correction's own method."""
    return correction.click_node(kind).AddControlPointWorld(*position)


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


def test_rows_tell_what_a_table_shows(correct):
    correction = correct()
    correction.place(Click(SITE, INCLUDE))
    correction.next_round()
    correction.place(Click(SITE, EXCLUDE))
    correction.collecting = True
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
    correction.collecting = True
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


def test_collected_clicks_change_nothing_until_they_are_applied(correct, segment, mask, heard):
    correction = correct()
    correction.collecting = True
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


def test_waiting_click_is_removed_without_an_edit(correct, segment, heard):
    correction = correct()
    correction.collecting = True
    correction.place(Click(SITE, INCLUDE))
    correction.place(Click(ELSEWHERE, INCLUDE))
    assert correction.remove(1) is None
    assert points(segment) == [("include", ELSEWHERE)]
    correction.click_node(INCLUDE).RemoveNthControlPoint(0)
    assert (correction.pending, heard.edits, correction.next_undo) == ([], [], None)


def test_waiting_clicks_still_wait_when_the_correction_is_taken_up_again(correct, segment, mask):
    first = correct()
    first.place(Click(ELSEWHERE, BOUNDARY))
    first.collecting = True
    first.place(Click(SITE, INCLUDE))
    first.close()
    second = correct()
    assert second.collecting
    assert [click.kind for click in second.pending] == [INCLUDE]
    assert len(points(segment)) == 2
    second.apply_collected()
    assert mask.extent() == TUMOUR
    second.close()
    assert not correct().collecting


@pytest.mark.parametrize("collecting", [False, True])
def test_refused_point_goes_only_after_its_own_event(correct, segment, mask, heard, collecting):
    correction = correct(later=heard.later)
    correction.collecting = collecting
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
    correction.busy = True
    assert correction.place(Click(ELSEWHERE, BOUNDARY)) is None
    assert "something else is being computed" in str(heard.errors[0])
    correction.click_node(INCLUDE).RemoveNthControlPoint(0)
    with pytest.raises(CorrectionError, match="something else"):
        correction.undo()
    correction.tidy()
    assert (points(segment), mask.extent()) == ([("include", SITE)], TUMOUR)
    correction.busy = False
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


def test_closed_correction_leaves_no_observer(correct, heard):
    correction = correct()
    nodes = [correction.click_node(kind) for kind in ClickKind]
    # Of the other event a list of points has an observer of its own.
    removed = slicer.vtkMRMLMarkupsNode.PointRemovedEvent
    assert [node.HasObserver(removed) for node in nodes] == [1, 1, 1]
    correction.close()
    correction.close()
    assert [node.HasObserver(removed) for node in nodes] == [0, 0, 0]
    press(correction, SITE)
    assert (correction.rows, heard.changes) == ([], 0)


def test_dropped_correction_is_not_kept_alive(volume_node, segment, oracle):
    correction = correct_segment((volume_node, None), segment, oracle)
    gone, node = weakref.ref(correction), correction.click_node()
    gc.disable()
    try:
        del correction
        assert gone() is None
    finally:
        gc.enable()
    assert not node.HasObserver(slicer.vtkMRMLMarkupsNode.PointRemovedEvent)


def test_list_of_points_that_was_deleted_comes_back(scene, correct, segment, mask, heard):
    correction = correct()
    correction.place(Click(SITE, INCLUDE))
    scene.RemoveNode(correction.click_node(INCLUDE))
    assert mask.extent() == TUMOUR
    node = correction.click_node(INCLUDE)
    assert (node.GetScene() is scene, points(segment)) == (True, [("include", SITE)])
    node.RemoveNthControlPoint(0)
    assert (mask.extent(), heard.errors) == (None, [])


@pytest.mark.parametrize("what", ["volume", "segmentation", "segment"])
def test_click_after_something_was_deleted_is_an_error_and_no_more(
    scene, volume_node, segment, correct, heard, what
):
    correction = correct(later=heard.later)
    correction.place(Click(SITE, INCLUDE))
    node, segment_id = segment
    if what == "segment":
        node.GetSegmentation().RemoveSegment(segment_id)
    else:
        scene.RemoveNode(volume_node if what == "volume" else node)
    lists = [scene.GetNthNodeByClass(n, "vtkMRMLMarkupsFiducialNode") for n in range(3)]
    lists[1].AddControlPointWorld(*ELSEWHERE)
    heard.pass_on()
    assert ["removed" in str(e) or "deleted" in str(e) for e in heard.errors] == [True]
    assert len(correction.rows) == 1
    correction.tidy()
    assert correction.place(Click(ELSEWHERE, INCLUDE)) is None
    with pytest.raises(CorrectionError):
        correction.undo()
    correction.close()


def test_closed_scene_is_survived(scene, correct, heard):
    correction = correct(later=heard.later)
    correction.place(Click(SITE, INCLUDE))
    scene.Clear(False)
    heard.pass_on()
    correction.tidy()
    correction.refresh_surface()
    assert (len(correction.rows), heard.errors) == (1, [])
    assert correction.place(Click(SITE, INCLUDE)) is None
    assert "segmentation was removed" in str(heard.errors[0])
    correction.close()


def test_surface_that_a_click_dropped_is_outdated_until_it_is_made_again(correct, segment):
    correction = correct()
    correction.place(Click(SITE, INCLUDE))
    assert not correction.surface_outdated
    refresh_surface(segment[0])
    correction.undo()
    assert (correction.surface_outdated, has_surface(segment[0])) == (True, False)
    correction.redo()
    correction.refresh_surface()
    assert (correction.surface_outdated, has_surface(segment[0])) == (False, True)


def test_rounds_rows_and_undo_come_back_with_a_saved_scene(scene, correct, segment, tmp_path, oracle):
    correction = correct()
    correction.place(Click(SITE, INCLUDE))
    correction.next_round()
    correction.place(Click(ELSEWHERE, INCLUDE))
    correction.remove(2)
    correction.undo()
    rows = correction.rows
    save_scene(scene, tmp_path / "work.mrb")
    with load_scene(tmp_path / "work.mrb") as loaded:
        node = loaded.scene.GetFirstNodeByName("tumour")
        volume = loaded.scene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
        again = correct_segment((volume, None), (node, segment[1]), oracle)
        assert again.session.round == 2
        assert loaded.scene.GetNumberOfNodesByClass("vtkMRMLMarkupsFiducialNode") == 3
        assert [(r.kind, r.round, r.voxels) for r in again.rows] == [
            (r.kind, r.round, r.voxels) for r in rows
        ]
        assert len(points((node, ""))) == 2
        assert again.redo().description.startswith("include click taken back, round 2")
        for _ in range(3):
            again.undo()
        assert SegmentMask(node, segment[1], volume).extent() is None
        assert start_of(node, segment[1], volume)[0].empty
        again.close()


def test_journal_is_in_the_scene_and_in_the_file_before_a_click_is_reported(
    correct, segment, tmp_path, heard
):
    path, seen = tmp_path / "journal.jsonl", []
    heard.edits = type(
        "Reading", (), {"append": lambda _, e: seen.append(path.read_text(encoding="utf-8"))}
    )()
    correction = correct(journal_path=path)
    correction.place(Click(SITE, INCLUDE))
    assert seen == [correction.session.journal.text] == [stored_journal(*segment)]
    assert len(Journal(path).events) == 2


def test_file_takes_up_the_journal_of_the_scene_and_no_other(correct, segment, tmp_path):
    path = tmp_path / "journal.jsonl"
    first = correct()
    first.place(Click(SITE, INCLUDE))
    first.close()
    second = correct(journal_path=path)
    second.undo()
    second.close()
    assert [event["event"] for event in Journal(path).events] == ["session", "edit", "undo"]
    third = correct()
    third.redo()
    third.close()
    with pytest.raises(CorrectionError, match="tells of other clicks than the scene"):
        correct(journal_path=path)


def test_long_sessions_are_stored_whole_and_piece_by_piece(scene, correct, segment):
    correction, texts = correct(), []
    node = scene.GetFirstNodeByClass("vtkMRMLTextNode")
    node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: texts.append(len(node.GetText())))
    for number in range(250):
        correction.place(Click(SITE, INCLUDE if number % 2 else EXCLUDE))
    assert stored_journal(*segment) == correction.session.journal.text
    assert len(correction.session.journal.text) > 50_000
    # The long text was touched once, not at every click.
    assert len(texts) <= 2
    again = correct()
    assert len(again.rows) == 250
