"""Whether a T1ce and a T2 of different PatientIDs are one patient's, which only a person can say."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from VSClickCorrectLib.errors import DifferentPatients, ImageError
from VSClickCorrectLib.mrml.i18n import tr as _
from VSClickCorrectLib.workflow.host import Host

Result = TypeVar("Result")


async def of_one_patient(host: Host, read: Callable[[bool], Result]) -> Result:
    """Read sequences beside the event loop, and ask before those of different PatientIDs are used together.

    Parameters
    ----------
    host : Host
        The window.
    read : callable
        Reads them, told whether a person is sure that they are one patient's.

    Raises
    ------
    ImageError
        If the person is not, or they cannot be used.
    """
    try:
        return await host.background(lambda: read(False))
    except DifferentPatients as error:
        question = _("The T1ce is of patient '{t1ce}' and the T2 of '{t2}'. Take the two for one patient's?")
        refusal = _(
            "the T1ce is of patient '{t1ce}' and the T2 of '{t2}', and the two were not taken for one "
            "patient's; give scans of one patient."
        )
        whose = {"t1ce": error.t1ce, "t2": error.t2}
    if not await host.confirm(question.format(**whose)):
        raise ImageError(refusal.format(**whose))
    return await host.background(lambda: read(True))
