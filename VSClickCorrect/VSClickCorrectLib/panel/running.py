"""Work that takes seconds and runs beside the program, with its progress and a cancel that works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.panel.section import Connection, Section

POLL_MS = 100


class Running(Section):
    """One `Job` at a time, looked at ten times a second."""

    def __init__(self, panel) -> None:
        super().__init__(panel)
        self._job: Any = None
        self._then: Callable[[Any], None] = lambda result: None

    @property
    def busy(self) -> bool:
        """Whether something is being computed."""
        return self._job is not None

    def connections(self) -> list[Connection]:
        """See `Section.connections`."""
        return [Connection("cancelButton", "clicked()", self.cancel_by_user)]

    def start(self, begin: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Begin a job.

        Parameters
        ----------
        begin : callable
            Starts and returns the `Job`.
        then : callable
            Takes its result.

        Raises
        ------
        CorrectionError
            If one is running.
        """
        if self.busy:
            raise CorrectionError(_("something is being computed already; wait for it or cancel it."))
        self._job, self._then = begin(), then
        self._show(0.0)
        self.refresh()
        self.panel.refresh()
        self.desktop.later(POLL_MS, self._look)

    def cancel(self) -> None:
        """Stop what is running, if anything is."""
        if self._job is not None:
            self._job.cancel()
        self._job = None
        self.refresh()

    def cancel_by_user(self) -> None:
        """Stop what is running and say so."""
        self.cancel()
        self.panel.say(_("Cancelled; nothing was changed."))
        self.panel.refresh()

    def refresh(self) -> None:
        """See `Section.refresh`."""
        self.ui.progressWidget.visible = self.busy
        if self.panel.correction is not None:
            self.panel.correction.busy = self.busy

    def _look(self) -> None:
        if self._job is None:
            return
        state = self._job.poll()
        if not state.done:
            self._show(state.fraction)
            if state.message:
                message = _(state.message)
                self.panel.say(message[:1].upper() + message[1:])
            self.desktop.later(POLL_MS, self._look)
            return
        job, then, self._job = self._job, self._then, None
        self.panel.refresh()
        then(job.result())

    def _show(self, fraction: float) -> None:
        self.ui.progressBar.value = round(100 * fraction)
