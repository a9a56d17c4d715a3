"""The nodes of a worklist's case in the scene."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import slicer

from VSClickCorrectLib.imaging.volume import Case
from VSClickCorrectLib.mrml.segment_mask import SegmentMask, add_segmentation
from VSClickCorrectLib.mrml.volumes import add_volume


class CaseNodes:
    """Adds a case to the scene and takes it out again, leaving everything else there.

    Parameters
    ----------
    scene : vtkMRMLScene
        Where the nodes go.
    case : Case
        The images.
    name : str
        Begins the nodes' names.
    """

    def __init__(self, scene: slicer.vtkMRMLScene, case: Case, name: str) -> None:
        self._scene = scene
        self.t1ce, self.t2 = (
            add_volume(scene, volume, f"{name} {sequence}") if volume is not None else None
            for sequence, volume in (("T1ce", case.t1ce), ("T2", case.t2))
        )
        self._segmentations: list[slicer.vtkMRMLSegmentationNode] = []

    def add_mask(self, values: np.ndarray, name: str) -> tuple[slicer.vtkMRMLSegmentationNode, str]:
        """Add a segmentation of one segment that holds a mask, ``(K, J, I)`` bool."""
        volume = self.t1ce or self.t2
        segmentation, segment_id = add_segmentation(self._scene, volume, name)
        SegmentMask(segmentation, segment_id, volume).fill(values)
        self._segmentations.append(segmentation)
        return segmentation, segment_id

    def remove(self, corrected: slicer.vtkMRMLSegmentationNode | None) -> None:
        """Remove the case's nodes, and the segmentation in which it was corrected."""
        nodes = [self.t1ce, self.t2, corrected, *self._segmentations]
        for node in {n.GetID(): n for n in nodes if n is not None and n.GetScene() is not None}.values():
            for part in _parts(node):
                self._scene.RemoveNode(part)
            self._scene.RemoveNode(node)


def _parts(node: slicer.vtkMRMLNode) -> Iterator[slicer.vtkMRMLNode]:
    """Yield what a node brought along: how it is shown; clicks, journal and outlines of a segmentation."""
    roles: list[str] = []
    node.GetNodeReferenceRoles(roles)
    for role in roles:
        if role in ("display", "storage") or role.startswith("VSClickCorrect."):
            for index in reversed(range(node.GetNumberOfNodeReferences(role))):
                part = node.GetNthNodeReference(role, index)
                if part is not None:
                    yield from _parts(part)
                    yield part
