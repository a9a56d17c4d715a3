"""A case that has come this moment, about which nobody can have decided yet."""

from __future__ import annotations

import math
from time import monotonic
from typing import TYPE_CHECKING

from VSClickCorrectLib.errors import WorklistError
from VSClickCorrectLib.mrml.i18n import tr as _

if TYPE_CHECKING:
    from VSClickCorrectLib.worklist.work_case import WorkCase

# Nobody judges a mask faster; the second press of a double click comes sooner.
SEEN_S = 0.5


class JustShown:
    """Knows since when a case is shown.

    While it was read and drawn, the window may have stood still: what was pressed meanwhile, for the case
    before, arrives afterwards.
    """

    def __init__(self) -> None:
        self._case: WorkCase | None = None
        self._since = -math.inf

    def note(self, case: WorkCase | None) -> None:
        """Note which case is shown now."""
        if case is not self._case:
            self._case, self._since = case, monotonic()

    def check(self, case: WorkCase | None) -> None:
        """Raise `WorklistError` if no case is open, or if it was not there yet when somebody decided."""
        if case is None:
            raise WorklistError(_("no case is open; choose one of the list."))
        if case is self._case and monotonic() - self._since < SEEN_S:
            raise WorklistError(_("case {case} has just come; look at it first.").format(case=case.name))
