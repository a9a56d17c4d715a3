"""What belongs to a node goes with it, and has a place in the subject hierarchy as long as it is there."""

import numpy as np
import pytest
import slicer
import vtk
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.mrml.belongings import remove_nodes
from VSClickCorrectLib.mrml.outline import ChangeOutline
from VSClickCorrectLib.mrml.start_segment import START_ROLE, keep_start
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
