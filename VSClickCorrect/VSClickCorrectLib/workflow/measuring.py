"""What the segment measures, once the clicks pause."""

from __future__ import annotations

from VSClickCorrectLib.mrml.segment_measures import Measured, SegmentMeasuring
from VSClickCorrectLib.workflow.correction import Workbench
from VSClickCorrectLib.workflow.host import Host, telling
from VSClickCorrectLib.workflow.observable import Signal


class Measurer:
    """Measures the segment that is being corrected, after every change.

    Parameters
    ----------
    host : Host
        Told if the segment cannot be measured.
    workbench : Workbench
        The segment.

    Attributes
    ----------
    measured : Measured or None
        As it was last measured; None if nothing is being corrected.
    """

    def __init__(self, host: Host, workbench: Workbench) -> None:
        self._host, self._workbench = host, workbench
        self._measuring: SegmentMeasuring | None = None
        self.measured: Measured | None = None
        self.changed = Signal()
        workbench.chosen.connect(self._forget)
        workbench.stopping.connect(self._forget)
        workbench.settled.connect(self.follow)

    def measure(self) -> Measured:
        """Measure the segment as it is now.

        Raises
        ------
        CorrectionError, ImageError
            If nothing is being corrected, or as `SegmentMeasuring`.
        """
        # For its error if nothing is being corrected.
        self._workbench.under_way  # noqa: B018
        if self._measuring is None:
            self._measuring = SegmentMeasuring(self._workbench.segment, self._workbench.reference)
        return self._measuring.measure()

    def _forget(self) -> None:
        self._measuring = None

    def follow(self) -> None:
        """Measure anew."""
        self.measured = None
        if self._workbench.correction is not None:
            with telling(self._host):
                self.measured = self.measure()
        self.changed.emit()
