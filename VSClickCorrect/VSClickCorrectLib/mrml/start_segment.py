"""The mask with which a correction began, kept in the scene to be looked at and measured against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import slicer

from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.mrml.belongings import enter_hierarchy
from VSClickCorrectLib.mrml.outline import add_outline_segmentation
from VSClickCorrectLib.mrml.owners import kept_for, own
from VSClickCorrectLib.mrml.segment_mask import Segment, SegmentMask
from VSClickCorrectLib.mrml.volumes import grid_of
from VSClickCorrectLib.session.chain import Event
from VSClickCorrectLib.session.start_mask import start_of as session_start_of
from VSClickCorrectLib.session.start_mask import tight

START_ROLE = "VSClickCorrect.Start"
# Reddish purple of Okabe and Ito's palette: neither a click's colour nor a change's.
COLOR = (0xCC / 255, 0x79 / 255, 0xA7 / 255)


def keep_start(
    segmentation_node: slicer.vtkMRMLSegmentationNode,
    segment_id: str,
    volume_node: slicer.vtkMRMLVolumeNode,
    start: tuple[Box, np.ndarray] | None = None,
    saved: bool = True,
) -> None:
    """Keep a copy of a segment; one that was kept before is replaced.

    The copy is a segment of the same ID in a second segmentation, which the first refers to by the role
    ``VSClickCorrect.Start``. It is hidden from editors and shown by `show_start`.

    Parameters
    ----------
    segmentation_node : vtkMRMLSegmentationNode
        The segmentation, in a scene.
    segment_id : str
        Which of its segments.
    volume_node : vtkMRMLVolumeNode
        The volume whose grid counts.
    start : tuple of Box and ndarray of bool, optional
        The segment as it was at the start, with the voxels in which that is; as it is now if left out.
    saved : bool
        Whether the copy has to be saved with the scene.

    Raises
    ------
    CorrectionError, ImageError
        As `SegmentMask`.
    """
    mask = SegmentMask(segmentation_node, segment_id, volume_node)
    box, values = start or tight(mask)
    node = kept_for(segmentation_node, START_ROLE)
    if node is None:
        node = _add_start_node(segmentation_node, volume_node, saved)
    if saved:
        _let_save(node, True)
    segments = node.GetSegmentation()
    if segments.GetSegment(segment_id) is not None:
        segments.RemoveSegment(segment_id)
    segments.AddEmptySegment(segment_id, "start", COLOR)
    if not box.empty:
        SegmentMask(node, segment_id, volume_node).write(box, values)


def ensure_start(segment: Segment, volume_node: slicer.vtkMRMLVolumeNode, events: Sequence[Event]) -> None:
    """Keep the mask with which a correction began, as its journal has it, unless the scene has it already.

    It is saved with the scene only where the journal, which is saved, has its hash alone; nothing is kept
    then that the scene does not have. Slicer's dialog for saving writes no file of a node that editors do not
    offer, which a scene saved as .mrml would look for in vain. For the rest see `keep_start`; raises
    `CorrectionError` too if the journal is damaged.
    """
    node = _node_with(*segment)
    values = session_start_of(events, grid_of(volume_node))
    if values is None:
        return
    if node is None:
        box = Box.around(values)
        keep_start(*segment, volume_node, (box, values[box.slices]), saved=False)
    elif node.GetSegmentation().GetNumberOfSegments() == 1:
        _let_save(node, False)


def start_of(
    segmentation_node: slicer.vtkMRMLSegmentationNode, segment_id: str, volume_node: slicer.vtkMRMLVolumeNode
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
    node = _node_with(segmentation_node, segment_id)
    if node is None:
        return None
    node.SetAndObserveTransformNodeID(segmentation_node.GetTransformNodeID())
    return tight(SegmentMask(node, segment_id, volume_node))


def show_start(
    segmentation_node: slicer.vtkMRMLSegmentationNode, segment_id: str, shown: bool = True
) -> bool:
    """Show or hide the outline of the mask that was kept for a segment; return whether there is one."""
    node = _node_with(segmentation_node, segment_id)
    if node is None:
        return False
    node.SetAndObserveTransformNodeID(segmentation_node.GetTransformNodeID())
    # A scene of an earlier version has none for it.
    enter_hierarchy(node)
    display = node.GetDisplayNode()
    for other in node.GetSegmentation().GetSegmentIDs():
        display.SetSegmentVisibility(other, other == segment_id)
    display.SetVisibility(shown)
    return True


def _node_with(
    segmentation_node: slicer.vtkMRMLSegmentationNode, segment_id: str
) -> slicer.vtkMRMLSegmentationNode | None:
    """Return the node in which a segment's start is kept, None if it is not."""
    node = kept_for(segmentation_node, START_ROLE)
    if node is None or node.GetSegmentation().GetSegment(segment_id) is None:
        return None
    return node


def _add_start_node(
    segmentation_node: slicer.vtkMRMLSegmentationNode, volume_node: slicer.vtkMRMLVolumeNode, saved: bool
) -> slicer.vtkMRMLSegmentationNode:
    node = add_outline_segmentation(
        segmentation_node.GetScene(), volume_node, f"{segmentation_node.GetName()} start", saved
    )
    node.SetAndObserveTransformNodeID(segmentation_node.GetTransformNodeID())
    node.GetDisplayNode().SetVisibility(False)
    own(segmentation_node, node)
    segmentation_node.SetNodeReferenceID(START_ROLE, node.GetID())
    return node


def _let_save(node: slicer.vtkMRMLSegmentationNode, saved: bool) -> None:
    for part in filter(None, (node, node.GetDisplayNode(), node.GetStorageNode())):
        part.SetSaveWithScene(saved)
