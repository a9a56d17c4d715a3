"""What is to be done to make the initial mask of a worklist's case ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from VSClickCorrectLib.jobs.prepared import Preparation

if TYPE_CHECKING:
    from VSClickCorrectLib.worklist.work_case import WorkCase
    from VSClickCorrectLib.worklist.worklist import Worklist


def preparation_of(
    worklist: Worklist, case: WorkCase, models: str, device: str, version: str = ""
) -> Preparation:
    """Return the task of one case; ``models``, ``device`` and ``version`` as for `Preparation`."""
    return Preparation(
        case.name,
        {role: str(path) for role, path in case.files.items() if role != "mask"},
        dict(case.series),
        str(worklist.store.prepared_path(case.label)),
        models,
        device,
        worklist.different_patients,
        version,
    )
