"""The write of one correction, by us and by slicer.util: the same voxels."""

import numpy as np
import pytest
import slicer
import slicer.util
from bright_ball import GRID, SHAPE, dice
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.mrml.segment_mask import SegmentMask
from VSClickCorrectResearch.benchmark.comparisons import comparison, segment_write
from VSClickCorrectResearch.benchmark.comparisons.click_correction import correction_of
from VSClickCorrectResearch.benchmark.comparisons.segment_nodes import SegmentNodes, segment_nodes
from VSClickCorrectResearch.benchmark.errors import ProgramMissing


@pytest.fixture
def nodes(case, truth):
    with segment_nodes(case, truth) as nodes:
        yield nodes


def test_both_leave_the_same_voxels(case, truth):
    found = segment_write.compare(case, truth, 2)
    assert found.equal == 1.0
    assert len(found.our_seconds) == len(found.reference_seconds) == 2
    assert all(seconds > 0 for seconds in found.our_seconds + found.reference_seconds)


def test_a_write_that_slicer_did_not_make_is_seen(case, truth, monkeypatch):
    monkeypatch.setattr(SegmentNodes, "write_as_slicer", lambda nodes, values: None)
    correction = correction_of(case, truth)
    found = segment_write.compare(case, truth, 1)
    assert found.equal == pytest.approx(dice(correction.start, correction.corrected))


def test_a_write_of_ours_that_is_a_voxel_short_is_seen(case, truth, monkeypatch):
    whole = SegmentMask.write

    def short(mask, box, values):
        values = values.copy()
        values[tuple(np.argwhere(values)[0])] = False
        whole(mask, box, values)

    correction = correction_of(case, truth)
    monkeypatch.setattr(SegmentMask, "write", short)
    voxels = int(correction.corrected.sum())
    assert segment_write.compare(case, truth, 1).equal == pytest.approx(2 * (voxels - 1) / (2 * voxels - 1))


def test_slicers_own_function_writes_and_slicers_own_function_reads_it(nodes, capfd):
    values = np.zeros(SHAPE, np.uint8)
    values[3:5, 10:20, 30:33] = 1
    with nodes.slicer_modules():
        nodes.write_as_slicer(values)
        read = slicer.util.arrayFromSegmentBinaryLabelmap(nodes.segmentation, nodes.segment_id, nodes.volume)
    assert np.array_equal(read, values)
    assert np.array_equal(nodes.mask.read(Box((0, 0, 0), GRID.shape)), values)
    assert "ERR" not in capfd.readouterr().err


def test_it_leaves_no_node_behind_and_no_modules_in_slicer(nodes):
    count = nodes.scene.GetNumberOfNodes()
    with nodes.slicer_modules():
        nodes.write_as_slicer(np.ones(SHAPE, np.uint8))
        assert slicer.mrmlScene is nodes.scene
    # The import keeps nothing but a table of the label's colour.
    assert nodes.scene.GetNumberOfNodes() - count <= 1
    assert not hasattr(slicer, "modules")
    assert not hasattr(slicer, "mrmlScene")


def test_without_slicer_it_says_so(case, truth, monkeypatch):
    monkeypatch.setattr(comparison, "find_spec", lambda package: None)
    with pytest.raises(ProgramMissing, match="slicer-core is not installed"):
        segment_write.compare(case, truth, 1)
