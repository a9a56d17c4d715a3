"""What was done on the open case, and whether it stands anywhere but in this window."""

from __future__ import annotations

from VSClickCorrectLib.mrml.i18n import tr as _
from VSClickCorrectLib.mrml.segment_correction import SceneCorrection
from VSClickCorrectLib.workflow.correction import Workbench
from VSClickCorrectLib.workflow.host import Host
from VSClickCorrectLib.workflow.observable import Signal


class UnsavedWork:
    """Knows what would go with the clicks of the correction under way, and asks before it does.

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
        self._saved: tuple | None = None
        self.there = False
        self.changed = Signal()
        workbench.opened.connect(self._forget)
        workbench.closing.connect(self._forget)
        workbench.begun.connect(self._on_begun)
        workbench.changed.connect(self._look)

    @property
    def work(self) -> str:
        """The clicks and the painting that stand or wait, for a person; empty if there are none."""
        correction = self._workbench.correction
        if correction is None:
            return ""
        count = len(correction.session.clicks) + len(correction.pending)
        clicks = _("1 click") if count == 1 else _("{count} clicks").format(count=count)
        parts = ([clicks] if count else []) + ([_("what was painted")] if _painted(correction) else [])
        return _(" and ").join(parts)

    @property
    def stand(self) -> tuple:
        """What tells one state of the work from another."""
        correction = self._workbench.correction
        if correction is None:
            return ()
        # Strokes have no number, so what they changed tells one from another.
        edits = [
            (edit.clicks, edit.numbers, edit.removed, edit.change if edit.tool else None)
            for edit in correction.session.history.done
        ]
        return edits, _painted(correction), correction.pending

    def note_saved(self, stand: tuple | None = None) -> None:
        """Remember that everything was saved as it is now, or at an earlier `stand`."""
        self._saved = self.stand if stand is None else stand
        self._look()

    async def may_go(self, question: str) -> bool:
        """Ask whether what was done may go, if anything was; ``{work}`` in the question is what."""
        work = self.work
        return not work or await self._host.confirm(question.format(work=work))

    def _forget(self) -> None:
        self._saved = None

    def _on_begun(self) -> None:
        # A correction that goes on with other networks is still the same work.
        if self._saved is None:
            self._saved = self.stand
        self._look()

    def _look(self) -> None:
        kept, correction = self._workbench.journal.path is not None, self._workbench.correction
        there = correction is not None and not kept and self.stand != self._saved and bool(self.work)
        if there != self.there:
            self.there = there
            self.changed.emit()


def _painted(correction: SceneCorrection) -> int:
    """Return how often something was painted between clicks, strokes that were undone left out."""
    session = correction.session
    strokes = sum(bool(edit.tool) for edit in session.history.done)
    return strokes + sum(event["event"] == "paint" for event in session.journal.events)
