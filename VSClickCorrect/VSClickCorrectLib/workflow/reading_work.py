"""Reading the case that a worklist has open, with what only a person can say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from VSClickCorrectLib.errors import DamagedJournalError, ModelError, Unreadable, enough_memory, passed_over
from VSClickCorrectLib.inference.manifest import Choice
from VSClickCorrectLib.jobs.prepared import read_prepared
from VSClickCorrectLib.mrml.i18n import tr as _
from VSClickCorrectLib.workflow.host import Host
from VSClickCorrectLib.workflow.one_patient import of_one_patient
from VSClickCorrectLib.workflow.opened_case import OpenedCase
from VSClickCorrectLib.workflow.origin import Origin

if TYPE_CHECKING:
    from VSClickCorrectLib.worklist.work_case import WorkCase
    from VSClickCorrectLib.worklist.worklist import Worklist


async def read_work(host: Host, worklist: Worklist, case: WorkCase, choice: Choice) -> OpenedCase:
    """Return the case that a worklist has open, as work on it was left; raises as its readers do.

    A person says whether images of different PatientIDs are one patient's, and whether a journal that is
    damaged is set aside, for the mask that was kept last to count.

    Parameters
    ----------
    host : Host
        The window.
    worklist : Worklist
        Has the case open.
    case : WorkCase
        The case.
    choice : Choice
        The networks whose initial mask is of use.
    """
    sure = worklist.different_patients

    def read(one_patient: bool) -> OpenedCase:
        nonlocal sure
        sure = sure or one_patient
        return _read(worklist, case, choice, sure)

    try:
        return await of_one_patient(host, read)
    except DamagedJournalError as damaged:
        question = _(
            "{error} Set the journal of case {case} aside, and begin with the mask that was kept last, or "
            "with the one that the case came with if there is none? Earlier clicks cannot be undone then."
        )
        if not await host.confirm(question.format(error=damaged.sentence, case=case.name)):
            raise
    worklist.opened.check_held()
    worklist.store.set_journal_aside(case.label)
    # What was said of the patients before still holds.
    return await of_one_patient(host, read)


def _read(worklist: Worklist, case: WorkCase, choice: Choice, sure: bool) -> OpenedCase:
    # What reads DICOM waits until there are files.
    from VSClickCorrectLib.io.dicom_masks import scan_of_mask

    with enough_memory():
        images = worklist.opened.load(sure)
        mask = worklist.opened.saved_mask(images.grid, images)
        origin = Origin(case.t1ce or case.t2, images.reference.scan)
        its = scan_of_mask(case.mask) if case.mask is not None and worklist.opened.took_mask else None
        opened = OpenedCase(case.name, images.t1ce, case.read("t2"), mask, origin, mask_scan=its)
        opened = opened.checked(sure)
        # What was skipped without a mask stays so until somebody looks for one.
        if mask is not None or worklist.opened.decided:
            return opened
        # The case is of use without it, as are networks that are loaded without their folder.
        with passed_over("no mask made ahead was used", ModelError, Unreadable):
            prepared = read_prepared(worklist.store.prepared_path(case.label), images, choice.models)
            return replace(opened, prepared=prepared)
        return opened
