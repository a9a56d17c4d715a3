"""How a worklist stands, as tables and status lines show it."""

from __future__ import annotations

from dataclasses import dataclass

from VSClickCorrectLib.worklist.cases import WorkCase
from VSClickCorrectLib.worklist.records import CaseRecord


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
    """

    case: WorkCase
    record: CaseRecord
    holder: str


@dataclass(frozen=True)
class Progress:
    """How far a worklist is, in cases."""

    total: int
    todo: int
    in_work: int
    done: int
    skipped: int
    failed: int

    def __str__(self) -> str:
        parts = [f"{self.done} of {self.total} done"]
        for count, what in ((self.in_work, "in work"), (self.skipped, "skipped"), (self.failed, "failed")):
            if count:
                parts.append(f"{count} {what}")
        return ", ".join(parts)
