"""The section Volumes: which images, and whether they lie on each other."""

from __future__ import annotations

from VSClickCorrectLib.panel.section import Connection, Section


class VolumesSection(Section):
    """Says what is to be known of where T1ce and T2 lie, whether they are registered, and registers them."""

    def connections(self) -> list[Connection]:
        """See `Section.connections`."""
        return [Connection("registerButton", "clicked()", self.bound(self.flow.registration.register))]

    def refresh(self) -> None:
        """See `Section.refresh`."""
        self.ui.registerButton.enabled = all(self.workbench.volumes) and not self.flow.jobs.busy
        registration = self.flow.registration
        self.ui.agreementLabel.text = " ".join((*registration.remarks, registration.sentence)).strip()
