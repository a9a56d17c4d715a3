"""The section with the progress of what runs beside the program."""

from __future__ import annotations

from slicer.i18n import tr as _

from VSClickCorrectLib.panel.section import Connection, Section


class RunningSection(Section):
    """Shows how far a job is, and cancels it."""

    def __init__(self, ui, desktop, flow) -> None:
        super().__init__(ui, desktop, flow)
        flow.jobs.changed.connect(self._show)

    def connections(self) -> list[Connection]:
        """See `Section.connections`."""
        return [Connection("cancelButton", "clicked()", self.flow.jobs.cancel_by_user)]

    def refresh(self) -> None:
        """See `Section.refresh`."""
        # It keeps its place, so that nothing moves under the pointer.
        self.ui.progressWidget.enabled = self.flow.jobs.busy

    def _show(self) -> None:
        self.ui.progressBar.value = round(100 * self.flow.jobs.fraction)
        if self.flow.jobs.message:
            message = _(self.flow.jobs.message)
            self.host.say(message[:1].upper() + message[1:])
