"""What a death between two writes left, mended when a worklist is opened."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from VSClickCorrectLib.errors import VSClickError
from VSClickCorrectLib.worklist.locks import CaseLock
from VSClickCorrectLib.worklist.store import Store
from VSClickCorrectLib.worklist.work_case import WorkCase


def mend(cases: Sequence[WorkCase], store: Store, annotator: str) -> None:
    """Let the sidecars of cases that are done follow their records, unless somebody has them open.

    Parameters
    ----------
    cases : sequence of WorkCase
        With labels.
    store : Store
        Where their state is kept.
    annotator : str
        Initials, for others to see meanwhile.
    """
    for case in cases:
        # What cannot be mended hinders nobody here; whoever opens the case is told.
        with suppress(VSClickError):
            if not store.is_whole(case.label):
                _mend(case, store, annotator)


def _mend(case: WorkCase, store: Store, annotator: str) -> None:
    lock = CaseLock(store.lock_path(case.label), annotator)
    lock.take(case.name)
    try:
        store.mend(case.label)
    finally:
        lock.release()
