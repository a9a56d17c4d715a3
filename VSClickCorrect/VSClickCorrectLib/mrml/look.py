"""How slices show the segment that is being corrected."""

from __future__ import annotations

import re

import slicer

# Pixels of an outline that is all there is to see of a mask.
THICKNESS = 2
# On a display node: which segment is shown otherwise for now, and how it is to be shown again (filled and
# outlined, its segmentation with outlines at all, and how thick). A scene saved meanwhile holds it, too.
BEFORE_ATTRIBUTE = "VSClickCorrect.LookBefore"
_BEFORE = re.compile(r"(.*) ([01]) ([01]) ([01]) (\d{1,3})", re.DOTALL)


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
        self._begun = False

    @property
    def filled(self) -> bool:
        """Whether it is filled."""
        display = self._display
        return self._is_there and display is not None and _is_filled(display, self._segment_id)

    @filled.setter
    def filled(self, filled: bool) -> None:
        display = self._display
        if display is None or not self._is_there:
            return
        if not self._begun:
            self._begun = True
            self._begin(display)
        display.SetSegmentVisibility2DFill(self._segment_id, filled)
        display.SetSegmentVisibility2DOutline(self._segment_id, True)

    def restore(self) -> None:
        """Show it as before."""
        if self._begun and (display := self._display) is not None:
            self._give_back(display)
        self._begun = False

    def _begin(self, display: slicer.vtkMRMLSegmentationDisplayNode) -> None:
        # What a scene brought that was saved in the middle of a correction is nobody's choice.
        self._give_back(display)
        thickness = display.GetSliceIntersectionThickness()
        outlined = display.GetSegmentVisibility2DOutline(self._segment_id)
        told = _is_filled(display, self._segment_id), outlined, display.GetVisibility2DOutline(), thickness
        display.SetAttribute(BEFORE_ATTRIBUTE, " ".join([self._segment_id, *(str(int(one)) for one in told)]))
        display.SetVisibility(True)
        display.SetSegmentVisibility(self._segment_id, True)
        display.SetVisibility2DOutline(True)
        display.SetSliceIntersectionThickness(max(thickness, THICKNESS))

    def _give_back(self, display: slicer.vtkMRMLSegmentationDisplayNode) -> None:
        found = _BEFORE.fullmatch(display.GetAttribute(BEFORE_ATTRIBUTE) or "")
        display.RemoveAttribute(BEFORE_ATTRIBUTE)
        if found is None:
            return
        segment_id, (filled, outlined, outlines, thickness) = found[1], map(int, found.groups()[1:])
        if self._segmentation_node.GetSegmentation().GetSegment(segment_id) is not None:
            display.SetSegmentVisibility2DFill(segment_id, bool(filled))
            display.SetSegmentVisibility2DOutline(segment_id, bool(outlined))
        display.SetVisibility2DOutline(bool(outlines))
        display.SetSliceIntersectionThickness(thickness)

    @property
    def _is_there(self) -> bool:
        return self._segmentation_node.GetSegmentation().GetSegment(self._segment_id) is not None

    @property
    def _display(self) -> slicer.vtkMRMLSegmentationDisplayNode | None:
        in_scene = self._segmentation_node.GetScene() is not None
        return self._segmentation_node.GetDisplayNode() if in_scene else None


def _is_filled(display: slicer.vtkMRMLSegmentationDisplayNode, segment_id: str) -> bool:
    return bool(display.GetSegmentVisibility2DFill(segment_id))
