"""Synthetic cases in the scene."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import slicer

from VSClickCorrectLib.mrml.case_nodes import CaseNodes
from VSClickCorrectLib.mrml.segment_mask import SegmentMask
from VSClickCorrectLib.simulation.synthesis import SyntheticCase


class Example(NamedTuple):
    """The nodes of a synthetic case, and the mask in its segment."""

    t1ce: slicer.vtkMRMLScalarVolumeNode
    t2: slicer.vtkMRMLScalarVolumeNode
    segmentation: slicer.vtkMRMLSegmentationNode
    segment_id: str
    mask: SegmentMask


def add_example(scene: slicer.vtkMRMLScene, case: SyntheticCase, values: np.ndarray) -> Example:
    """Add a synthetic case and a segment to the scene.

    Parameters
    ----------
    scene : vtkMRMLScene
        Where the nodes go.
    case : SyntheticCase
        The case.
    values : ndarray of bool
        What the segment holds, ``(K, J, I)`` on the case's grid.
    """
    nodes = CaseNodes(scene, case.t1ce, case.t2)
    return Example(*nodes.volumes, *nodes.add_mask(values, "tumour"))
