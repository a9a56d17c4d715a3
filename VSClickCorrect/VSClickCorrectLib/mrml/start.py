"""The mask with which a correction began, kept in the scene to be looked at and measured against."""

from __future__ import annotations

import numpy as np
import slicer

from VSClickCorrectLib.imaging.box import Box
from VSClickCorrectLib.mrml.outline import add_outline_segmentation
from VSClickCorrectLib.mrml.segment_mask import SegmentMask

START_ROLE = "VSClickCorrect.Start"
# Reddish purple of Okabe and Ito's palette: neither a click's colour nor a change's.
COLOR = (0xCC / 255, 0x79 / 255, 0xA7 / 255)


def keep_start(
    segmentation_node: slicer.vtkMRMLSegmentationNode,
    segment_id: str,
    volume_node: slicer.vtkMRMLVolumeNode,
) -> None:
    """Keep a copy of a segment as it is now; one that was kept before is replaced.

    The copy is a segment of the same ID in a second segmentation, which the first refers to by the role
    ``VSClickCorrect.Start``. It is hidden from editors, saved with the scene, and shown by `show_start`.

    Parameters
    ----------
    segmentation_node : vtkMRMLSegmentationNode
        The segmentation, in a scene.
    segment_id : str
        Which of its segments.
    volume_node : vtkMRMLVolumeNode
        The volume whose grid counts.

    Raises
    ------
    CorrectionError, ImageError
        As `SegmentMask`.
    """
    mask = SegmentMask(segmentation_node, segment_id, volume_node)
    extent = mask.extent()
    node = _start_node(segmentation_node)
    if node is None:
        node = _add_start_node(segmentation_node, volume_node)
    segments = node.GetSegmentation()
    if segments.GetSegment(segment_id) is not None:
        segments.RemoveSegment(segment_id)
    segments.AddEmptySegment(segment_id, "start", COLOR)
    if extent is not None:
        SegmentMask(node, segment_id, volume_node).write(extent, mask.read(extent))


def start_of(
    segmentation_node: slicer.vtkMRMLSegmentationNode,
    segment_id: str,
    volume_node: slicer.vtkMRMLVolumeNode,
) -> tuple[Box, np.ndarray] | None:
    """Return the mask that was kept for a segment.

    Returns
    -------
    box : Box
        Voxels of the volume's grid that hold it; empty if the segment was empty.
    values : ndarray of bool
        The mask in ``box``.

    None if nothing was kept. Parameters and errors are those of `keep_start`.
    """
    node = _start_node(segmentation_node)
    if node is None or node.GetSegmentation().GetSegment(segment_id) is None:
        return None
    node.SetAndObserveTransformNodeID(segmentation_node.GetTransformNodeID())
    mask = SegmentMask(node, segment_id, volume_node)
    box = mask.extent() or Box((0, 0, 0), (0, 0, 0))
    return box, np.zeros(box.shape, bool) if box.empty else mask.read(box)


def show_start(
    segmentation_node: slicer.vtkMRMLSegmentationNode, segment_id: str, shown: bool = True
) -> bool:
    """Show or hide the outline of the mask that was kept for a segment; return whether there is one."""
    node = _start_node(segmentation_node)
    if node is None or node.GetSegmentation().GetSegment(segment_id) is None:
        return False
    node.SetAndObserveTransformNodeID(segmentation_node.GetTransformNodeID())
    display = node.GetDisplayNode()
    for other in node.GetSegmentation().GetSegmentIDs():
        display.SetSegmentVisibility(other, other == segment_id)
    display.SetVisibility(shown)
    return True


def _start_node(
    segmentation_node: slicer.vtkMRMLSegmentationNode,
) -> slicer.vtkMRMLSegmentationNode | None:
    node = segmentation_node.GetNodeReference(START_ROLE)
    return node if node is not None and node.GetScene() is not None else None


def _add_start_node(
    segmentation_node: slicer.vtkMRMLSegmentationNode, volume_node: slicer.vtkMRMLVolumeNode
) -> slicer.vtkMRMLSegmentationNode:
    node = add_outline_segmentation(
        segmentation_node.GetScene(), volume_node, f"{segmentation_node.GetName()} start"
    )
    node.SetAndObserveTransformNodeID(segmentation_node.GetTransformNodeID())
    node.GetDisplayNode().SetVisibility(False)
    segmentation_node.SetNodeReferenceID(START_ROLE, node.GetID())
    return node
