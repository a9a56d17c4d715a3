"""What belongs to a node goes with it, and has a place in the subject hierarchy as long as it is there."""

import numpy as np
import pytest
import slicer
import vtk
from placed_points import ELSEWHERE, EXCLUDE, INCLUDE, SITE, TUMOUR, points
from VSClickCorrectApp.reading.saved_scenes import load_scene
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.mrml.begin_correction import correct_segment
from VSClickCorrectLib.mrml.belongings import Orphans, remove_nodes
from VSClickCorrectLib.mrml.outline import ChangeOutline
from VSClickCorrectLib.mrml.owners import OWNER_ROLE, references
from VSClickCorrectLib.mrml.persistence import save_scene, stored_journal
from VSClickCorrectLib.mrml.segment_mask import add_segmentation
from VSClickCorrectLib.mrml.start_segment import START_ROLE, keep_start, start_of
from VSClickCorrectLib.session.edit import Change


@pytest.fixture
def hierarchy(scene):
    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)


def items(hierarchy):
    found = vtk.vtkIdList()
    hierarchy.GetItemChildren(hierarchy.GetSceneItemID(), found)
    return {hierarchy.GetItemDataNode(found.GetId(n)) for n in range(found.GetNumberOfIds())}


def test_outlines_that_no_editor_offers_have_a_place_in_the_hierarchy(scene, hierarchy, segment, volume_node):
    one = np.ones((1, 1, 1), bool)
    outline = ChangeOutline(scene, volume_node)
    outline.show(Change.of(Box.of_voxel((3, 4, 5)), one, ~one))
    drawn = scene.GetFirstNodeByName("last change")
    keep_start(*segment, volume_node)
    start = segment[0].GetNodeReference(START_ROLE)
    assert {drawn, start} <= items(hierarchy)
    assert drawn.GetHideFromEditors() and start.GetHideFromEditors()
    outline.close()
    remove_nodes(scene, segment[0])
    assert items(hierarchy) == set()


def test_without_a_hierarchy_none_is_made(scene, segment, volume_node):
    before = scene.GetNumberOfNodesByClass("vtkMRMLSubjectHierarchyNode")
    keep_start(*segment, volume_node)
    assert scene.GetNumberOfNodesByClass("vtkMRMLSubjectHierarchyNode") == before


@pytest.mark.parametrize("watched", [0, 1])
def test_a_segment_that_is_deleted_takes_nothing_of_another_one_with_it(
    scene, segment, volume_node, oracle, watched
):
    node, first = segment
    ids = [first, node.GetSegmentation().AddEmptySegment("", "second")]
    for one, position in zip(ids, (SITE, ELSEWHERE), strict=True):
        correction = correct_segment((volume_node, None), (node, one), oracle)
        correction.place(Click(position, INCLUDE))
        correction.close()
    correct_segment((volume_node, None), (node, ids[watched]), oracle).close()
    kept, postponed = stored_journal(node, first), []
    orphans = Orphans(scene, postponed.append, lambda: None)
    orphans.watch(node, ids[watched])
    node.GetSegmentation().RemoveSegment(ids[1])
    while postponed:
        postponed.pop()()
    assert (stored_journal(node, first), stored_journal(node, ids[1])) == (kept, None)
    assert start_of(node, first, volume_node) is not None
    assert start_of(node, ids[1], volume_node) is None
    # Of the watched segment points are shown.
    assert points(segment) == [[("include", SITE)], []][watched]
    again = correct_segment((volume_node, None), segment, oracle)
    assert [row.position_ras for row in again.rows] == [SITE]
    assert points(segment) == [("include", SITE)]
    again.close()


def test_clicks_that_wait_for_another_segment_stay_when_the_watched_one_is_deleted(
    scene, segment, volume_node, oracle
):
    node, first = segment
    second = node.GetSegmentation().AddEmptySegment("", "second")
    waiting = correct_segment((volume_node, None), (node, second), oracle)
    waiting.mode.collecting = True
    waiting.place(Click(ELSEWHERE, INCLUDE))
    waiting.close()
    postponed, told = [], []
    watched = correct_segment((volume_node, None), segment, oracle, on_error=told.append)
    for kind in (INCLUDE, EXCLUDE):
        watched.place(Click(SITE, kind))
    assert points(segment) == [("exclude", SITE), ("include", ELSEWHERE), ("include", SITE)]
    orphans = Orphans(scene, postponed.append, watched.close)
    orphans.watch(node, first)
    node.GetSegmentation().RemoveSegment(first)
    while postponed:
        postponed.pop()()
    assert (points(segment), told) == ([("include", ELSEWHERE)], [])
    assert node.GetNodeReference("VSClickCorrect.Clicks.exclude") is None
    again = correct_segment((volume_node, None), (node, second), oracle)
    assert again.pending == [Click(ELSEWHERE, INCLUDE)]
    again.close()


@pytest.mark.parametrize("earlier_version", [False, True])
def test_a_copy_of_a_segmentation_has_work_of_its_own(
    scene, segment, volume_node, oracle, tmp_path, earlier_version
):
    correction = correct_segment((volume_node, None), segment, oracle)
    correction.place(Click(SITE, INCLUDE))
    correction.close()
    if earlier_version:
        for _role, part in references(segment[0]):
            part.RemoveNodeReferenceIDs(OWNER_ROLE)
        correct_segment((volume_node, None), segment, oracle).close()
    kept, postponed = stored_journal(*segment), []
    copy = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    # As the Data module clones it.
    copy.Copy(segment[0])
    assert stored_journal(copy, segment[1]) is None
    on_copy = correct_segment((volume_node, None), (copy, segment[1]), oracle)
    assert (on_copy.rows, on_copy.next_undo) == ([], None)
    on_copy.place(Click(ELSEWHERE, INCLUDE))
    on_copy.close()
    assert (points((copy, "")), points(segment)) == ([("include", ELSEWHERE)], [("include", SITE)])
    save_scene(scene, tmp_path / "scene.mrb")
    orphans = Orphans(scene, postponed.append, lambda: None)
    scene.RemoveNode(copy)
    while postponed:
        postponed.pop()()
    del orphans
    assert scene.GetNumberOfNodesByClass("vtkMRMLMarkupsFiducialNode") == 3
    with load_scene(tmp_path / "scene.mrb") as loaded:
        twins = [loaded.scene.GetNodeByID(node.GetID()) for node in (segment[0], volume_node)]
        for one, volume in ((segment[0], volume_node), twins):
            assert stored_journal(one, segment[1]) == kept
            again = correct_segment((volume, None), (one, segment[1]), oracle)
            assert [row.position_ras for row in again.rows] == [SITE]
            again.undo()
            assert start_of(one, segment[1], volume)[0].empty
            again.close()


@pytest.mark.parametrize("loaded_later", [False, True])
def test_a_segment_copied_anew_in_place_of_a_deleted_one_inherits_no_clicks(
    scene, segment, mask, volume_node, oracle, loaded_later
):
    """Slicer gives a copy the ID that the segment has in the segmentation from which it comes."""
    mask.write(TUMOUR, np.ones(TUMOUR.shape, bool))
    postponed = []
    orphans = None if loaded_later else Orphans(scene, postponed.append, lambda: None)
    work, empty = add_segmentation(scene, volume_node, "work")
    copies = work.GetSegmentation()
    copies.RemoveSegment(empty)

    def copy():
        assert copies.CopySegmentFromSegmentation(segment[0].GetSegmentation(), segment[1], False)
        return correct_segment((volume_node, None), (work, segment[1]), oracle)

    first = copy()
    first.place(Click(SITE, EXCLUDE))
    first.close()
    orphans = orphans or Orphans(scene, postponed.append, lambda: None)
    # Another one is being corrected when it is deleted.
    orphans.watch(*segment)
    copies.RemoveSegment(segment[1])
    while postponed:
        postponed.pop()()
    second = copy()
    assert (second.rows, second.next_undo) == ([], None)
    assert [event["event"] for event in second.session.journal.events] == ["session"]
    assert second.session.mask.extent() == TUMOUR
    second.close()
