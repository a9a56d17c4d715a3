"""What a worklist is told of its open case while it is worked on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from VSClickCorrectLib.session.start_mask import fingerprint_of
from VSClickCorrectLib.workflow.correction import Workbench
from VSClickCorrectLib.workflow.host import Host, telling
from VSClickCorrectLib.workflow.initial_mask import InitialMaskFinder
from VSClickCorrectLib.workflow.measuring import Measurer
from VSClickCorrectLib.worklist.records import CaseState

if TYPE_CHECKING:
    from VSClickCorrectLib.worklist.worklist import Worklist


class Stand(NamedTuple):
    """How far a correction is: its clicks, its round and the mask's fingerprint."""

    clicks: int
    rounds: int
    mask: str


class CaseRecorder:
    """Records clicks, rounds, mask and volume of the open case whenever they change.

    To look at a case is no work on it. What cannot be told is said, and whatever
    leaves the case meets it again.

    Parameters
    ----------
    host : Host
        The window.
    workbench : Workbench
        Corrects the case.
    measurer : Measurer
        For the volume.
    initial : InitialMaskFinder
        Knows what found the mask that is corrected.
    on_state : callable
        Called when the case is in another state now.
    """

    def __init__(
        self,
        host: Host,
        workbench: Workbench,
        measurer: Measurer,
        initial: InitialMaskFinder,
        on_state: Callable[[], None],
    ) -> None:
        self._host, self._workbench, self._measurer = host, workbench, measurer
        self._initial, self._on_state = initial, on_state
        self._worklist: Worklist | None = None
        self._known: Stand | None = None
        workbench.begun.connect(self._begin)
        workbench.changed.connect(self._reopen)
        workbench.settled.connect(self._record)

    @property
    def models(self) -> tuple[str, ...]:
        """Name and hash of what made the mask: what found the tumour, and what answered clicks."""
        found = self._initial.found.models
        if self._workbench.correction is None or not self._workbench.session.clicks:
            return found
        return tuple(dict.fromkeys((*found, self._workbench.session.corrector.identity)))

    def follow(self, worklist: Worklist | None) -> None:
        """Record the case that a worklist has open, as it stands once its correction begins, or none."""
        self._worklist, self._known = worklist, None

    def _begin(self) -> None:
        # What was painted while the correction rested is still to be told.
        if self._known is None:
            self._known = self._stand()

    def _record(self) -> None:
        """Record how the case stands, if that changed."""
        worklist, measured = self._opened(), self._measurer.measured
        if worklist is None:
            return
        with telling(self._host):
            stand = self._stand()
            if stand != self._known:
                self._known = stand
                self._tell(
                    worklist,
                    **stand._asdict(),
                    volume_mm3=measured.now.volume_mm3 if measured is not None else None,
                    models=self.models,
                )

    def _reopen(self) -> None:
        """Call a finished case one in work with its first change, before the views have drawn it."""
        worklist = self._opened()
        state = _state(worklist) if worklist is not None else None
        if worklist is None or state is None or not state.labelled:
            return
        with telling(self._host):
            stand = self._stand()
            if self._known is not None and stand.mask != self._known.mask:
                self._tell(worklist, clicks=stand.clicks, mask=stand.mask)

    def _opened(self) -> Worklist | None:
        """Return the worklist if a case of it is being corrected."""
        worklist = self._worklist
        known = self._known is not None and self._workbench.correction is not None
        return worklist if known and worklist is not None and worklist.current is not None else None

    def _stand(self) -> Stand:
        session = self._workbench.session
        return Stand(len(session.clicks), session.round, fingerprint_of(session.mask))

    def _tell(self, worklist: Worklist, **stands: Any) -> None:
        before = _state(worklist)
        worklist.update(**stands)
        if _state(worklist) is not before:
            self._on_state()


def _state(worklist: Worklist) -> CaseState | None:
    """Return the open case's state, None if none is open."""
    return worklist.record(worklist.current.name).state if worklist.current is not None else None
