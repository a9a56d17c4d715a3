"""A case and one segment in the scene."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import slicer

from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.mrml.case_nodes import CaseNodes
from VSClickCorrectLib.mrml.segment_mask import SegmentMask


class Example(NamedTuple):
    """The nodes of a case, and the mask in its segment."""

    t1ce: slicer.vtkMRMLScalarVolumeNode
    t2: slicer.vtkMRMLScalarVolumeNode
    segmentation: slicer.vtkMRMLSegmentationNode
    segment_id: str
    mask: SegmentMask


def add_example(scene: slicer.vtkMRMLScene, case: Case, values: np.ndarray) -> Example:
    """Add a case and a segment to the scene.

    Parameters
    ----------
    scene : vtkMRMLScene
        Where the nodes go.
    case : Case
        Its sequences.
    values : ndarray of bool
        What the segment holds, ``(K, J, I)`` on the case's grid.
    """
    nodes = CaseNodes(scene, case.t1ce, case.t2)
    segmentation, segment_id, mask = nodes.add_mask(values, "tumour")
    return Example(nodes.t1ce, nodes.t2, segmentation, segment_id, mask)
