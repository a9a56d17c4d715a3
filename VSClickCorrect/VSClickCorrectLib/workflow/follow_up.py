"""The segment against the mask of an earlier examination."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from VSClickCorrectLib.errors import VSClickError
from VSClickCorrectLib.mrml.dicom_scans import scan_of
from VSClickCorrectLib.mrml.i18n import tr as _
from VSClickCorrectLib.session.start_mask import fingerprint_of, fingerprint_of_values
from VSClickCorrectLib.workflow.correction import Workbench
from VSClickCorrectLib.workflow.host import Host
from VSClickCorrectLib.workflow.jobs import JobRunner, job_class
from VSClickCorrectLib.workflow.observable import Signal
from VSClickCorrectLib.workflow.one_patient import of_one_patient

if TYPE_CHECKING:
    from VSClickCorrectLib.io.examinations import Examination


class FollowUpComparison:
    """Compares the segment as it is with an earlier mask; scans are registered beside the program.

    Parameters
    ----------
    host : Host
        The window.
    workbench : Workbench
        The segment.
    jobs : JobRunner
        Runs the registration.

    Attributes
    ----------
    text : str
        What changed, empty if nothing was compared, or if the segment is another one since.
    """

    def __init__(self, host: Host, workbench: Workbench, jobs: JobRunner) -> None:
        self._host, self._workbench, self._jobs = host, workbench, jobs
        self.text, self._compared = "", ""
        self.changed = Signal()
        workbench.stopping.connect(self._forget)
        workbench.settled.connect(self._look)

    async def compare(self, before: Examination) -> None:
        """Compare with an earlier examination, and ask where its mask and its scan name different patients.

        Raises as `of_one_patient` and `compare_examinations`, or what the job raises.
        """
        # Few compare; here and where the window reads the earlier one, what does it is loaded.
        from VSClickCorrectLib.io.examinations import NAMES, Examination, compare_examinations, to_register

        workbench = self._workbench
        correction = workbench.under_way
        before = await of_one_patient(self._host, before.checked)
        if workbench.correction is not correction:
            return
        case = correction.session.case
        later = replace(case.reference, scan=workbench.origin.scan or scan_of(workbench.reference))
        scans, found = to_register(before, Examination(workbench.values(), case.grid, later)), None
        if scans is not None:
            found = await self._jobs.run(lambda: job_class().start_registration(*scans, names=NAMES))
            if found is None or workbench.correction is not correction:
                return
        # As it is now: others may paint while scans are registered.
        after = Examination(workbench.values(), case.grid, later)
        self.text = compare_examinations(before, after, found).as_text()
        self._compared = fingerprint_of_values(after.values)
        self._host.say(_("Compared with the earlier examination."))
        self.changed.emit()

    def _look(self) -> None:
        """Forget what was told of a segment that has changed since."""
        workbench = self._workbench
        if self.text and workbench.correction is not None:
            try:
                same = fingerprint_of(workbench.session.mask) == self._compared
            except VSClickError:
                same = False
            if not same:
                self._forget()

    def _forget(self) -> None:
        self.text = ""
        self.changed.emit()
