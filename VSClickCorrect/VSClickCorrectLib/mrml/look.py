"""How slices show the segment that is being corrected."""

from __future__ import annotations

from typing import NamedTuple

import slicer

# Pixels of an outline that is all there is to see of a mask.
THICKNESS = 2


class _Before(NamedTuple):
    """How a segment was shown: filled, outlined, its segmentation with outlines at all, and how thick."""

    filled: bool
    outlined: bool
    outlines: bool
    thickness: int


class SegmentLook:
    """Shows a segment on slices filled or as an outline alone, and as it was shown before at the end.

    A segment that was hidden is shown, and stays so: nobody corrects what is not to be seen.

    Parameters
    ----------
    segmentation_node : vtkMRMLSegmentationNode
        The segmentation.
    segment_id : str
        Which of its segments; others stay as they are.
    """

    def __init__(self, segmentation_node: slicer.vtkMRMLSegmentationNode, segment_id: str) -> None:
        self._segmentation_node, self._segment_id = segmentation_node, segment_id
        self._before: _Before | None = None

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
            self._before = _Before(
                self.filled,
                display.GetSegmentVisibility2DOutline(self._segment_id),
                display.GetVisibility2DOutline(),
                display.GetSliceIntersectionThickness(),
            )
            display.SetVisibility(True)
            display.SetSegmentVisibility(self._segment_id, True)
            display.SetVisibility2DOutline(True)
        display.SetSegmentVisibility2DFill(self._segment_id, filled)
        display.SetSegmentVisibility2DOutline(self._segment_id, True)
        display.SetSliceIntersectionThickness(max(self._before.thickness, THICKNESS))

    def restore(self) -> None:
        """Show it as before."""
        if self._before is not None and (display := self._display) is not None:
            display.SetSegmentVisibility2DFill(self._segment_id, self._before.filled)
            display.SetSegmentVisibility2DOutline(self._segment_id, self._before.outlined)
            display.SetVisibility2DOutline(self._before.outlines)
            display.SetSliceIntersectionThickness(self._before.thickness)
        self._before = None

    @property
    def _display(self) -> slicer.vtkMRMLSegmentationDisplayNode | None:
        there = self._segmentation_node.GetScene() is not None
        segments = self._segmentation_node.GetSegmentation()
        if not there or segments.GetSegment(self._segment_id) is None:
            return None
        return self._segmentation_node.GetDisplayNode()
