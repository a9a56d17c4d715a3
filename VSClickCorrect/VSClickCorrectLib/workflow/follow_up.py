"""The segment against the mask of an earlier examination."""

from __future__ import annotations

from typing import TYPE_CHECKING

from VSClickCorrectLib.mrml.i18n import tr as _
from VSClickCorrectLib.workflow.correction import Workbench
from VSClickCorrectLib.workflow.host import Host
from VSClickCorrectLib.workflow.jobs import JobRunner, job_class
from VSClickCorrectLib.workflow.observable import Signal

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
        What changed, empty if nothing was compared.
    """

    def __init__(self, host: Host, workbench: Workbench, jobs: JobRunner) -> None:
        self._host, self._workbench, self._jobs = host, workbench, jobs
        self.text = ""
        self.changed = Signal()
        workbench.stopping.connect(self._forget)

    async def compare(self, before: Examination) -> None:
        """Compare with an earlier examination; raises as `compare_examinations`, or what the job raises."""
        # Few compare; here and where the window reads the earlier one, what does it is loaded.
        from VSClickCorrectLib.io.examinations import NAMES, Examination, compare_examinations, to_register

        workbench = self._workbench
        correction = workbench.under_way
        case = correction.session.case
        after = Examination(workbench.values(), case.grid, case.reference)
        scans, found = to_register(before, after), None
        if scans is not None:
            found = await self._jobs.run(lambda: job_class().start_registration(*scans, names=NAMES))
            if found is None or workbench.correction is not correction:
                return
        self.text = compare_examinations(before, after, found).as_text()
        self._host.say(_("Compared with the earlier examination."))
        self.changed.emit()

    def _forget(self) -> None:
        self.text = ""
        self.changed.emit()
