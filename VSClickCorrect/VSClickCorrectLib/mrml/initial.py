"""The initial mask as a segment in the scene."""

from __future__ import annotations

import slicer

from VSClickCorrectLib.inference.initial_mask import InitialMask
from VSClickCorrectLib.mrml.belongings import parts_of, remove_nodes
from VSClickCorrectLib.mrml.persistence import stored_journal
from VSClickCorrectLib.mrml.segment_mask import SegmentMask, add_segmentation


def add_found_mask(
    scene: slicer.vtkMRMLScene,
    volume_nodes: tuple[slicer.vtkMRMLVolumeNode | None, slicer.vtkMRMLVolumeNode | None],
    initial: InitialMask,
    name: str,
) -> tuple[slicer.vtkMRMLSegmentationNode, str]:
    """Add a segmentation of one segment that holds what was found.

    Parameters
    ----------
    scene : vtkMRMLScene
        Where the segmentation goes.
    volume_nodes : tuple of vtkMRMLVolumeNode or None
        T1ce and T2, of which one may be missing.
    initial : InitialMask
        What was found, perhaps nothing.
    name : str
        Name of the segmentation and of its segment.

    Returns
    -------
    tuple of vtkMRMLSegmentationNode and str
        The segmentation and the segment's ID in it.
    """
    reference = volume_nodes[0] or volume_nodes[1]
    segment = add_segmentation(scene, reference, name)
    if initial.found:
        SegmentMask(*segment, reference).write(initial.box, initial.values)
    return segment


def put_away(segmentation: slicer.vtkMRMLSegmentationNode | None) -> None:
    """Take a mask that was found before out of the scene if nothing was done on it, else hide it."""
    scene = segmentation.GetScene() if segmentation is not None else None
    if segmentation is None or scene is None:
        return
    segments = segmentation.GetSegmentation().GetSegmentIDs()
    texts = [stored_journal(segmentation, segment_id) or "" for segment_id in segments]
    if len(segments) == 1 and all(text.count("\n") == 1 for text in texts):
        remove_nodes(scene, segmentation)
        return
    for node in (segmentation, *parts_of(segmentation)):
        if node.IsA("vtkMRMLDisplayableNode"):
            node.SetDisplayVisibility(False)
