"""A case of the browser app, before it has nodes and with them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
import slicer

from VSClickCorrectLib.app.origin import Origin
from VSClickCorrectLib.imaging.grid import Grid
from VSClickCorrectLib.imaging.io import case_of
from VSClickCorrectLib.imaging.pairing import paired
from VSClickCorrectLib.imaging.volume import Volume
from VSClickCorrectLib.mrml.case_nodes import CaseNodes

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
    origin : Origin
        Where the sequence on that grid is from.
    """

    name: str
    t1ce: Volume | None
    t2: Volume | None
    mask: np.ndarray | None = None
    origin: Origin = field(default_factory=Origin)

    @property
    def grid(self) -> Grid:
        """The native grid."""
        return cast(Volume, self.t1ce or self.t2).grid

    def with_remarks(self, sentence: str) -> str:
        """Return a sentence after what is to be known of how the sequences were read."""
        remarks = [r for volume in (self.t1ce, self.t2) if volume is not None for r in volume.remarks]
        return " ".join([*remarks, sentence])

    def checked(self, different_patients: bool = False) -> OpenedCase:
        """Return the case with what is to be known of its sequences, if they can be used together.

        Raises
        ------
        ImageError
            As `case_of`.
        """
        t1ce, t2 = paired(self.t1ce, self.t2, different_patients)
        case_of(t1ce, t2)
        return replace(self, t1ce=t1ce, t2=t2)


class ShownCase(CaseNodes):
    """Volumes and the one segment of a case, displayed as the app wants them.

    Parameters
    ----------
    scene : vtkMRMLScene
        Where the nodes go.
    case : OpenedCase
        Its arrays are copied.

    Attributes
    ----------
    origin : Origin
        Where its images are from.
    segmentation : vtkMRMLSegmentationNode
        With one segment, `segment_id`.
    mask : SegmentMask
        The segment's voxels on the native grid.
    """

    def __init__(self, scene: slicer.vtkMRMLScene, case: OpenedCase) -> None:
        super().__init__(scene, case.t1ce, case.t2)
        self.name = case.name
        self.origin = case.origin
        self._begin(case.mask)

    @property
    def segment(self) -> tuple[slicer.vtkMRMLSegmentationNode, str]:
        """The segmentation and the segment's ID in it."""
        return self.segmentation, self.segment_id

    def restart(self, values: np.ndarray) -> None:
        """Put a new segmentation with this mask, ``(K, J, I)`` bool, in place of the one before."""
        self.remove_masks()
        self._begin(values)

    def _begin(self, values: np.ndarray | None) -> None:
        self.segmentation, self.segment_id, self.mask = self.add_mask(values, SEGMENT_NAME)
        _display(self.segmentation, self.segment_id)


def _display(segmentation: slicer.vtkMRMLSegmentationNode, segment_id: str) -> None:
    segmentation.GetSegmentation().GetSegment(segment_id).SetColor(*_SEGMENT_COLOR)
    display = segmentation.GetDisplayNode()
    # The surface is made only for the 3D view; in slices every click would have to rebuild it.
    display.SetPreferredDisplayRepresentationName2D("Binary labelmap")
    display.SetPreferredDisplayRepresentationName3D("Closed surface")
    display.SetOpacity2DFill(0.25)
    display.SetOpacity2DOutline(1.0)
    display.SetSliceIntersectionThickness(2)
