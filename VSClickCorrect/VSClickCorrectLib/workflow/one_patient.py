"""Whether images, and a mask, of different PatientIDs are one patient's, which only a person can say."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from VSClickCorrectLib.errors import DifferentPatients, ImageError
from VSClickCorrectLib.mrml.i18n import tr as _
from VSClickCorrectLib.workflow.host import Host

Result = TypeVar("Result")


async def of_one_patient(host: Host, read: Callable[[bool], Result]) -> Result:
    """Read images beside the event loop, and ask before those of different PatientIDs are used together.

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
        question = _(
            "The {image} is of patient '{first}' and the {other} of '{second}'. "
            "Take the two for one patient's?"
        )
        refusal = _(
            "the {image} is of patient '{first}' and the {other} of '{second}', and the two were not taken "
            "for one patient's; give scans of one patient."
        )
        image, other = error.names
        whose = {"image": image, "first": error.first, "other": other, "second": error.second}
    if not await host.confirm(question.format(**whose)):
        raise ImageError(refusal.format(**whose))
    return await host.background(lambda: read(True))
