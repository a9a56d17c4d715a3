"""Where to click next: what the networks doubt in the mask, place by place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from VSClickCorrectLib.clicks.click import ClickKind
from VSClickCorrectLib.clicks.mask import ExtentTrackingMask
from VSClickCorrectLib.errors import CorrectionError, VSClickError
from VSClickCorrectLib.mrml.doubt_line import DoubtLine
from VSClickCorrectLib.mrml.i18n import tr as _
from VSClickCorrectLib.mrml.segment_mask import SegmentMask
from VSClickCorrectLib.workflow.correction import Workbench
from VSClickCorrectLib.workflow.host import Debounced, Host
from VSClickCorrectLib.workflow.jobs import JobRunner
from VSClickCorrectLib.workflow.observable import Signal

if TYPE_CHECKING:
    from VSClickCorrectLib.inference.doubt_map import DoubtMap
    from VSClickCorrectLib.inference.doubtful_places import DoubtfulPlace


# Clicks that follow each other closely are not held up.
_QUIET_S = 0.5


class NextPlace:
    """Leads from one doubtful place of the mask to the next.

    Parameters
    ----------
    host : Host
        Computes beside the event loop where it can.
    workbench : Workbench
        The mask, its clicks, and the networks, whose segmenter doubts.
    jobs : JobRunner
        Where something else is computed, that comes first.
    scene : vtkMRMLScene
        Where the line is drawn.

    Attributes
    ----------
    places : list of DoubtfulPlace
        Of the mask as it is, the best first; empty as long as they are not known.
    known : bool
        Whether they are known.
    changed : Signal
        Places were found, or are no longer known.
    led : Signal(tuple of float)
        Views should go to this point, RAS mm.
    """

    def __init__(self, host: Host, workbench: Workbench, jobs: JobRunner, scene: Any) -> None:
        self._host, self._workbench, self._jobs, self._scene = host, workbench, jobs, scene
        self._line: DoubtLine | None = None
        self._map: DoubtMap | None = None
        self._stamp: object = None
        self._at = -1
        self._following = self._shown = False
        self.places: list[DoubtfulPlace] = []
        self.known = False
        self.changed, self.led = Signal(), Signal()
        self._soon = Debounced(host, _QUIET_S, lambda: host.start(self._follow()))
        workbench.begun.connect(self._on_begun)
        workbench.changed.connect(self._on_changed)
        workbench.stopping.connect(self._on_stopping)

    @property
    def following(self) -> bool:
        """Whether places are looked for after every change, and not only when somebody asks."""
        return self._following or self._shown

    @following.setter
    def following(self, following: bool) -> None:
        self._following = following
        self._on_changed()

    @property
    def left_to_gain(self) -> float | None:
        """How much DSC the mask is expected to lack; None if it is not known."""
        return 1 - self._map.expected_dice if self._map is not None else None

    async def next(self) -> None:
        """Lead to the next doubtful place, after the last to the first again, and say what it is worth.

        Raises
        ------
        CorrectionError
            If nothing is being corrected, or these networks cannot tell.
        """
        correction = self._workbench.under_way
        if self._workbench.networks.doubts is None:
            raise CorrectionError(_("these networks cannot say where they are unsure; choose others."))
        if not await self._update() or self._workbench.correction is not correction:
            return
        if self._stamp != self._stamp_now():
            self._host.say(
                _("The mask was changed meanwhile, or a click was made; ask for the next place again.")
            )
            return
        if not self.known:
            self._host.say(_("The mask is empty: find the tumour, or place an include click inside it."))
            return
        if not self.places:
            self._tell(_("Nothing is left that is worth a click, as far as the networks can tell."))
            return
        self._at = (self._at + 1) % len(self.places)
        place = self.places[self._at]
        self.led.emit(place.position_ras)
        told = _("Place {number} of {count}, slice {slice}: a click here is worth about {gain:.3f} of DSC.")
        number, count = self._at + 1, len(self.places)
        self._tell(told.format(number=number, count=count, slice=place.slice_number, gain=place.gain))

    def show(self, shown: bool) -> None:
        """Draw, or no longer draw, along the border where it is doubtful."""
        self._shown = shown
        self._draw()
        self._on_changed()

    def _tell(self, sentence: str) -> None:
        whole = self._map is None or self._map.whole
        note = "" if whole else _("Only the largest part of the mask was looked at: others lie too far away.")
        self._host.say(f"{sentence} {note}".strip())

    async def _follow(self) -> None:
        if self.following and self._workbench.networks.doubts is not None and not self._jobs.busy:
            await self._update()

    async def _update(self) -> bool:
        """Know the places of the mask as it is now; return whether nothing went wrong, which is told."""
        correction, doubts = self._workbench.correction, self._workbench.networks.doubts
        if correction is None or doubts is None or self._stamp == self._stamp_now():
            return True
        session, stamp = correction.session, self._stamp_now()
        # A copy: the scene is not to be touched beside the event loop.
        case, clicks = session.case, session.meant(session.clicks)
        mask = ExtentTrackingMask.copied(session.mask, case.grid)
        try:
            found = await self._host.background(lambda: _looked(doubts(case, mask, clicks)))
        except VSClickError as error:
            self._host.fail(error)
            return False
        if self._workbench.correction is not correction or stamp != self._stamp_now():
            return True
        self._map, self.places = found
        self.known, self._stamp, self._at = self._map is not None, stamp, -1
        self._draw()
        self.changed.emit()
        return True

    def _stamp_now(self) -> object:
        correction = self._workbench.correction
        if correction is None:
            return None
        session = correction.session
        # The networks see include and exclude clicks, too, be it that these changed nothing.
        standing = session.standing
        seen = [one.number for one in standing if one.click.kind is not ClickKind.BOUNDARY], bool(standing)
        return id(correction), id(session.case), seen, cast(SegmentMask, session.mask).stamp

    def _on_begun(self) -> None:
        self._line = DoubtLine(self._scene, self._workbench.reference)
        self._forget()

    def _on_changed(self) -> None:
        if self._workbench.correction is None:
            return
        if self._stamp != self._stamp_now():
            if self.known:
                self._forget()
            if self.following:
                self._soon()

    def _on_stopping(self) -> None:
        if self._line is not None:
            self._line.close()
        self._line = None
        self._forget()

    def _forget(self) -> None:
        self._map, self.places, self.known, self._stamp, self._at = None, [], False, None, -1
        self._draw()
        self.changed.emit()

    def _draw(self) -> None:
        if self._line is None:
            return
        if self._shown and self._map is not None:
            self._line.show(self._map, self._workbench.session.mask.read(self._map.window.box))
        else:
            self._line.hide()


def _looked(doubt: DoubtMap | None) -> tuple[DoubtMap | None, list[DoubtfulPlace]]:
    # It comes with the networks, whose doubts these are.
    from VSClickCorrectLib.inference.doubtful_places import doubtful_places

    return doubt, [] if doubt is None else doubtful_places(doubt)
