"""Undo by our session and by trame-slicer's editor: the same mask again, from the same labelmap."""

import pytest
import undo_stack
from bright_ball import AXIAL, ball, ball_case, dice
from trame_slicer.segmentation.segment_modifier import SegmentModifier
from trame_slicer.segmentation.segmentation_state_stack import SegmentationStateStack
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectResearch.benchmark.comparisons import comparison, editor_undo
from VSClickCorrectResearch.benchmark.comparisons.click_correction import correction_of
from VSClickCorrectResearch.benchmark.errors import ProgramMissing

# Larger than the ball with the margin of 32 voxels that its labelmap has.
WIDE = Grid((24, 112, 112), AXIAL)


@pytest.fixture
def copied(monkeypatch):
    """Extents of the labelmaps that the editor copies."""
    extents, save = [], SegmentationStateStack.save_state

    def saved(stack):
        save(stack)
        segment = stack._segmentation.GetNthSegment(0)
        extents.append(segment.GetRepresentation("Binary labelmap").GetExtent())

    monkeypatch.setattr(SegmentationStateStack, "save_state", saved)
    return extents


@pytest.mark.parametrize("compare", [editor_undo.compare, editor_undo.compare_round_trip])
def test_both_bring_the_mask_back(case, truth, compare):
    found = compare(case, truth, 2)
    assert found.equal == 1.0
    assert len(found.our_seconds) == len(found.reference_seconds) == 2
    assert all(seconds > 0 for seconds in found.our_seconds + found.reference_seconds)


def test_the_editor_copies_the_whole_volume_before_and_after(copied):
    editor_undo.compare(ball_case(WIDE), ball(WIDE), 2)
    # Twice for each repeat, and for the one that is not counted.
    assert copied == [(0, 111, 0, 111, 0, 23)] * 6


def test_of_a_small_labelmap_it_copies_little(copied):
    assert editor_undo.compare(ball_case(WIDE), ball(WIDE), 1, whole=False).equal == 1.0
    assert len(copied) == 4
    # The ball has 19 rows; 32 are kept free on either side.
    assert all(stop - start < 100 for _, _, start, stop, _, _ in copied)


@pytest.mark.parametrize("broken", [undo_stack.UndoStack, CorrectionSession])
def test_an_undo_that_does_nothing_is_seen(case, truth, monkeypatch, broken):
    monkeypatch.setattr(broken, "undo", lambda side: None)
    correction = correction_of(case, truth)
    assert editor_undo.compare(case, truth, 1).equal <= dice(correction.start, correction.corrected)


def test_of_a_round_trip_both_parts_are_counted(case, truth, monkeypatch):
    monkeypatch.setattr(editor_undo, "timed", lambda action: (action(), 1.0)[1])
    undo, round_trip = (f(case, truth, 1) for f in (editor_undo.compare, editor_undo.compare_round_trip))
    assert undo.our_seconds == undo.reference_seconds == (1.0,)
    assert round_trip.our_seconds == round_trip.reference_seconds == (2.0,)


def test_a_write_that_the_editor_did_not_make_is_seen(case, truth, monkeypatch):
    monkeypatch.setattr(SegmentModifier, "set_segment_labelmap", lambda *arguments: None)
    correction = correction_of(case, truth)
    found = editor_undo.compare_round_trip(case, truth, 1)
    assert found.equal <= dice(correction.start, correction.corrected) < 1


def test_without_trame_slicer_it_says_so(case, truth, monkeypatch):
    real = comparison.find_spec
    monkeypatch.setattr(
        comparison, "find_spec", lambda package: None if package == "trame_slicer" else real(package)
    )
    with pytest.raises(ProgramMissing, match="trame-slicer is not installed"):
        editor_undo.compare(case, truth, 1)
