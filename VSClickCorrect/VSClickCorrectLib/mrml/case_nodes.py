"""The nodes of one case: its images, and the segmentations that are made on them."""

from __future__ import annotations

import numpy as np
import slicer

from VSClickCorrectLib.errors import CorrectionError, VSClickError, WorklistError
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.mrml.belongings import remove_nodes
from VSClickCorrectLib.mrml.i18n import tr as _
from VSClickCorrectLib.mrml.part_segments import is_repainted, part_of
from VSClickCorrectLib.mrml.persistence import stored_journal
from VSClickCorrectLib.mrml.segment_mask import Segment, SegmentMask, add_segmentation
from VSClickCorrectLib.mrml.volumes import add_volume


class CaseNodes:
    """Adds a case to the scene and takes it out again, leaving everything else there.

    Parameters
    ----------
    scene : vtkMRMLScene
        Where the nodes go.
    t1ce, t2 : Volume or None
        The sequences, of which one may be missing; copied.
    name : str
        Begins the nodes' names; may be empty.
    mask_name : str, optional
        What the segment is called that `put_mask` makes; as the case if left out.

    Attributes
    ----------
    name : str
        As given.
    t1ce, t2 : vtkMRMLScalarVolumeNode or None
        The sequences, in grey from air to the brightest of the head.
    segment : tuple of vtkMRMLSegmentationNode and str, or None
        The segment that `put_mask` made: the segmentation and the segment's ID in it.
    """

    def __init__(
        self,
        scene: slicer.vtkMRMLScene,
        t1ce: Volume | None,
        t2: Volume | None,
        name: str = "",
        mask_name: str = "",
    ) -> None:
        self._scene = scene
        self._mask_name = mask_name or name
        self.name = name
        self.t1ce, self.t2 = (
            _shown(scene, volume, f"{name} {sequence}".strip()) if volume is not None else None
            for sequence, volume in (("T1ce", t1ce), ("T2", t2))
        )
        self.segment: Segment | None = None
        self._mask: SegmentMask | None = None
        self._segmentations: list[slicer.vtkMRMLSegmentationNode] = []

    @property
    def volumes(self) -> tuple[slicer.vtkMRMLScalarVolumeNode | None, slicer.vtkMRMLScalarVolumeNode | None]:
        """T1ce and T2."""
        return self.t1ce, self.t2

    @property
    def reference(self) -> slicer.vtkMRMLScalarVolumeNode:
        """The volume whose grid is the native one."""
        return self.t1ce or self.t2

    @property
    def mask(self) -> SegmentMask:
        """The voxels of `segment`; raises `CorrectionError` if there is none."""
        if self._mask is None:
            raise self._no_segment()
        return self._mask

    @property
    def segmentation(self) -> slicer.vtkMRMLSegmentationNode:
        """The segmentation of `segment`; raises as `mask`."""
        if self.segment is None:
            raise self._no_segment()
        return self.segment[0]

    @property
    def beside(self) -> list[str]:
        """Names of segments that somebody drew in the case's segmentation; parts as found are none."""
        return self._drawn_in(self._segmentations)

    def removed_with(self, chosen: slicer.vtkMRMLSegmentationNode | None, kept: Segment | None) -> list[str]:
        """Names of segments with voxels that `remove` takes out of the scene beside the case's own.

        Parameters
        ----------
        chosen : vtkMRMLSegmentationNode or None
            The segmentation that is chosen; left out if it was not made on the case's volumes.
        kept : tuple of vtkMRMLSegmentationNode and str, or None
            A segment that is kept elsewhere.
        """
        added = chosen not in self._segmentations and self.has_segmentation(chosen)
        return self._drawn_in([*self._segmentations, *([chosen] if added else [])], kept)

    def has_volumes(self, t1ce: slicer.vtkMRMLVolumeNode | None, t2: slicer.vtkMRMLVolumeNode | None) -> bool:
        """Whether these are the case's own, each by its sequence; all but the reference may be left out."""
        return (t1ce or t2) is self.reference and t1ce in (None, self.t1ce) and t2 in (None, self.t2)

    def has_segmentation(self, segmentation: slicer.vtkMRMLSegmentationNode | None) -> bool:
        """Whether a segmentation was made on the case's volumes."""
        if segmentation is None:
            return False
        role = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
        made_on = segmentation.GetNodeReference(role)
        return segmentation in self._segmentations or (made_on is not None and made_on in self.volumes)

    def check_volumes(self, volumes: tuple[object, object]) -> None:
        """Raise `WorklistError` if volumes that are chosen are not the case's own."""
        if not self.has_volumes(*volumes):
            sentence = _("other volumes than those of case {case} are chosen; choose its own, or leave it.")
            raise WorklistError(sentence.format(case=self.name))

    def check_segmentation(self, chosen: slicer.vtkMRMLSegmentationNode | None) -> None:
        """Raise `WorklistError` if a segmentation that is chosen was not made on the case's volumes."""
        if chosen is not None and not self.has_segmentation(chosen):
            sentence = _(
                "the segment was not made on the images of case {case}; choose the case's own, or copy the "
                "segment into it."
            )
            raise WorklistError(sentence.format(case=self.name))

    def add_mask(
        self, values: np.ndarray | None, name: str
    ) -> tuple[slicer.vtkMRMLSegmentationNode, str, SegmentMask]:
        """Add a segmentation of one segment.

        Parameters
        ----------
        values : ndarray of bool or None
            What the segment holds, ``(K, J, I)`` on the native grid; None for nothing.
        name : str
            Name of the segmentation and of its segment.

        Returns
        -------
        segmentation : vtkMRMLSegmentationNode
            The segmentation.
        segment_id : str
            The segment's ID in it.
        mask : SegmentMask
            The segment's voxels.
        """
        segmentation, segment_id = add_segmentation(self._scene, self.reference, name)
        self._segmentations.append(segmentation)
        mask = SegmentMask(segmentation, segment_id, self.reference)
        if values is not None:
            mask.fill(values)
        return segmentation, segment_id, mask

    def put_mask(self, values: np.ndarray | None) -> None:
        """Put a segment with this mask in place of all that `add_mask` added; for the rest see there."""
        self.remove_masks()
        segmentation, segment_id, self._mask = self.add_mask(values, self._mask_name)
        self.segment = segmentation, segment_id

    def remove_masks(self) -> None:
        """Remove the segmentations that `add_mask` added, with clicks, journals and outlines."""
        remove_nodes(self._scene, *self._segmentations)
        self._segmentations.clear()

    def remove(self, corrected: slicer.vtkMRMLSegmentationNode | None = None) -> None:
        """Remove all nodes of the case, and a segmentation on it that somebody else added."""
        remove_nodes(self._scene, *self._segmentations, corrected, *self.volumes)
        self._segmentations.clear()

    def _drawn_in(
        self, nodes: list[slicer.vtkMRMLSegmentationNode], kept: Segment | None = None
    ) -> list[str]:
        """Return the names of segments that somebody drew; the case's own and one kept are left out."""
        return [
            node.GetSegmentation().GetSegment(one).GetName()
            for node in nodes
            if node.GetScene() is not None
            for one in node.GetSegmentation().GetSegmentIDs()
            if (node, one) not in (self.segment, kept) and self._is_drawn(node, one)
        ]

    def _is_drawn(self, node: slicer.vtkMRMLSegmentationNode, segment_id: str) -> bool:
        """Whether a segment holds voxels; of a part, whether somebody has painted in it.

        What was done on a part by clicks stands in its journal, and is known as work that is not saved.
        """
        try:
            if SegmentMask(node, segment_id, self.reference).extent() is None:
                return False
            if not part_of(node.GetSegmentation().GetSegment(segment_id)):
                return True
            return is_repainted((node, segment_id), self.reference) and not stored_journal(node, segment_id)
        except VSClickError:
            return True  # of another grid, for instance

    def _no_segment(self) -> CorrectionError:
        return CorrectionError(f"case {self.name} has no segment yet; find the tumour first.")


def _shown(scene: slicer.vtkMRMLScene, volume: Volume, name: str) -> slicer.vtkMRMLScalarVolumeNode:
    node = add_volume(scene, volume, name)
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(*volume.intensity_range)
    return node
