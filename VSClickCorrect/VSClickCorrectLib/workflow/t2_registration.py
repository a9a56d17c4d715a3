"""The T2 where the T1ce is: how well they match, and registering them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from VSClickCorrectLib.errors import ImageError, VSClickError
from VSClickCorrectLib.mrml.dicom_scans import scan_remarks
from VSClickCorrectLib.mrml.i18n import tr as _
from VSClickCorrectLib.mrml.observers import Observers
from VSClickCorrectLib.mrml.registration import (
    agreement,
    is_registered,
    lay_again,
    register_t2,
    take_back_registration,
)
from VSClickCorrectLib.mrml.volumes import grid_of, in_scene, state_of, volume_of
from VSClickCorrectLib.workflow.correction import SETTLE_S, Workbench
from VSClickCorrectLib.workflow.host import Debounced, Host
from VSClickCorrectLib.workflow.jobs import JobRunner, job_class
from VSClickCorrectLib.workflow.observable import Signal

if TYPE_CHECKING:
    from VSClickCorrectLib.io.registration import Registration


_LEFT = _("The T2 lay as well before; it was left where it is.")


class T2Registration:
    """Says where T1ce and T2 lie and whether they match, and registers the T2 without resampling it.

    Parameters
    ----------
    host : Host
        The window.
    workbench : Workbench
        The volumes.
    jobs : JobRunner
        Runs the registration.

    Attributes
    ----------
    apart : bool
        Whether the volumes lie on grids of their own.
    done, moved : bool
        Whether the T2 was registered, be it before its scene was saved, and whether it is shown so or as it
        came.
    """

    def __init__(self, host: Host, workbench: Workbench, jobs: JobRunner) -> None:
        self._host, self._workbench, self._jobs = host, workbench, jobs
        self._looked_at: tuple | None = None
        self._remarks: tuple[str, ...] = ()
        self._sentence, self.apart, self.done, self.moved = "", False, False, False
        self.changed = Signal()
        workbench.settled.connect(self.look)
        self._observers = Observers(self)
        self._moved_soon = Debounced(host, SETTLE_S, self._follow)
        workbench.chosen.connect(self._watch)
        workbench.closing.connect(self._observers.close)

    @property
    def sentence(self) -> str:
        """How well the volumes match, or how the registration ended; empty if one is missing."""
        return self._sentence if self._chosen() == self._looked_at else ""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is to be known of where the volumes' files say that they lie."""
        return self._remarks if self._chosen() == self._looked_at else ()

    def look(self) -> None:
        """Look at the volumes once more if others are chosen, or one was moved or has other voxels."""
        chosen = self._chosen()
        if chosen == self._looked_at:
            return
        # What reads headers waits until there are files.
        from VSClickCorrectLib.mrml.volume_files import remarks_of

        self._looked_at, self._sentence, self.apart = chosen, "", False
        self.done, self.moved = is_registered(self._workbench.volumes[1])
        places = tuple(remark for node in self._volumes() for remark in remarks_of(node))
        self._remarks = (*scan_remarks(*self._workbench.volumes), *places)
        if len(chosen) == 2:
            try:
                self._compare()
            except VSClickError as error:
                self._sentence = error.sentence
        self.changed.emit()

    async def register(self) -> None:
        """Register the T2 to the T1ce, and lay it there."""
        (t1ce, t2), before = self._workbench.volumes, self._chosen()
        self._host.say(_("Registering the T2; you can go on looking at the images."))
        found = await self._jobs.run(lambda: job_class().start_registration(volume_of(t1ce), volume_of(t2)))
        if found is None:
            return
        if not in_scene(t1ce, t2) or self._chosen() != before:
            raise ImageError(
                _(
                    "another T2 was chosen meanwhile, an image changed, one was moved, or an image removed, "
                    "so nothing was moved; try again."
                )
            )

        if found.improved:
            await self._lay(lambda: register_t2(t2, found))
            self._host.say(_("The T2 lies on the T1ce now; compare both, and take it back if it is worse."))
        else:
            self._host.say(_LEFT)
        self._sentence = _sentence(found)
        self.changed.emit()

    async def show(self, moved: bool) -> None:
        """Lay the T2 as it was registered or as it came, and go on correcting on it there; clicks stay."""
        t2 = self._workbench.volumes[1]
        if self.done and moved != self.moved:
            await self._lay(lambda: lay_again(t2) if moved else take_back_registration(t2))

    async def _lay(self, lay: Callable[[], object]) -> None:
        going_on = self._workbench.correction is not None
        self._workbench.stop()
        lay()
        self.done, self.moved = is_registered(self._workbench.volumes[1])
        self._looked_at = self._chosen()
        self.changed.emit()
        if going_on:
            await self._workbench.begin()

    def _watch(self) -> None:
        """Hear from now on where the volumes are moved or changed."""
        self._observers.close()
        for node in self._volumes():
            self._observers.add_for_images(node, T2Registration._hear)

    def _hear(self, _index: int | None) -> None:
        self._moved_soon()

    def _follow(self) -> None:
        if self._looked_at is not None and self._chosen() != self._looked_at:
            self._workbench.follow_images()

    def _compare(self) -> None:
        t1ce, t2 = self._workbench.volumes
        self.apart = not grid_of(t1ce).matches(grid_of(t2))
        self._sentence = agreement(t1ce, t2).sentence

    def _volumes(self) -> list:
        return [node for node in self._workbench.volumes if node is not None]

    def _chosen(self) -> tuple:
        return tuple((node.GetID(), node.GetTransformNodeID(), state_of(node)) for node in self._volumes())


def _sentence(found: Registration) -> str:
    if not found.improved:
        return _LEFT
    return _(
        "Moved by {mm:.1f} mm and turned by {degrees:.1f}°; mutual information {before:.3f} before, "
        "{after:.3f} after."
    ).format(
        mm=found.translation_mm,
        degrees=found.rotation_degrees,
        before=found.nmi_before,
        after=found.nmi_after,
    )
