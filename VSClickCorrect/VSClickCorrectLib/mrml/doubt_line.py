"""The heat line: along the mask's border on slices, where the networks doubt it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import slicer

from VSClickCorrectLib.mrml.outline import Overlay

if TYPE_CHECKING:
    from VSClickCorrectLib.inference.doubt_map import DoubtMap


# From which share of what lies near being wrong, and in which colour: yellow, orange, red.
LEVELS = ((0.1, (0.94, 0.89, 0.26)), (0.2, (0.90, 0.60, 0.0)), (0.3, (0.86, 0.20, 0.13)))
_OPACITY = 0.75


class DoubtLine(Overlay):
    """Colours voxels on both sides of the mask's border by how much of the mask is likely wrong near them."""

    def __init__(self, scene: slicer.vtkMRMLScene, volume_node: slicer.vtkMRMLVolumeNode) -> None:
        colors = {f"doubt from {least:.0%}": color for least, color in LEVELS}
        super().__init__(scene, volume_node, "doubt", colors, _OPACITY)

    def show(self, doubt: DoubtMap, mask: np.ndarray) -> None:
        """Show the doubts of a mask in place of those before.

        Parameters
        ----------
        doubt : DoubtMap
            The doubts.
        mask : ndarray of bool
            The mask in ``doubt.window.box``.
        """
        levels = doubt.border_levels(mask, [least for least, _ in LEVELS])
        self.draw(doubt.window.box, (levels == number for number in range(1, len(LEVELS) + 1)))
