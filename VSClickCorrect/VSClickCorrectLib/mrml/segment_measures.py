"""Measuring a segment of the scene, and how it differs from the mask with which its correction began."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import slicer

from VSClickCorrectLib.measure.measurements import MaskChange, Measurements, head_middle, measure
from VSClickCorrectLib.mrml.segment_mask import Segment, SegmentMask
from VSClickCorrectLib.mrml.start_segment import start_of
from VSClickCorrectLib.mrml.volumes import place_of, volume_of
from VSClickCorrectLib.session.start_mask import tight


class Measured(NamedTuple):
    """What a segment measures, and its change since the start, None where the start is not known."""

    now: Measurements
    change: MaskChange | None

    def as_text(self) -> str:
        """Return both as plain lines with units and nothing about the patient, for the clipboard."""
        return "\n".join(part.as_text() for part in self if part is not None)


class SegmentMeasuring:
    """Measures one segment as often as it is asked; head and start are looked at anew only if moved.

    Parameters
    ----------
    segment : tuple of vtkMRMLSegmentationNode and str
        A segment, its segmentation in a scene.
    volume_node : vtkMRMLVolumeNode
        The volume whose grid counts, and whose head divides left from right.

    Raises
    ------
    CorrectionError, ImageError
        As `SegmentMask` and `volume_of`.
    """

    def __init__(self, segment: Segment, volume_node: slicer.vtkMRMLVolumeNode) -> None:
        # What reads headers waits until there is something to measure.
        from VSClickCorrectLib.mrml.volume_files import sides_known

        self._segment, self._volume_node = segment, volume_node
        self._mask = SegmentMask(*segment, volume_node)
        self._sides_known = sides_known(volume_node)
        self._look()

    def _look(self) -> None:
        """Find the middle of the head, as it lies now."""
        self._place = place_of(self._volume_node)
        self._middle = head_middle(replace(volume_of(self._volume_node), sides_known=self._sides_known))
        self._start: Measurements | None = None

    def measure(self) -> Measured:
        """Measure the segment as it is now, and where; raises as `SegmentMask`."""
        if place_of(self._volume_node) != self._place:
            self._look()
        now, start = measure(self._mask.grid, *tight(self._mask), self._middle), self._measured_start()
        return Measured(now, now.change_against(start) if start is not None else None)

    def _measured_start(self) -> Measurements | None:
        """Return the start's measurements; it is kept in the scene only once the correction begins."""
        if self._start is None:
            kept = start_of(*self._segment, self._volume_node)
            if kept is not None:
                self._start = measure(self._mask.grid, *kept, self._middle)
        return self._start
