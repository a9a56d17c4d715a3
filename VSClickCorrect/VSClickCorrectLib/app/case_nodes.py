"""The nodes of one case in the scene of the browser app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import slicer

from VSClickCorrectLib.imaging.grid import Grid
from VSClickCorrectLib.imaging.io import resample_to_grid
from VSClickCorrectLib.imaging.volume import Case, Volume, robust_range
from VSClickCorrectLib.mrml.segment_mask import SegmentMask, add_segmentation
from VSClickCorrectLib.mrml.volumes import add_volume

SEGMENT_NAME = "Vestibular schwannoma"
_SEGMENT_COLOR = (0.0, 0.62, 0.45)


@dataclass(frozen=True, eq=False)
class OpenedCase:
    """What a case is made of before it has nodes.

    Parameters
    ----------
    name : str
        What the page calls it.
    t1ce, t2 : Volume or None
        The sequences, each on its own grid.
    mask : ndarray of bool or None
        ``(K, J, I)`` on the T1ce's grid, or the T2's where it stands alone.
    """

    name: str
    t1ce: Volume | None
    t2: Volume | None
    mask: np.ndarray | None = None

    @property
    def grid(self) -> Grid:
        """The native grid."""
        return cast(Volume, self.t1ce or self.t2).grid

    def checked(self) -> OpenedCase:
        """Return the case itself if its sequences can be used together.

        Raises
        ------
        ImageError
            If both sequences are missing or their fields of view do not meet.
        """
        t2 = self.t2
        if self.t1ce is not None and t2 is not None and not self.t1ce.grid.matches(t2.grid):
            t2 = resample_to_grid(t2, self.t1ce.grid)
        Case(self.t1ce, t2)
        return self


class CaseNodes:
    """Volumes and segmentation of one case, displayed as the app wants them.

    Parameters
    ----------
    scene : vtkMRMLScene
        Where the nodes go.
    case : OpenedCase
        Its arrays are copied.

    Attributes
    ----------
    t1ce, t2 : vtkMRMLScalarVolumeNode or None
        The sequences.
    segmentation : vtkMRMLSegmentationNode
        With one segment, `segment_id`.
    mask : SegmentMask
        The segment's voxels on the native grid.
    """

    def __init__(self, scene: slicer.vtkMRMLScene, case: OpenedCase) -> None:
        self.name = case.name
        self.t1ce = _shown(scene, case.t1ce, "T1ce")
        self.t2 = _shown(scene, case.t2, "T2")
        self._scene = scene
        self._add_segment(case.mask)

    @property
    def volumes(self) -> tuple[slicer.vtkMRMLScalarVolumeNode | None, slicer.vtkMRMLScalarVolumeNode | None]:
        """T1ce and T2."""
        return self.t1ce, self.t2

    @property
    def reference(self) -> slicer.vtkMRMLScalarVolumeNode:
        """The volume whose grid is the native one."""
        return self.t1ce or self.t2

    @property
    def segment(self) -> tuple[slicer.vtkMRMLSegmentationNode, str]:
        """The segmentation and the segment's ID in it."""
        return self.segmentation, self.segment_id

    @property
    def image_ids(self) -> set[str]:
        """The IDs of the sequences' nodes."""
        volumes = [node for node in self.volumes if node is not None]
        return {node.GetID() for volume in volumes for node in (volume, volume.GetDisplayNode())}

    def restart(self, values: np.ndarray) -> None:
        """Add a new segmentation with this mask, ``(K, J, I)`` bool, in place of the one before."""
        self._add_segment(values)

    def _add_segment(self, values: np.ndarray | None) -> None:
        self.segmentation, self.segment_id = add_segmentation(self._scene, self.reference, SEGMENT_NAME)
        self.mask = SegmentMask(self.segmentation, self.segment_id, self.reference)
        if values is not None:
            self.mask.fill(values)
        _display(self.segmentation, self.segment_id)


def _shown(scene: slicer.vtkMRMLScene, volume: Volume | None, name: str):
    if volume is None:
        return None
    node = add_volume(scene, volume, name)
    low, high = robust_range(volume.array)
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(low, high)
    return node


def _display(segmentation: slicer.vtkMRMLSegmentationNode, segment_id: str) -> None:
    segmentation.GetSegmentation().GetSegment(segment_id).SetColor(*_SEGMENT_COLOR)
    display = segmentation.GetDisplayNode()
    # The surface is made only for the 3D view; in slices every click would have to rebuild it.
    display.SetPreferredDisplayRepresentationName2D("Binary labelmap")
    display.SetPreferredDisplayRepresentationName3D("Closed surface")
    display.SetOpacity2DFill(0.25)
    display.SetOpacity2DOutline(1.0)
    display.SetSliceIntersectionThickness(2)
