"""How slices show the segment that is being corrected."""

import pytest
from VSClickCorrectLib.mrml.look import SegmentLook


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
