"""Comparing the segment with the mask of an earlier examination, in the section Result."""

from __future__ import annotations

from pathlib import Path

from slicer.i18n import tr as _

from VSClickCorrectLib.panel.section import Connection, Section


class FollowUpSection(Section):
    """Asks for the earlier mask and its scan, and shows what changed."""

    def __init__(self, ui, desktop, flow) -> None:
        super().__init__(ui, desktop, flow)
        flow.follow_up.changed.connect(self._show)

    def connections(self) -> list[Connection]:
        """See `Section.connections`."""
        return [Connection("compareButton", "clicked()", self.compare)]

    def compare(self) -> None:
        """Compare the segment as it is now."""
        from VSClickCorrectLib.io.examinations import Examination, scan_of

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
        self.host.start(self.flow.follow_up.compare(before))

    def refresh(self) -> None:
        """See `Section.refresh`."""
        self.ui.compareButton.enabled = self.workbench.correction is not None and not self.flow.jobs.busy

    def _show(self) -> None:
        self.ui.followUpLabel.text = self.flow.follow_up.text
