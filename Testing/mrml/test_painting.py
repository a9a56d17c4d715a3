"""Slicer's own painting between clicks reaches the journal, and nothing else does."""

import numpy as np
import pytest
import slicer
import vtk
from placed_points import INCLUDE, SITE, TUMOUR
from slicer_hand import collapse_layers, crop_to_content, linear, paint
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.errors import CorrectionError, WorklistError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.mrml.persistence import stored_journal
from VSClickCorrectLib.mrml.segment_mask import SegmentMask
from VSClickCorrectLib.session.journal import Journal, replay
from VSClickCorrectLib.session.start_mask import restored

PAINTED = Box((0, 0, 1), (1, 2, 4))


@pytest.fixture
def hand(segment, volume_node):
    """Paint in the segment, as Slicer's segment editor does."""
    return lambda box=PAINTED, value=True: paint(*segment, volume_node, box, value)


@pytest.fixture
def stored(segment, mask):
    """The kinds of the events in the scene, which give back the segment."""

    def read():
        events = Journal(text=stored_journal(*segment)).events
        np.testing.assert_array_equal(restored(events, mask.grid), mask.read(mask.grid.box))
        return [event["event"] for event in events]

    return read


def test_painting_stands_in_the_journal_before_the_click_that_follows(correct, hand, stored):
    correction = correct()
    hand()
    correction.place(Click(SITE, INCLUDE))
    assert stored() == ["session", "paint", "edit"]
    hand(value=False)
    correction.undo()
    assert stored() == ["session", "paint", "edit", "paint", "undo"]


def test_painting_is_noted_once_slicer_is_done_with_it(correct, heard, hand, stored):
    correction = correct(later=heard.later)
    hand()
    assert len(correction.session.journal.events) == 1
    heard.pass_on()
    assert stored() == ["session", "paint"]


def test_clicks_and_what_leaves_the_voxels_alone_are_no_painting(scene, correct, heard, segment, stored):
    correction = correct(later=heard.later)
    correction.place(Click(SITE, INCLUDE))
    heard.pass_on()
    collapse_layers(segment[0])
    crop_to_content(*segment)
    heard.pass_on()
    correction.next_round()
    assert stored() == ["session", "edit", "round"]


def test_painting_of_a_segment_in_the_same_layer_is_not_of_this_one(
    correct, heard, segment, volume_node, hand, stored
):
    node, _ = segment
    other = node.GetSegmentation().AddEmptySegment("", "other")
    correction = correct(later=heard.later)
    hand(TUMOUR)
    SegmentMask(node, other, volume_node).write(PAINTED, np.ones(PAINTED.shape, bool))
    collapse_layers(node)
    heard.pass_on()
    paint(node, other, volume_node, PAINTED, False)
    heard.pass_on()
    correction.next_round()
    assert stored() == ["session", "paint", "round"]


def test_what_was_painted_last_is_noted_at_the_end_and_what_comes_after_at_the_next_beginning(
    correct, hand, stored
):
    correction = correct()
    hand()
    correction.close()
    assert stored() == ["session", "paint"]
    hand(value=False)
    correction.close()
    correct()
    assert stored() == ["session", "paint", "paint"]


def test_a_correction_at_rest_takes_no_clicks_and_notes_painting(correct, heard, hand, stored):
    correction = correct(later=heard.later)
    node = correction.click_node(INCLUDE)
    correction.rest()
    node.AddControlPointWorld(*SITE)
    hand()
    heard.pass_on()
    assert stored() == ["session", "paint"]
    correction.close()
    hand(value=False)
    heard.pass_on()
    assert len(correction.session.journal.events) == 2


@pytest.mark.parametrize("gone", ["volume", "segmentation", "segment"])
def test_nothing_is_noted_of_what_is_gone(scene, correct, heard, segment, volume_node, hand, gone):
    correction = correct(later=heard.later)
    hand()
    if gone == "segment":
        segment[0].GetSegmentation().RemoveSegment(segment[1])
    else:
        scene.RemoveNode({"volume": volume_node, "segmentation": segment[0]}[gone])
    heard.pass_on()
    correction.close()
    assert heard.errors == []


def test_painting_that_cannot_be_written_is_told_and_noted_with_what_follows(
    correct, heard, hand, stored, tmp_path
):
    disk, away = tmp_path / "disk", tmp_path / "away"
    disk.mkdir()
    correction = correct(later=heard.later, journal_path=disk / "journal.jsonl")
    disk.rename(away)
    hand()
    heard.pass_on()
    (error,) = heard.errors
    assert isinstance(error, CorrectionError) and "cannot be written" in str(error)
    away.rename(disk)
    correction.place(Click(SITE, INCLUDE))
    assert stored() == ["session", "paint", "edit"]
    assert Journal(disk / "journal.jsonl").text == correction.session.journal.text


def test_what_slicers_own_undo_does_is_noted_at_once(correct, heard, segment, hand, stored):
    history = slicer.vtkSegmentationHistory()
    history.SetSegmentation(segment[0].GetSegmentation())
    correct(later=heard.later)
    history.SaveState()
    hand()
    heard.pass_on()
    history.RestorePreviousState()
    heard.pass_on()
    assert stored() == ["session", "paint", "paint"]
    history.RestoreNextState()
    heard.pass_on()
    assert stored() == ["session", "paint", "paint", "paint"]


@pytest.mark.parametrize("moved", [0, 1])
def test_a_segment_that_was_moved_by_whole_voxels_is_written_down_as_it_lies(
    scene, correct, segment, volume_node, hand, mask, moved
):
    correction = correct()
    hand(TUMOUR)
    correction.next_round()
    # A voxel along the rows: (-0.4, -0.3, 0) mm; the segment lies one farther, or the volume.
    place = np.eye(4)
    place[:3, 3] = -0.4, -0.3, 0
    (segment[0], volume_node)[moved].SetAndObserveTransformNodeID(linear(scene, place).GetID())
    correction.close()
    replayed = ArrayMask(mask.grid)
    replay(correction.session.journal.events, replayed)
    shifted = TUMOUR.shifted((0, 0, -1 if moved else 1))
    assert replayed.extent() == mask.extent() == shifted


def test_on_an_image_of_another_size_a_correction_can_be_closed(correct, heard, volume_node, hand):
    correction = correct(later=heard.later)
    larger = vtk.vtkImageData()
    larger.SetDimensions(40, 40, 40)
    larger.AllocateScalars(vtk.VTK_SHORT, 1)
    volume_node.SetAndObserveImageData(larger)
    hand(Box((20, 20, 20), (22, 22, 22)))
    heard.pass_on()
    correction.close()
    assert ["another size" in str(error) for error in heard.errors] == [True, True]
    assert len(correction.session.journal.events) == 1


def test_a_guard_that_refuses_lets_nothing_be_written(correct, heard, hand, tmp_path):
    def guard():
        if lost:
            raise WorklistError("lost")

    lost, path = [], tmp_path / "journal.jsonl"
    correction = correct(later=heard.later, journal_path=path, guard=guard)
    text = path.read_text()
    lost.append(True)
    hand()
    heard.pass_on()
    correction.place(Click(SITE, INCLUDE))
    correction.close()
    assert path.read_text() == text
    assert {str(error) for error in heard.errors} == {"lost"}
    path.unlink()
    with pytest.raises(WorklistError):
        correct(journal_path=path, guard=guard)
    assert not path.exists()
