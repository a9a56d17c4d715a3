"""Outlines on slices, beside the segment itself: what an edit changed."""

from __future__ import annotations

import numpy as np
import slicer
import vtk

from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.mrml.belongings import enter_hierarchy, remove_nodes
from VSClickCorrectLib.mrml.labelmap import Labelmap
from VSClickCorrectLib.mrml.segment_mask import BINARY_LABELMAP
from VSClickCorrectLib.mrml.transforms import world_from_node
from VSClickCorrectLib.mrml.volumes import grid_of
from VSClickCorrectLib.session.edit import Change

# As the include and exclude clicks are drawn.
ADDED_COLOR = (0x56 / 255, 0xB4 / 255, 0xE9 / 255)
REMOVED_COLOR = (0xD5 / 255, 0x5E / 255, 0x00 / 255)


def add_outline_segmentation(
    scene: slicer.vtkMRMLScene, volume_node: slicer.vtkMRMLVolumeNode, name: str, saved: bool = True
) -> slicer.vtkMRMLSegmentationNode:
    """Add a segmentation without segments that shows thin outlines on slices and that no editor offers.

    Parameters
    ----------
    scene : vtkMRMLScene
        Where the node goes.
    volume_node : vtkMRMLVolumeNode
        The volume that gives the geometry and the parent transform.
    name : str
        The node's name.
    saved : bool
        Whether it is saved with the scene.
    """
    node = slicer.vtkMRMLSegmentationNode()
    node.SetName(name)
    node.HideFromEditorsOn()
    node.SetSaveWithScene(saved)
    scene.AddNode(node)
    enter_hierarchy(node)
    node.CreateDefaultDisplayNodes()
    node.SetAndObserveTransformNodeID(volume_node.GetTransformNodeID())
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
    display = node.GetDisplayNode()
    display.SetSaveWithScene(saved)
    display.SetVisibility2DFill(False)
    display.SetVisibility2DOutline(True)
    display.SetVisibility3D(False)
    display.SetSliceIntersectionThickness(2)
    return node


class ChangeOutline:
    """Shows on the slices which voxels an edit added and which it removed, in two colours.

    The outlines are not saved with the scene, and no editor offers them.

    Parameters
    ----------
    scene : vtkMRMLScene
        Where they are shown.
    volume_node : vtkMRMLVolumeNode
        The volume whose grid counts.
    """

    def __init__(self, scene: slicer.vtkMRMLScene, volume_node: slicer.vtkMRMLVolumeNode) -> None:
        self._scene = scene
        self._volume_node = volume_node
        self._node: slicer.vtkMRMLSegmentationNode | None = None

    def show(self, change: Change) -> None:
        """Show a change in place of the one shown before; nothing is shown if the volume is gone."""
        if self._volume_node.GetScene() is None:
            self.close()
            return
        node = self._ensured()
        node.SetAndObserveTransformNodeID(self._volume_node.GetTransformNodeID())
        grid, segments = grid_of(self._volume_node), node.GetSegmentation()
        for segment_id, voxels in zip(("added", "removed"), change.voxels(), strict=True):
            draw_voxels(node, segments.GetSegment(segment_id), grid, change.box, voxels)
        node.GetDisplayNode().SetVisibility(True)

    def hide(self) -> None:
        """Show nothing."""
        if self._node is not None and self._node.GetScene() is not None:
            self._node.GetDisplayNode().SetVisibility(False)

    def close(self) -> None:
        """Remove the outlines from the scene; closing twice does no harm."""
        node, self._node = self._node, None
        remove_nodes(self._scene, node)

    def _ensured(self) -> slicer.vtkMRMLSegmentationNode:
        if self._node is None or self._node.GetScene() is None:
            self._node = add_outline_segmentation(self._scene, self._volume_node, "last change", saved=False)
            segments = self._node.GetSegmentation()
            segments.AddEmptySegment("added", "added", ADDED_COLOR)
            segments.AddEmptySegment("removed", "removed", REMOVED_COLOR)
        return self._node


def draw_voxels(
    node: slicer.vtkMRMLSegmentationNode,
    segment: slicer.vtkSegment,
    grid: Grid,
    box: Box,
    voxels: np.ndarray,
) -> None:
    """Let a segment hold these voxels alone.

    Parameters
    ----------
    node, segment : vtkMRMLSegmentationNode and vtkSegment
        A segmentation, and one of its segments.
    grid : Grid
        On which boxes are counted, in the world.
    box : Box
        Where the voxels lie.
    voxels : ndarray of bool
        Of the box's shape.
    """
    affine = np.linalg.inv(world_from_node(node)) @ grid.affine
    # An outline needs a voxel outside to end at; and without any labelmap Slicer would try to make one.
    labelmap = Labelmap.blank(box.padded(1), affine, vtk.VTK_UNSIGNED_CHAR)
    labelmap.write(box, voxels, segment.GetLabelValue())
    segment.AddRepresentation(BINARY_LABELMAP, labelmap.image)
    segment.Modified()
