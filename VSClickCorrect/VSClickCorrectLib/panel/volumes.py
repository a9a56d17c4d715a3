"""The section Volumes: which images, and whether they lie on each other."""

from __future__ import annotations

from VSClickCorrectLib.panel.section import Connection, Section


class VolumesSection(Section):
    """Says what is to be known of where T1ce and T2 lie, and registers them, or takes that back."""

    def connections(self) -> list[Connection]:
        """See `Section.connections`."""
        return [
            Connection("registerButton", "clicked()", self.bound(self.flow.registration.register)),
            Connection("registeredCheckBox", "clicked()", self.show_registered),
        ]

    def show_registered(self) -> None:
        """Lay the T2 as it was registered or as it came, as the box says."""
        self.host.start(self.flow.registration.show(bool(self.ui.registeredCheckBox.checked)))

    def refresh(self) -> None:
        """See `Section.refresh`."""
        self.ui.registerButton.enabled = all(self.workbench.volumes) and not self.flow.jobs.busy
        registration = self.flow.registration
        self.ui.registeredCheckBox.visible = registration.done
        self.ui.registeredCheckBox.checked = registration.moved
        self.ui.registeredCheckBox.enabled = not self.flow.jobs.busy
        self.ui.agreementLabel.text = " ".join((*registration.remarks, registration.sentence)).strip()
