"""The section Start: where a correction begins."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.inference.initial import InitialMask
from VSClickCorrectLib.jobs.job import Job
from VSClickCorrectLib.mrml.initial import add_found_mask
from VSClickCorrectLib.mrml.volumes import case_of
from VSClickCorrectLib.panel.section import Connection, Section


class StartSection(Section):
    """Finds the tumour, or takes up a segment that exists."""

    def connections(self) -> list[Connection]:
        """See `Section.connections`."""
        return [
            Connection("initialButton", "clicked()", self.find_tumour),
            Connection("correctButton", "clicked()", self.correct_segment),
            Connection("segmentSelector", "currentNodeChanged(bool)", self.panel.refresh),
            Connection("segmentSelector", "currentSegmentChanged(QString)", self.panel.refresh),
        ]

    def find_tumour(self) -> None:
        """Segment the tumour beside the program, then begin to correct what was found."""
        self.panel.worklist.check_volumes()
        if not self.panel.advanced.install():
            return
        nodes = self.panel.parameters.t1ce, self.panel.parameters.t2
        choice = self.panel.advanced.choice
        self.panel.running.start(
            lambda: Job.start_segmentation(case_of(*nodes), choice.path, choice.device),
            lambda initial: self._found(initial, nodes),
        )
        self.panel.say(_("Looking for the tumour; you can go on looking at the images."))

    def correct_segment(self) -> None:
        """Begin to correct the segment that is chosen."""
        if not self.panel.advanced.install():
            return
        selector = self.ui.segmentSelector
        self.choose(selector.currentNode(), selector.currentSegmentID())
        self.panel.begin()

    def choose(self, segmentation: Any, segment_id: str) -> None:
        """Make a segment the one to correct."""
        self.panel.stop()
        self.panel.parameters.segmentation = segmentation
        self.panel.parameters.segmentId = segment_id
        self.ui.segmentSelector.setCurrentNode(segmentation)
        self.ui.segmentSelector.setCurrentSegmentID(segment_id)

    def refresh(self) -> None:
        """See `Section.refresh`."""
        parameters, selector = self.panel.parameters, self.ui.segmentSelector
        ready = bool(parameters.t1ce or parameters.t2) and not self.panel.running.busy
        self.ui.initialButton.enabled = ready
        self.ui.correctButton.enabled = ready and bool(selector.currentNode() and selector.currentSegmentID())

    def _found(self, initial: InitialMask, nodes: tuple) -> None:
        parameters = self.panel.parameters
        if parameters is None or (parameters.t1ce, parameters.t2) != nodes:
            raise ImageError(
                _("other volumes were chosen meanwhile, so the mask was not used; find it again.")
            )
        # What was painted last belongs to the journal that is set aside.
        self.panel.stop()
        self.panel.worklist.starting_over()
        self.choose(*add_found_mask(self.panel.scene, nodes, initial, _("Vestibular schwannoma")))
        self.panel.begin()
        if not initial.found:
            self.panel.say(_("No tumour was found; place an include click on it."))
