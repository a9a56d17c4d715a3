"""A segment that is corrected where points are placed."""

import numpy as np
import pytest
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.imaging.box import Box
from VSClickCorrectLib.mrml.clicks import KIND_ATTRIBUTE, add_clicks_node
from VSClickCorrectLib.mrml.correction import correct_segment
from VSClickCorrectLib.mrml.segment_mask import SegmentMask
from VSClickCorrectLib.simulation.oracle import Oracle

TUMOUR = Box((3, 4, 5), (5, 7, 8))
SITE = (9.1, 17.0, -24.0)  # the middle of voxel (4, 5, 6): 10 - 2.4 + 1.5, 20 - 1.8 - 2, -30 + 6


@pytest.fixture
def oracle(volume_node):
    truth = np.zeros(volume_node.GetImageData().GetDimensions()[::-1], bool)
    truth[TUMOUR.slices] = True
    return Oracle(truth)


@pytest.fixture
def points(scene):
    node = add_clicks_node(scene, "clicks")
    node.SetAttribute(KIND_ATTRIBUTE, "include")
    return node


def test_segments_of_one_segmentation_have_undo_of_their_own(volume_node, segment, points, oracle):
    node, first = segment
    second = node.GetSegmentation().AddEmptySegment("", "second")
    masks = [SegmentMask(node, segment_id, volume_node) for segment_id in (first, second)]
    for segment_id in (first, second):
        correction = correct_segment((volume_node, None), (node, segment_id), points, oracle)
        assert correction.next_undo is None
        points.AddControlPointWorld(*SITE)
        correction.close()
    assert [mask.extent() for mask in masks] == [TUMOUR, TUMOUR]
    again = correct_segment((None, volume_node), (node, first), points, oracle)
    again.undo()
    again.close()
    assert [mask.extent() for mask in masks] == [None, TUMOUR]


def test_next_undo_and_redo_say_what_they_would_do(volume_node, segment, points, oracle):
    correction = correct_segment((volume_node, None), segment, points, oracle)
    assert (correction.next_undo, correction.next_redo) == (None, None)
    points.AddControlPointWorld(*SITE)
    edit = correction.next_undo
    assert edit.description == "include click, round 1 (+18 −0 voxels)"
    correction.undo()
    assert (correction.next_undo, correction.next_redo) == (None, edit)
    correction.redo()
    assert (correction.next_undo.description, correction.next_redo) == (edit.description, None)
    correction.close()


def test_segmentation_that_is_gone_is_refused(volume_node, points, oracle):
    with pytest.raises(CorrectionError, match="no segmentation to correct"):
        correct_segment((volume_node, None), (None, ""), points, oracle)
