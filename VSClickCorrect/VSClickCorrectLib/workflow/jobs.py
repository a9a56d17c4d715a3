"""Work that takes seconds and runs beside the program, with its progress and a cancel that works."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.mrml.i18n import tr as _
from VSClickCorrectLib.workflow.correction import Workbench
from VSClickCorrectLib.workflow.host import Host
from VSClickCorrectLib.workflow.observable import Signal

if TYPE_CHECKING:
    from VSClickCorrectLib.inference.initial_mask import InitialMask
    from VSClickCorrectLib.io.registration import Registration
    from VSClickCorrectLib.jobs.job import Job


POLL_S = 0.1
Result = TypeVar("Result", "InitialMask", "Registration")


def job_class() -> type[Job]:
    """Return `Job`, by which work is begun: with the first comes what passes it to a child and back."""
    from VSClickCorrectLib.jobs.job import Job

    return Job


class JobRunner:
    """Runs one `Job` at a time; clicks are refused meanwhile, and closing the case cancels it.

    Parameters
    ----------
    host : Host
        The window.
    workbench : Workbench
        Whose clicks wait.

    Attributes
    ----------
    fraction : float
        How far the job is, 0 to 1.
    message : str
        What is going on.
    """

    def __init__(self, host: Host, workbench: Workbench) -> None:
        self._host, self._workbench = host, workbench
        self._job: Job | None = None
        self.fraction, self.message = 0.0, ""
        self.changed = Signal()
        workbench.closing.connect(self.cancel)

    @property
    def busy(self) -> bool:
        """Whether something is being computed."""
        return self._job is not None

    async def run(self, begin: Callable[[], Job[Result]]) -> Result | None:
        """Run a job and return its result; None if it was cancelled.

        Parameters
        ----------
        begin : callable
            Starts and returns the job.

        Raises
        ------
        CorrectionError
            If one is running already.
        VSClickError
            What the job raises.
        """
        if self.busy:
            raise CorrectionError(_("something is being computed already; wait for it or cancel it."))
        job = self._job = begin()
        self._show(0.0, "")
        try:
            while not (state := job.poll()).done:
                self._show(state.fraction, state.message)
                await self._host.pause(POLL_S)
                if self._job is not job:
                    return None
        finally:
            if self._job is job:
                self._end()
        return job.result()

    def cancel(self) -> None:
        """Stop what is running, if anything is; nothing is changed."""
        if self._job is not None:
            self._job.cancel()
            self._end()

    def cancel_by_user(self) -> None:
        """Stop what is running and say so; too late a press does nothing, as the result is being used."""
        if self.busy:
            self.cancel()
            self._host.say(_("Cancelled; nothing was changed."))

    def _show(self, fraction: float, message: str) -> None:
        self.fraction, self.message = fraction, message
        self._workbench.mode.busy = self.busy
        self.changed.emit()

    def _end(self) -> None:
        self._job = None
        self._show(0.0, "")
