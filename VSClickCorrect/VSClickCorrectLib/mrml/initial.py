"""The initial mask as a segment in the scene."""

from __future__ import annotations

from collections.abc import Callable

import slicer

from VSClickCorrectLib.errors import Cancelled
from VSClickCorrectLib.inference.initial import InitialSegmenter, Progress
from VSClickCorrectLib.inference.initial_mask import InitialMask
from VSClickCorrectLib.mrml.belongings import parts_of, remove_nodes
from VSClickCorrectLib.mrml.persistence import stored_journal
from VSClickCorrectLib.mrml.segment_mask import SegmentMask, add_segmentation
from VSClickCorrectLib.mrml.volumes import case_of


def add_initial_mask(
    scene: slicer.vtkMRMLScene,
    volume_nodes: tuple[slicer.vtkMRMLVolumeNode | None, slicer.vtkMRMLVolumeNode | None],
    segmenter: InitialSegmenter,
    name: str,
    progress: Progress = lambda fraction, message: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[InitialMask, tuple[slicer.vtkMRMLSegmentationNode, str]]:
    """Segment the tumour and add a segmentation of one segment that holds what was found.

    Parameters
    ----------
    scene : vtkMRMLScene
        Where the segmentation goes; it gets nothing if an error is raised.
    volume_nodes : tuple of vtkMRMLVolumeNode or None
        T1ce and T2, of which one may be missing.
    segmenter, progress, cancelled
        As for `InitialSegmenter.segment`, whose errors are raised.
    name : str
        Name of the segmentation and of its segment.

    Returns
    -------
    initial : InitialMask
        What was found, perhaps nothing.
    segment : tuple of vtkMRMLSegmentationNode and str
        The segmentation and the segment's ID in it.
    """
    initial = segmenter.segment(case_of(*volume_nodes), progress, cancelled)
    if cancelled():
        raise Cancelled("the initial segmentation was cancelled.")
    return initial, add_found_mask(scene, volume_nodes, initial, name)


def add_found_mask(
    scene: slicer.vtkMRMLScene,
    volume_nodes: tuple[slicer.vtkMRMLVolumeNode | None, slicer.vtkMRMLVolumeNode | None],
    initial: InitialMask,
    name: str,
) -> tuple[slicer.vtkMRMLSegmentationNode, str]:
    """Add a segmentation of one segment that holds what was found; see `add_initial_mask`."""
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
