"""The parts of a tumour as segments beside it, told by a tag, and what of them is others' to a segment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import slicer
import vtk

from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.measure.tumour_parts import COCHLEA, EXTRAMEATAL, INTRAMEATAL, TUMOUR_PARTS
from VSClickCorrectLib.mrml.persistence import stored_journal
from VSClickCorrectLib.mrml.segment_mask import Segment, SegmentMask, has_surface, refresh_surface
from VSClickCorrectLib.session.start_mask import fingerprint_of

if TYPE_CHECKING:
    from VSClickCorrectLib.inference.parts import FoundParts


TAG = "VSClickCorrect.Part"
# What a part's mask was when it was put there.
_AS_FOUND = "VSClickCorrect.PartAsFound"
# Of Okabe and Ito's palette, none of them a click's, a change's or the tumour's own.
COLORS = {
    INTRAMEATAL: (0xE6 / 255, 0x9F / 255, 0x00 / 255),
    EXTRAMEATAL: (0x00 / 255, 0x72 / 255, 0xB2 / 255),
    COCHLEA: (0xF0 / 255, 0xE4 / 255, 0x42 / 255),
}
_NEUTRAL = (0.7, 0.7, 0.7)


def part_of(segment: slicer.vtkSegment | None) -> str:
    """Return which part a segment is, empty if it is none."""
    return "" if segment is None else _tag_of(segment, TAG)


def part_ids(segmentation_node: slicer.vtkMRMLSegmentationNode) -> dict[str, str]:
    """Return the IDs of the segments that are parts, by the names of the classes.

    Of several of one class it is the first: Slicer puts a copy of a segment, with its tags, behind it.
    """
    segments, found = segmentation_node.GetSegmentation(), dict[str, str]()
    for segment_id in segments.GetSegmentIDs():
        found.setdefault(part_of(segments.GetSegment(segment_id)), segment_id)
    found.pop("", None)
    return found


def put_parts(
    segmentation_node: slicer.vtkMRMLSegmentationNode,
    volume_node: slicer.vtkMRMLVolumeNode,
    found: FoundParts,
) -> dict[str, str]:
    """Put a segment for each class beside those that are there; parts that were made before are replaced.

    Parameters
    ----------
    segmentation_node : vtkMRMLSegmentationNode
        The tumour's segmentation, in a scene.
    volume_node : vtkMRMLVolumeNode
        The volume whose grid counts.
    found : FoundParts
        The parts.

    Returns
    -------
    dict of str
        The segments' IDs by class.

    Raises
    ------
    CorrectionError, ImageError
        As `SegmentMask`; no part is written then.
    """
    segments, there = segmentation_node.GetSegmentation(), part_ids(segmentation_node)
    masks = {name: SegmentMask(segmentation_node, one, volume_node) for name, one in there.items()}
    had_surface = has_surface(segmentation_node)
    for name in found.classes:
        if name not in there:
            there[name] = segments.AddEmptySegment("", name, COLORS.get(name, _NEUTRAL))
            segments.GetSegment(there[name]).SetTag(TAG, name)
            masks[name] = SegmentMask(segmentation_node, there[name], volume_node)
        values = np.zeros(masks[name].grid.shape, bool)
        values[found.box.slices] = found.voxels(name)
        masks[name].fill(values)
        segments.GetSegment(there[name]).SetTag(_AS_FOUND, fingerprint_of(masks[name]))
    if had_surface:
        refresh_surface(segmentation_node)
    return there


def worked_parts(
    segmentation_node: slicer.vtkMRMLSegmentationNode, volume_node: slicer.vtkMRMLVolumeNode
) -> dict[str, str]:
    """Return those of `part_ids` that were changed since they were put there; raises as `put_parts`.

    Parts of scenes that do not tell what was put count as changed.
    """
    return {
        name: one
        for name, one in part_ids(segmentation_node).items()
        if is_repainted((segmentation_node, one), volume_node) or stored_journal(segmentation_node, one)
    }


def is_repainted(segment: Segment, volume_node: slicer.vtkMRMLVolumeNode) -> bool:
    """Whether a segment does not hold what it held when it was put there as a part; raises as `put_parts`."""
    as_found = _tag_of(segment[0].GetSegmentation().GetSegment(segment[1]), _AS_FOUND)
    return fingerprint_of(SegmentMask(*segment, volume_node)) != as_found


def _tag_of(segment: slicer.vtkSegment, name: str) -> str:
    text = vtk.reference("")
    return str(text) if segment.GetTag(name, text) else ""


class OtherParts:
    """What clicks on a segment must leave to others: the voxels of the parts that exclude it.

    Parts exclude each other. The tumour as a whole, which is no part, is excluded by those alone that are not
    the tumour's. Segments that somebody else made exclude nothing: they may overlap.

    Parameters
    ----------
    segment : tuple of vtkMRMLSegmentationNode and str
        The segment that clicks are on.
    volume_node : vtkMRMLVolumeNode
        The volume whose grid counts.
    """

    def __init__(self, segment: Segment, volume_node: slicer.vtkMRMLVolumeNode) -> None:
        (self._node, self._segment_id), self._volume_node = segment, volume_node

    def read(self, box: Box) -> np.ndarray:
        """Return the voxels in a box as they are now, bool; raises as `SegmentMask`."""
        values = np.zeros(box.shape, bool)
        for segment_id in self._others():
            values |= SegmentMask(self._node, segment_id, self._volume_node).read(box)
        return values

    def _others(self) -> Iterator[str]:
        part = part_of(self._node.GetSegmentation().GetSegment(self._segment_id))
        left = TUMOUR_PARTS if not part else (part,)
        for name, segment_id in part_ids(self._node).items():
            if name not in left:
                yield segment_id
