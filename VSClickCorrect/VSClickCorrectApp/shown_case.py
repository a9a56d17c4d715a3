"""A case in the views of the page."""

from __future__ import annotations

from typing import cast

import numpy as np
import slicer
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.mrml.case_nodes import CaseNodes
from VSClickCorrectLib.mrml.observers import Observers
from VSClickCorrectLib.mrml.persistence import store_journal
from VSClickCorrectLib.mrml.volumes import grid_of
from VSClickCorrectLib.workflow.opened_case import OpenedCase

SEGMENT_NAME = "Vestibular schwannoma"


class ShownCase(CaseNodes):
    """Volumes and the one segment of a case, displayed as the app wants them.

    Parameters
    ----------
    scene : vtkMRMLScene
        Where the nodes go.
    case : OpenedCase
        Its arrays are copied.
    """

    def __init__(self, scene: slicer.vtkMRMLScene, case: OpenedCase) -> None:
        super().__init__(scene, case.t1ce, case.t2, mask_name=SEGMENT_NAME)
        self.name = case.name
        self._grids: dict[str, Grid] = {}
        self._observers = Observers(self)
        for node in filter(None, self.volumes):
            moved = slicer.vtkMRMLTransformableNode.TransformModifiedEvent
            self._observers.add(node, moved, ShownCase._on_moved)
        self.put_mask(case.mask)
        if case.journal:
            self.take_up(case.journal)

    def grid(self, node: slicer.vtkMRMLScalarVolumeNode) -> Grid:
        """Return where a volume of the case lies, worked out once as long as it stays; see `grid_of`."""
        return self._grids.get(node.GetID()) or self._grids.setdefault(node.GetID(), grid_of(node))

    def _on_moved(self, _index: int | None) -> None:
        self._grids.clear()

    def take_up(self, journal: str) -> None:
        """Let the correction of the segment go on with a journal."""
        segmentation, segment_id = cast(tuple, self.segment)
        store_journal(segmentation, journal, segment_id)

    def put_mask(self, values: np.ndarray | None) -> None:
        """See `CaseNodes.put_mask`; without a mask the segment is there too, and empty."""
        super().put_mask(values)
        _display(self.segmentation)


def _display(segmentation: slicer.vtkMRMLSegmentationNode) -> None:
    display = segmentation.GetDisplayNode()
    # The surface is made only for the 3D view; in slices every click would have to rebuild it.
    display.SetPreferredDisplayRepresentationName2D("Binary labelmap")
    display.SetPreferredDisplayRepresentationName3D("Closed surface")
    display.SetOpacity2DFill(0.25)
    display.SetOpacity2DOutline(1.0)
    display.SetSliceIntersectionThickness(2)
