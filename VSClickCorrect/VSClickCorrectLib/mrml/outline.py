"""What is drawn on slices beside the segment itself: what an edit changed, for instance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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


class Overlay:
    """Segments drawn on slices beside the one that is corrected, neither saved nor offered by an editor.

    Parameters
    ----------
    scene : vtkMRMLScene
        Where they are shown.
    volume_node : vtkMRMLVolumeNode
        The volume whose grid counts.
    name : str
        The node's name.
    colors : mapping of str to tuple of float
        The segments' names and colours, red, green and blue from 0 to 1.
    fill : float, optional
        Opacity with which they are filled; outlines alone if left out.
    """

    def __init__(
        self,
        scene: slicer.vtkMRMLScene,
        volume_node: slicer.vtkMRMLVolumeNode,
        name: str,
        colors: Mapping[str, tuple[float, float, float]],
        fill: float | None = None,
    ) -> None:
        self._scene, self._volume_node = scene, volume_node
        self._name, self._colors, self._fill = name, colors, fill
        self._node: slicer.vtkMRMLSegmentationNode | None = None

    def draw(self, box: Box, voxels: Iterable[np.ndarray]) -> None:
        """Show in place of what was shown before what each segment holds; nothing if the volume is gone.

        Parameters
        ----------
        box : Box
            Where the voxels lie.
        voxels : iterable of ndarray of bool
            One of each segment, of the box's shape.
        """
        if self._volume_node.GetScene() is None:
            self.close()
            return
        node = self._ensured()
        node.SetAndObserveTransformNodeID(self._volume_node.GetTransformNodeID())
        grid, segments = grid_of(self._volume_node), node.GetSegmentation()
        for name, values in zip(self._colors, voxels, strict=True):
            draw_voxels(node, segments.GetSegment(name), grid, box, values)
        node.GetDisplayNode().SetVisibility(True)

    def hide(self) -> None:
        """Show nothing."""
        if self._node is not None and self._node.GetScene() is not None:
            self._node.GetDisplayNode().SetVisibility(False)

    def close(self) -> None:
        """Remove the segments from the scene; closing twice does no harm."""
        node, self._node = self._node, None
        remove_nodes(self._scene, node)

    def _ensured(self) -> slicer.vtkMRMLSegmentationNode:
        if self._node is None or self._node.GetScene() is None:
            self._node = add_outline_segmentation(self._scene, self._volume_node, self._name, saved=False)
            for name, color in self._colors.items():
                self._node.GetSegmentation().AddEmptySegment(name, name, color)
            if self._fill is not None:
                display = self._node.GetDisplayNode()
                display.SetVisibility2DFill(True)
                display.SetVisibility2DOutline(False)
                display.SetOpacity2DFill(self._fill)
        return self._node


class ChangeOutline(Overlay):
    """Shows which voxels an edit added and which it removed, in two colours."""

    def __init__(self, scene: slicer.vtkMRMLScene, volume_node: slicer.vtkMRMLVolumeNode) -> None:
        colors = {"added": ADDED_COLOR, "removed": REMOVED_COLOR}
        super().__init__(scene, volume_node, "last change", colors)

    def show(self, change: Change) -> None:
        """Show a change in place of the one shown before."""
        self.draw(change.box, change.voxels())


def draw_voxels(
    node: slicer.vtkMRMLSegmentationNode, segment: slicer.vtkSegment, grid: Grid, box: Box, voxels: np.ndarray
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
