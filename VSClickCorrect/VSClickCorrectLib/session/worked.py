"""Whether a journal holds work that somebody would miss."""

from __future__ import annotations

from collections.abc import Sequence

from VSClickCorrectLib.session.chain import Event
from VSClickCorrectLib.session.journal import clicks_of, history_of


def holds_work(events: Sequence[Event]) -> bool:
    """Return whether clicks stand by a journal, or what a hand has painted.

    Raises
    ------
    CorrectionError
        If an event cannot follow those before it.
    """
    history, _ = history_of(events)
    painted = any(edit.tool for edit in history.done) or any(event["event"] == "paint" for event in events)
    return painted or clicks_of(events)[0] > 0
