"""What was done on the open case, and whether it stands anywhere but in this window."""

from __future__ import annotations

from typing import Any, NamedTuple

from VSClickCorrectLib.mrml.i18n import tr as _
from VSClickCorrectLib.mrml.segment_correction import SceneCorrection
from VSClickCorrectLib.workflow.correction import Segment, Workbench
from VSClickCorrectLib.workflow.host import Host
from VSClickCorrectLib.workflow.observable import Signal


class Stand(NamedTuple):
    """What tells one state of the work on a segment from another."""

    edits: list
    painted: int
    pending: tuple
    clicks: int


class UnsavedWork:
    """Knows what would go with the open case, its parts' corrections included, and asks before it does.

    Parameters
    ----------
    host : Host
        Asks.
    workbench : Workbench
        The correction.

    Attributes
    ----------
    there : bool
        Whether something stands that was done since the case was opened or saved; never where its journal is
        a file, as that of a worklist's case, in which everything stands at once.
    """

    def __init__(self, host: Host, workbench: Workbench) -> None:
        self._host, self._workbench = host, workbench
        # By segment: of one that is left for a part, what was done on it still stands in its journal.
        self._stands: dict[Segment, Stand] = {}
        self._saved: dict[Segment, Stand] = {}
        # Whose correction is under way; another segment may be chosen before it stops.
        self._begun: Segment = (None, "")
        self.there = False
        self.changed = Signal()
        workbench.opened.connect(self._forget)
        workbench.closing.connect(self._forget)
        workbench.begun.connect(self._on_begun)
        workbench.changed.connect(self._look)

    @property
    def work(self) -> str:
        """The clicks and the painting that stand or wait, for a person; empty if there are none."""
        stands = self.stand.values()
        count = sum(one.clicks + len(one.pending) for one in stands)
        clicks = _("1 click") if count == 1 else _("{count} clicks").format(count=count)
        painted = any(one.painted for one in stands)
        parts = ([clicks] if count else []) + ([_("what was painted")] if painted else [])
        return _(" and ").join(parts)

    @property
    def stand(self) -> dict[Segment, Stand]:
        """The work by segment, of those that are there."""
        if self._workbench.correction is not None and self._begun[0] is not None:
            self._stands[self._begun] = _stand(self._workbench.correction)
        return {segment: one for segment, one in self._stands.items() if _is_there(*segment)}

    def note_saved(self, stand: dict[Segment, Stand] | None = None) -> None:
        """Remember that everything was saved as it is now, or segments at an earlier `stand`."""
        self._saved.update(self.stand if stand is None else stand)
        self._look()

    async def may_close(self) -> bool:
        """Ask before the open case goes, if its work stands nowhere else; return whether it may."""
        question = _("What was done on this case was not saved: {work}. Open another in its place?")
        return not self.there or await self._host.confirm(question.format(work=self.work))

    def _forget(self) -> None:
        self._stands, self._saved, self._begun = {}, {}, (None, "")
        self._look()

    def _on_begun(self) -> None:
        self._begun = self._workbench.segment
        # A correction that goes on with other networks is still the same work.
        self._saved.setdefault(self._begun, self.stand[self._begun])
        self._look()

    def _look(self) -> None:
        kept = self._workbench.journal.path is not None
        there = not kept and any(
            (one.clicks or one.painted or one.pending) and one != self._saved.get(segment)
            for segment, one in self.stand.items()
        )
        if there != self.there:
            self.there = there
            self.changed.emit()


def _stand(correction: SceneCorrection) -> Stand:
    session, pending = correction.session, tuple(correction.pending)
    # Strokes have no number, so what they changed tells one from another.
    edits = [
        (edit.clicks, edit.numbers, edit.removed, edit.change if edit.tool else None)
        for edit in session.history.done
    ]
    # How often something was painted between clicks, strokes that were undone left out.
    painted = sum(bool(edit.tool) for edit in session.history.done) + sum(
        event["event"] == "paint" for event in session.journal.events
    )
    return Stand(edits, painted, pending, len(session.clicks))


def _is_there(segmentation: Any, segment_id: str) -> bool:
    there = segmentation.GetScene() is not None
    return there and segmentation.GetSegmentation().GetSegment(segment_id) is not None
