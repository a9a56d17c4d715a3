"""How a worklist stands, as tables and status lines show it."""

from __future__ import annotations

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


@dataclass(frozen=True)
class Progress:
    """How far a worklist is, in cases; ``held`` are those that somebody else has open.

    Those ``without`` a tumour are among those ``done``. Of those ``unreadable`` the record cannot be read at
    the moment.
    """

    total: int
    in_work: int
    done: int
    without: int
    skipped: int
    failed: int
    unreadable: int
    held: int

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Progress:
        """Count the cases of a worklist."""
        states = [row.record.state for row in rows]
        return cls(
            total=len(states),
            in_work=states.count(CaseState.IN_WORK),
            done=sum(state.labelled for state in states),
            without=states.count(CaseState.NO_TUMOUR),
            skipped=states.count(CaseState.SKIPPED),
            failed=states.count(CaseState.FAILED),
            unreadable=states.count(CaseState.UNREADABLE),
            held=sum(bool(row.holder) for row in rows),
        )

    def __str__(self) -> str:
        parts = [f"{self.done} of {self.total} done"]
        for count, what in (
            (self.without, "without tumour"),
            (self.in_work, "in work"),
            (self.skipped, "skipped"),
            (self.failed, "failed"),
            (self.unreadable, "unreadable"),
        ):
            if count:
                parts.append(f"{count} {what}")
        others = f"; {self.held} open with others" if self.held else ""
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
