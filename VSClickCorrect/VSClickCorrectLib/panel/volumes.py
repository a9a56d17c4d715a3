"""The section Volumes: which images, and whether they lie on each other."""

from __future__ import annotations

from slicer.i18n import tr as _

from VSClickCorrectLib.errors import ImageError, VSClickError
from VSClickCorrectLib.jobs.job import Job
from VSClickCorrectLib.mrml.registration import agreement, register_t2
from VSClickCorrectLib.mrml.volumes import remarks_of, volume_of
from VSClickCorrectLib.panel.desktop import Debounced
from VSClickCorrectLib.panel.section import Connection, Section

LOOK_MS = 200


class VolumesSection(Section):
    """Says what is to be known of where T1 and T2 lie, whether they are registered, and registers them."""

    def __init__(self, panel) -> None:
        super().__init__(panel)
        self._looked_at: tuple | None = None
        self._look_soon = Debounced(self.desktop, LOOK_MS, self._look)

    def connections(self) -> list[Connection]:
        """See `Section.connections`."""
        return [Connection("registerButton", "clicked()", self.register)]

    def parameters_changed(self) -> None:
        """Look at the volumes once more if others are chosen, or one was moved."""
        chosen = self._chosen()
        if chosen != self._looked_at:
            self._looked_at = chosen
            self.ui.agreementLabel.text = ""
            self._look_soon()

    def register(self) -> None:
        """Register the T2 beside the program, then put the transform over it."""
        t1ce, t2 = self.panel.parameters.t1ce, self.panel.parameters.t2
        self.panel.running.start(
            lambda: Job.start_registration(volume_of(t1ce), volume_of(t2)),
            lambda found: self._registered(found, t2),
        )
        self.panel.say(_("Registering the T2; you can go on looking at the images."))

    def refresh(self) -> None:
        """See `Section.refresh`."""
        parameters = self.panel.parameters
        both = bool(parameters.t1ce and parameters.t2)
        self.ui.registerButton.enabled = both and not self.panel.running.busy

    def _chosen(self) -> tuple | None:
        volumes = self._volumes()
        if not volumes:
            return None
        return tuple((node.GetID(), node.GetTransformNodeID()) for node in volumes)

    def _volumes(self) -> list:
        parameters = self.panel.parameters
        return [] if parameters is None else [node for node in (parameters.t1ce, parameters.t2) if node]

    def _look(self) -> None:
        volumes = self._volumes()
        sentences = [remark for node in volumes for remark in remarks_of(node)]
        try:
            if len(volumes) == 2:
                sentences.append(agreement(*volumes).sentence)
        except VSClickError as error:
            sentences.append(str(error))
        self.ui.agreementLabel.text = " ".join(sentences)

    def _registered(self, found, t2) -> None:
        if self.panel.parameters is None or self.panel.parameters.t2 is not t2:
            raise ImageError(_("another T2 was chosen meanwhile, so nothing was moved; register again."))
        going_on = self.panel.correction is not None
        self.panel.stop()
        if register_t2(t2, found) is None:
            self.panel.say(_("The T2 lay as well before; it was left where it is."))
        else:
            self.panel.say(_("The T2 lies on the T1 now; the module Transforms can take its transform off."))
        self._looked_at = None
        self.parameters_changed()
        if going_on:
            self.panel.begin()
