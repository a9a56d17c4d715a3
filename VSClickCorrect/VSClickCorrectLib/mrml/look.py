"""How slices show the segment that is being corrected."""

from __future__ import annotations

import slicer

# Pixels of an outline that is all there is to see of a mask.
THICKNESS = 2


class SegmentLook:
    """Shows a segment on slices filled or as an outline alone, and as it was shown before at the end.

    Parameters
    ----------
    segmentation_node : vtkMRMLSegmentationNode
        The segmentation.
    segment_id : str
        Which of its segments; others stay as they are.
    """

    def __init__(self, segmentation_node: slicer.vtkMRMLSegmentationNode, segment_id: str) -> None:
        self._segmentation_node, self._segment_id = segmentation_node, segment_id
        self._before: tuple[bool, int] | None = None

    @property
    def filled(self) -> bool:
        """Whether it is filled."""
        display = self._display
        return display is not None and bool(display.GetSegmentVisibility2DFill(self._segment_id))

    @filled.setter
    def filled(self, filled: bool) -> None:
        display = self._display
        if display is None:
            return
        if self._before is None:
            self._before = self.filled, display.GetSliceIntersectionThickness()
        display.SetSegmentVisibility2DFill(self._segment_id, filled)
        display.SetSegmentVisibility2DOutline(self._segment_id, True)
        display.SetSliceIntersectionThickness(max(self._before[1], THICKNESS))

    def restore(self) -> None:
        """Show it as before."""
        if self._before is not None and (display := self._display) is not None:
            display.SetSegmentVisibility2DFill(self._segment_id, self._before[0])
            display.SetSliceIntersectionThickness(self._before[1])
        self._before = None

    @property
    def _display(self) -> slicer.vtkMRMLSegmentationDisplayNode | None:
        there = self._segmentation_node.GetScene() is not None
        segments = self._segmentation_node.GetSegmentation()
        if not there or segments.GetSegment(self._segment_id) is None:
            return None
        return self._segmentation_node.GetDisplayNode()
