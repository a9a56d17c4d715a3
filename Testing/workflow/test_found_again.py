"""A tumour that is found anew on volumes of no case: the mask before goes only if nothing was done on it."""

import numpy as np
import pytest
import slicer
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.inference.initial_mask import InitialMask
from VSClickCorrectLib.mrml.segment_mask import SegmentMask
from VSClickCorrectLib.mrml.volumes import add_volume

FOUND = Box((1, 2, 3), (5, 6, 7))
PAINTED = Box((0, 0, 0), (1, 1, 1))


@pytest.fixture
def find(flow, host, headless, small):
    """Let the networks find `FOUND` on a T1ce that somebody has loaded; return its segmentation."""
    first = add_volume(headless.scene, small.t1ce, "T1ce")

    def find(volume=first):
        if flow.workbench.reference is not volume:
            host.run(flow.workbench.choose((volume, None), flow.workbench.segment, flow.workbench.settings))
        initial = InitialMask(FOUND, np.ones(FOUND.shape, bool), 0.9)
        host.run(flow.initial.use(initial, flow.workbench.volumes))
        return flow.workbench.segment[0]

    return find


def test_a_mask_on_which_nothing_was_done_makes_room(find):
    before = find()
    assert find() is not before
    assert before.GetScene() is None


def test_clicks_that_wait_do_not_go_unseen(find, flow, small):
    before = find()
    flow.workbench.mode.collecting = True
    click = Click(tuple(map(float, small.grid.index_to_ras((4, 4, 2)))), ClickKind.EXCLUDE)
    flow.workbench.correction.place(click)
    assert flow.workbench.correction.pending == [click]
    find()
    assert before.GetScene() is not None
    assert not before.GetDisplayVisibility()


def test_what_was_painted_while_nothing_was_corrected_does_not_go_unseen(find, flow):
    before = find()
    segment, volume = flow.workbench.segment, flow.workbench.reference
    flow.workbench.stop()
    SegmentMask(*segment, volume).write(PAINTED, np.ones(PAINTED.shape, bool))
    find()
    assert before.GetScene() is not None
    mask = SegmentMask(*segment, volume)
    assert mask.extent() == PAINTED.union(FOUND)


def test_the_mask_of_another_examination_stays_as_it_is(find, headless, small):
    """As of two examinations that lie in one scene, the tumour of each found once or twice."""
    earlier = find()
    other = add_volume(headless.scene, small.t1ce, "follow-up")
    later = find(other)
    assert earlier.GetScene() is not None and earlier.GetDisplayVisibility()
    again = find(headless.scene.GetFirstNodeByName("T1ce"))
    assert earlier.GetScene() is None
    assert all(node.GetScene() is not None and node.GetDisplayVisibility() for node in (later, again))


def test_a_mask_that_was_accepted_without_a_click_stays(find, flow):
    before, segment_id = find(), flow.workbench.segment[1]
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    logic.SetSegmentStatus(before.GetSegmentation().GetSegment(segment_id), logic.Completed)
    find()
    assert before.GetScene() is not None


def test_a_mask_that_was_put_away_is_seen_once_it_is_corrected_again(find, flow, host, small):
    find()
    before = flow.workbench.segment
    click = Click(tuple(map(float, small.grid.index_to_ras((4, 4, 2)))), ClickKind.EXCLUDE)
    flow.workbench.correction.place(click)
    find()
    assert not before[0].GetDisplayVisibility()
    flow.workbench.choose_segment(*before)
    host.run(flow.workbench.correct())
    assert before[0].GetDisplayVisibility()
