"""The section Start: where a correction begins."""

from __future__ import annotations

from VSClickCorrectLib.panel.section import Connection, Section


class StartSection(Section):
    """Finds the tumour, or takes up a segment that exists."""

    def __init__(self, ui, desktop, flow) -> None:
        super().__init__(ui, desktop, flow)
        self.find_tumour = self.bound(flow.initial.find)
        self.next_candidate = self.bound(flow.initial.next_candidate)
        flow.workbench.chosen.connect(self._show_chosen)
        flow.workbench.opened.connect(self._offer)
        flow.initial.changed.connect(self.refresh)

    def connections(self) -> list[Connection]:
        """See `Section.connections`."""
        return [
            Connection("initialButton", "clicked()", self.find_tumour),
            Connection("candidateButton", "clicked()", self.next_candidate),
            Connection("correctButton", "clicked()", self.correct_segment),
            Connection("segmentSelector", "currentNodeChanged(bool)", self.refresh),
            Connection("segmentSelector", "currentSegmentChanged(QString)", self.refresh),
        ]

    def correct_segment(self) -> None:
        """Begin to correct the segment that is chosen."""
        if self.host.has_packages():
            selector = self.ui.segmentSelector
            self.workbench.choose_segment(selector.currentNode(), selector.currentSegmentID())
            self.host.start(self.workbench.correct())

    def refresh(self) -> None:
        """See `Section.refresh`."""
        selector = self.ui.segmentSelector
        ready = self.workbench.reference is not None and not self.flow.jobs.busy
        self.ui.initialButton.enabled = ready
        self.ui.candidateButton.enabled = ready and len(self.flow.initial.found.candidates) > 1
        self.ui.correctButton.enabled = ready and bool(selector.currentNode() and selector.currentSegmentID())

    def _show_chosen(self) -> None:
        segmentation, segment_id = self.workbench.segment
        if segmentation is not None:
            self.ui.segmentSelector.setCurrentNode(segmentation)
            self.ui.segmentSelector.setCurrentSegmentID(segment_id)

    def _offer(self) -> None:
        """Show where a mask comes from, if the case that was opened has none."""
        if self.workbench.segment[0] is None:
            self.ui.startCollapsibleButton.collapsed = False
