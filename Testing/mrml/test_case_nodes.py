"""A case's nodes in a scene, and what is left of them."""

import numpy as np
import pytest
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.io.registration import Registration
from VSClickCorrectLib.mrml.begin_correction import correct_segment
from VSClickCorrectLib.mrml.case_nodes import CaseNodes
from VSClickCorrectLib.mrml.registration import register_t2
from VSClickCorrectLib.session.oracle import Oracle


@pytest.fixture
def nodes(scene, small):
    return CaseNodes(scene, small.t1ce, small.t2, "case7")


def ids(scene):
    return {scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())}


def names(scene, kind):
    return {scene.GetNthNodeByClass(n, kind).GetName() for n in range(scene.GetNumberOfNodesByClass(kind))}


def corrected(nodes, small):
    """Correct a new mask of the case by one click and leave it."""
    segmentation, segment_id, mask = nodes.add_mask(small.truth, "tumour")
    correction = correct_segment(nodes.volumes, (segmentation, segment_id), Oracle(small.truth))
    correction.place(Click(tuple(small.grid.index_to_ras(np.argwhere(small.truth)[0]))))
    correction.close()
    return segmentation, mask


def test_images_are_named_after_the_case_and_shown_from_air_to_the_head(nodes, small):
    assert [node.GetName() for node in nodes.volumes] == ["case7 T1ce", "case7 T2"]
    display = nodes.t1ce.GetDisplayNode()
    window = display.GetWindowLevelMin(), display.GetWindowLevelMax()
    np.testing.assert_allclose(window, small.t1ce.intensity_range, rtol=1e-6)
    assert display.GetColorNodeID() == "vtkMRMLColorTableNodeGrey"


def test_one_sequence_is_enough(scene, small):
    nodes = CaseNodes(scene, None, small.t2)
    assert nodes.volumes == (None, nodes.t2)
    assert nodes.reference is nodes.t2
    assert nodes.t2.GetName() == "T2"


def test_mask_is_as_it_was_given(nodes, small):
    *_segment, mask = nodes.add_mask(small.truth, "tumour")
    np.testing.assert_array_equal(mask.read(small.grid.box), small.truth)
    *_segment, empty = nodes.add_mask(None, "nothing yet")
    assert empty.extent() is None


def test_nothing_of_a_case_stays_and_everything_else_does(scene, small):
    mine = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "somebody's own")
    mine.CreateDefaultDisplayNodes()
    before = ids(scene)
    nodes = CaseNodes(scene, small.t1ce, small.t2, "case7")
    corrected(nodes, small)
    register_t2(nodes.t2, Registration(np.eye(4), True, 1.0, 1.1, 1.0, 1.0, 1.0))
    assert names(scene, "vtkMRMLLinearTransformNode") == {"case7 T2 registration"}
    nodes.remove()
    assert ids(scene) == before


def test_a_transform_of_somebody_else_stays(scene, nodes):
    theirs = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "patient position")
    nodes.t1ce.SetAndObserveTransformNodeID(theirs.GetID())
    nodes.remove()
    assert names(scene, "vtkMRMLLinearTransformNode") == {"patient position"}


def test_images_stay_where_only_the_masks_go(scene, nodes, small):
    before = ids(scene)
    corrected(nodes, small)
    nodes.remove_masks()
    assert ids(scene) == before


def test_a_segmentation_that_was_added_elsewhere_goes_along(scene, nodes, small):
    other = CaseNodes(scene, small.t1ce, None)
    segmentation, *_rest = other.add_mask(small.truth, "found")
    nodes.remove(segmentation)
    assert names(scene, "vtkMRMLSegmentationNode") == set()
    assert names(scene, "vtkMRMLScalarVolumeNode") == {"T1ce"}
