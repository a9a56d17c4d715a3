"""The initial mask as a segment in the scene."""

from __future__ import annotations

import slicer

from VSClickCorrectLib.errors import VSClickError
from VSClickCorrectLib.inference.initial_mask import InitialMask
from VSClickCorrectLib.mrml.belongings import parts_of, remove_nodes
from VSClickCorrectLib.mrml.click_nodes import ClickNodes
from VSClickCorrectLib.mrml.persistence import stored_journal
from VSClickCorrectLib.mrml.segment_mask import Segment, SegmentMask, add_segmentation
from VSClickCorrectLib.session.journal import Journal, session_of
from VSClickCorrectLib.session.start_mask import fingerprint_of


def add_found_mask(
    scene: slicer.vtkMRMLScene, volume_node: slicer.vtkMRMLVolumeNode, initial: InitialMask, name: str
) -> Segment:
    """Add a segmentation of one segment that holds what was found.

    Parameters
    ----------
    scene : vtkMRMLScene
        Where the segmentation goes.
    volume_node : vtkMRMLVolumeNode
        The image on which it was found.
    initial : InitialMask
        What was found, perhaps nothing.
    name : str
        Name of the segmentation and of its segment.

    Returns
    -------
    tuple of vtkMRMLSegmentationNode and str
        The segmentation and the segment's ID in it.
    """
    segment = add_segmentation(scene, volume_node, name)
    if initial.found:
        SegmentMask(*segment, volume_node).write(initial.box, initial.values)
    return segment


def put_away(segmentation: slicer.vtkMRMLSegmentationNode | None) -> None:
    """Take a mask that was found before out of the scene if nothing was done on it, else hide it."""
    scene = segmentation.GetScene() if segmentation is not None else None
    if segmentation is None or scene is None:
        return
    if _is_as_found(segmentation):
        remove_nodes(scene, segmentation)
        return
    for node in (segmentation, *parts_of(segmentation)):
        if node.IsA("vtkMRMLDisplayableNode"):
            node.SetDisplayVisibility(False)


def _is_as_found(segmentation: slicer.vtkMRMLSegmentationNode) -> bool:
    """Whether nothing was done on a mask: no click that stands or waits, no painting, and not accepted."""
    segment_ids = segmentation.GetSegmentation().GetSegmentIDs()
    reference = segmentation.GetNodeReference(segmentation.GetReferenceImageGeometryReferenceRole())
    if len(segment_ids) != 1 or reference is None or ClickNodes(segmentation).markers():
        return False
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    if logic.GetSegmentStatus(segmentation.GetSegmentation().GetNthSegment(0)) != logic.NotStarted:
        return False
    try:
        events = Journal(text=stored_journal(segmentation, segment_ids[0]) or "").events
        now = fingerprint_of(SegmentMask(segmentation, segment_ids[0], reference))
    except VSClickError:
        return False
    return len(events) == 1 and session_of(events).get("start", {}).get("sha256") == now
