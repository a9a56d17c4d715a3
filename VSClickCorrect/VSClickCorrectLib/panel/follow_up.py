"""Comparing the segment with the mask of an earlier examination, in the section Result."""

from __future__ import annotations

from pathlib import Path

from slicer.i18n import tr as _

from VSClickCorrectLib.datasets.examinations import (
    NAMES,
    Examination,
    compare_examinations,
    scan_of,
    to_register,
)
from VSClickCorrectLib.datasets.registration import Registration
from VSClickCorrectLib.jobs.job import Job
from VSClickCorrectLib.panel.section import Connection, Section


class FollowUpSection(Section):
    """Asks for the earlier mask and its scan, registers both scans beside the program, shows the change."""

    def connections(self) -> list[Connection]:
        """See `Section.connections`."""
        return [Connection("compareButton", "clicked()", self.compare)]

    def compare(self) -> None:
        """Compare the segment as it is now."""
        folder = self.desktop.setting("CompareFolder")
        mask = self.desktop.ask_to_open(
            _("Mask of the earlier examination"),
            folder,
            _("Masks (*.seg.nrrd *.nii.gz *.nrrd *.nii *.dcm);;All files (*)"),
        )
        if not mask:
            return
        scan = self.desktop.ask_to_open(
            _("Its scan, to be registered; any slice of a DICOM series; Cancel if you have none"),
            str(Path(mask).parent),
            _("Scans (*.nii.gz *.nrrd *.nii *.dcm);;All files (*)"),
        )
        self.desktop.keep_setting("CompareFolder", str(Path(mask).parent))
        before = Examination.read(Path(mask), scan_of(Path(scan)) if scan else None)
        workbench = self.panel.workbench
        after = Examination(workbench.values(), workbench.grid, workbench.session.case.reference)
        scans = to_register(before, after)
        if scans is None:
            self._show(before, after, None)
            return
        self.panel.running.start(
            lambda: Job.start_registration(*scans, names=NAMES),
            lambda found: self._show(before, after, found),
        )

    def stopped(self) -> None:
        """See `Section.stopped`."""
        self.ui.followUpLabel.text = ""

    def refresh(self) -> None:
        """See `Section.refresh`."""
        ready = self.panel.correction is not None and not self.panel.running.busy
        self.ui.compareButton.enabled = ready

    def _show(self, before: Examination, after: Examination, found: Registration | None) -> None:
        if self.panel.correction is not None:
            self.ui.followUpLabel.text = compare_examinations(before, after, found).as_text()
            self.panel.say(_("Compared with the earlier examination; see Result."))
