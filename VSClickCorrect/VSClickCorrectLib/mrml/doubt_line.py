"""The heat line: along the mask's border on slices, where the networks doubt it."""

from __future__ import annotations

import numpy as np
import slicer

from VSClickCorrectLib.inference.doubt_map import DoubtMap
from VSClickCorrectLib.mrml.belongings import remove_nodes
from VSClickCorrectLib.mrml.outline import add_outline_segmentation, draw_voxels
from VSClickCorrectLib.mrml.volumes import grid_of

# From which share of what lies near being wrong, and in which colour: yellow, orange, red.
LEVELS = ((0.1, (0.94, 0.89, 0.26)), (0.2, (0.90, 0.60, 0.0)), (0.3, (0.86, 0.20, 0.13)))
_OPACITY = 0.75


class DoubtLine:
    """Colours voxels on both sides of the mask's border by how much of the mask is likely wrong near them.

    It is not saved with the scene, and no editor offers it.

    Parameters
    ----------
    scene : vtkMRMLScene
        Where it is shown.
    volume_node : vtkMRMLVolumeNode
        The volume whose grid counts.
    """

    def __init__(self, scene: slicer.vtkMRMLScene, volume_node: slicer.vtkMRMLVolumeNode) -> None:
        self._scene, self._volume_node = scene, volume_node
        self._node: slicer.vtkMRMLSegmentationNode | None = None

    def show(self, doubt: DoubtMap, mask: np.ndarray) -> None:
        """Show the doubts of a mask in place of those before; nothing is shown if the volume is gone.

        Parameters
        ----------
        doubt : DoubtMap
            The doubts.
        mask : ndarray of bool
            The mask in ``doubt.window.box``.
        """
        if self._volume_node.GetScene() is None:
            self.close()
            return
        node = self._ensured()
        node.SetAndObserveTransformNodeID(self._volume_node.GetTransformNodeID())
        grid = grid_of(self._volume_node)
        box, levels = doubt.window.box, doubt.border_levels(mask, [least for least, _ in LEVELS])
        for number in range(len(LEVELS)):
            segment = node.GetSegmentation().GetNthSegment(number)
            draw_voxels(node, segment, grid, box, levels == number + 1)
        node.GetDisplayNode().SetVisibility(True)

    def hide(self) -> None:
        """Show nothing."""
        if self._node is not None and self._node.GetScene() is not None:
            self._node.GetDisplayNode().SetVisibility(False)

    def close(self) -> None:
        """Remove it from the scene; closing twice does no harm."""
        node, self._node = self._node, None
        remove_nodes(self._scene, node)

    def _ensured(self) -> slicer.vtkMRMLSegmentationNode:
        if self._node is None or self._node.GetScene() is None:
            self._node = add_outline_segmentation(self._scene, self._volume_node, "doubt", saved=False)
            for least, color in LEVELS:
                self._node.GetSegmentation().AddEmptySegment("", f"doubt from {least:.0%}", color)
            display = self._node.GetDisplayNode()
            display.SetVisibility2DFill(True)
            display.SetVisibility2DOutline(False)
            display.SetOpacity2DFill(_OPACITY)
        return self._node
