"""A segment of the scene, and the mask with which its correction began, measured together."""

from dataclasses import replace

import numpy as np
import pytest
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.mrml.segment_mask import SegmentMask, add_segmentation
from VSClickCorrectLib.mrml.segment_measures import SegmentMeasuring
from VSClickCorrectLib.mrml.start_segment import keep_start
from VSClickCorrectLib.mrml.volumes import add_volume, volume_of

BOX = Box((3, 2, 4), (5, 6, 7))


@pytest.fixture
def measuring(segment, volume_node):
    return SegmentMeasuring(segment, volume_node)


def voxel_mm3(volume_node):
    return float(np.prod(volume_node.GetSpacing()))


def test_change_is_told_from_when_a_start_is_kept(segment, volume_node, mask, measuring):
    mask.write(BOX, np.ones(BOX.shape, bool))
    assert measuring.measure().change is None
    keep_start(*segment, volume_node)
    mask.write(Box((3, 2, 4), (4, 6, 7)), np.zeros((1, 4, 3), bool))
    now, change = measuring.measure()
    assert now.volume_mm3 == pytest.approx(12 * voxel_mm3(volume_node))
    assert (change.added, change.removed) == (0, 12)
    assert change.dice == pytest.approx(2 * 12 / (12 + 24))


def test_a_correction_may_begin_with_an_empty_segment(segment, volume_node, mask, measuring):
    keep_start(*segment, volume_node)
    assert measuring.measure().as_text().splitlines()[0] == "The mask is empty."
    mask.write(BOX, np.ones(BOX.shape, bool))
    change = measuring.measure().change
    assert (change.added, change.removed, change.volume_percent) == (24, 0, None)


def test_text_holds_the_measurements_and_then_the_change(segment, volume_node, mask, measuring):
    mask.write(BOX, np.ones(BOX.shape, bool))
    assert "DSC" not in measuring.measure().as_text()
    keep_start(*segment, volume_node)
    lines = measuring.measure().as_text().splitlines()
    assert lines[0].startswith("Volume: ")
    assert lines[-1] == "DSC to the mask at the start: 1.000"


def test_a_segment_that_has_gone_is_said_so(segment, measuring):
    node, segment_id = segment
    node.GetSegmentation().RemoveSegment(segment_id)
    with pytest.raises(CorrectionError):
        measuring.measure()


def test_no_side_is_told_of_a_volume_whose_sides_nobody_knows(scene, segment, volume_node, mask):
    mask.write(BOX, np.ones(BOX.shape, bool))
    unknown = add_volume(scene, replace(volume_of(volume_node), sides_known=False), "unknown")
    assert "does not say which side is left" in SegmentMeasuring(segment, unknown).measure().as_text()


def test_the_side_is_told_of_a_head_that_was_moved_since(scene, add_transform):
    """A head 150 mm wide with a tumour at R 30 to 40 mm, which a transform moves by 200 mm to the left."""
    values = np.zeros((20, 40, 90), np.float32)
    values[:, :, 8:83] = 100.0
    lying = np.diag([2.0, 2.0, 2.0, 1.0])
    lying[:3, 3] = -89.0, -40.0, -20.0
    node = add_volume(scene, Volume(values, Grid(values.shape, lying)), "T1ce")
    segmentation, segment_id = add_segmentation(scene, node, "tumour")
    tumour = Box((8, 18, 60), (12, 22, 65))
    SegmentMask(segmentation, segment_id, node).write(tumour, np.ones(tumour.shape, bool))
    keep_start(segmentation, segment_id, node)
    measuring = SegmentMeasuring((segmentation, segment_id), node)
    assert measuring.measure().now.side == "right"
    away = add_transform([[1, 0, 0, -200], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    for moved in (node, segmentation):
        moved.SetAndObserveTransformNodeID(away.GetID())
    now, change = measuring.measure()
    assert now.side == "right" and now.centroid_ras[0] == pytest.approx(-89 + 2 * 62 - 200)
    assert change.dice == 1.0
