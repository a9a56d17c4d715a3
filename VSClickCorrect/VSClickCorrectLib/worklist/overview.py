"""How a worklist stands, as tables and status lines show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from VSClickCorrectLib.worklist.records import CaseRecord, CaseState

if TYPE_CHECKING:
    from VSClickCorrectLib.worklist.work_case import WorkCase


@dataclass(frozen=True)
class Row:
    """A case as a table shows it.

    Parameters
    ----------
    case : WorkCase
        Its files.
    record : CaseRecord
        The work on it.
    holder : str
        Who else has it open, empty if nobody.
    lacking : str
        What of its label is not there, a sentence; empty if nothing is known to be missing.
    """

    case: WorkCase
    record: CaseRecord
    holder: str
    lacking: str = ""

    @property
    def note(self) -> str:
        """What is to be known of it beside its state, without a look at its files; empty if nothing is."""
        return self.lacking or self.case.fault


# What is told of the cases of a state, where there are any.
_TOLD = {
    CaseState.NO_TUMOUR: "without tumour",
    CaseState.IN_WORK: "in work",
    CaseState.SKIPPED: "skipped",
    CaseState.FAILED: "failed",
    CaseState.UNREADABLE: "unreadable",
}


class Progress:
    """How far a worklist is, in cases: ``total`` are all of them, ``done`` those that have a label.

    As a text it tells of the others, too: those without a tumour, which are among those done, those whose
    record cannot be read at the moment, and those that somebody else has open.

    Parameters
    ----------
    rows : sequence of Row
        All cases.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self._counts = Counter(row.record.state for row in rows)
        self._held = sum(bool(row.holder) for row in rows)
        self.total = len(rows)
        self.done = sum(row.record.state.labelled for row in rows)
        self.skipped = self._counts[CaseState.SKIPPED]

    def __str__(self) -> str:
        counts = [(self._counts[state], what) for state, what in _TOLD.items()]
        parts = [f"{self.done} of {self.total} done", *(f"{n} {what}" for n, what in counts if n)]
        others = f"; {self._held} open with others" if self._held else ""
        return ", ".join(parts) + others


def waiting_without_mask(rows: Sequence[Row], current: WorkCase | None) -> Iterator[WorkCase]:
    """Yield the cases to do that came without a mask, those after the open one first, then round again.

    Those that others have open are left out, and those whose files are not there, which is looked up as they
    are asked for: of hundreds of cases on a slow drive a few are wanted.
    """
    names = [row.case.name for row in rows]
    start = names.index(current.name) + 1 if current is not None and current.name in names else 0
    for row in (*rows[start:], *rows[:start]):
        waits = row.record.state is CaseState.TODO and row.case.mask is None and row.case is not current
        if waits and not (row.holder or row.case.problem):
            yield row.case
