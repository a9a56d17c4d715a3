"""What child processes are asked to do with the cases of a worklist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from VSClickCorrectLib.inference.manifest import Choice
from VSClickCorrectLib.jobs.learning_task import AcceptedCase, Adaptation
from VSClickCorrectLib.jobs.prepared import Preparation
from VSClickCorrectLib.worklist.overview import Row
from VSClickCorrectLib.worklist.records import CaseState

if TYPE_CHECKING:
    from VSClickCorrectLib.worklist.work_case import WorkCase
    from VSClickCorrectLib.worklist.worklist import Worklist


def preparation_of(worklist: Worklist, case: WorkCase, choice: Choice) -> Preparation:
    """Return the task of making a mask ahead by networks."""
    path, series = str(worklist.store.prepared_path(case.label)), dict(case.series)
    return Preparation(case.name, _files(case), series, path, choice, worklist.different_patients)


def accepted_rows(rows: Sequence[Row], annotator: str = "") -> list[Row]:
    """Return the cases that a reader called done, with a tumour, and nobody else has open, oldest first.

    Parameters
    ----------
    rows : sequence of Row
        Of a worklist.
    annotator : str
        The reader's initials; any reader's cases if empty.
    """
    accepted = [row for row in rows if row.record.state is CaseState.DONE and not row.holder]
    own = [row for row in accepted if annotator in ("", row.record.annotator) and not row.case.problem]
    return sorted(own, key=lambda row: (row.record.finished, row.case.name))


def adaptation_of(worklist: Worklist, models: str = "", corrector: str = "") -> Adaptation:
    """Return the task of learning from the cases that a worklist's annotator, or anybody, has accepted.

    Parameters
    ----------
    worklist : Worklist
        Whose cases.
    models, corrector : str
        As for `Adaptation`.
    """
    rows = accepted_rows(worklist.rows(), worklist.annotator)
    return Adaptation(tuple(_accepted(worklist, row) for row in rows), models, corrector)


def _accepted(worklist: Worklist, row: Row) -> AcceptedCase:
    case = row.case
    return AcceptedCase(
        case.name,
        _files(case),
        dict(case.series),
        str(worklist.label_path(case.name)),
        str(worklist.store.journal_path(case.label)),
        worklist.different_patients,
    )


def _files(case: WorkCase) -> dict[str, str]:
    """Return the files of a case's sequences."""
    return {role: str(path) for role, path in case.files.items() if role != "mask"}
