"""Tools that change the whole mask of the correction under way."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from VSClickCorrectLib.mrml.i18n import tr as _
from VSClickCorrectLib.session.mask_tools import between_slices, largest_part, without_islands
from VSClickCorrectLib.workflow.correction import Workbench
from VSClickCorrectLib.workflow.host import Host


class MaskTools:
    """Each is one step, which undo takes back; Slicer's *Segment Editor* has its own of the same kind.

    Every verb raises `CorrectionError` if nothing is being corrected or there is nothing for it to do.

    Parameters
    ----------
    host : Host
        Told what was done.
    workbench : Workbench
        The correction.
    """

    def __init__(self, host: Host, workbench: Workbench) -> None:
        self._host, self._workbench = host, workbench

    def keep_largest(self) -> None:
        """Keep the largest part of the mask alone."""
        self._use("largest part kept", largest_part)

    def remove_islands(self) -> None:
        """Remove small parts; see `without_islands`."""
        grid = self._workbench.grid
        self._use("small islands removed", lambda values: without_islands(values, grid))

    def fill_between(self) -> None:
        """Fill slices without mask between those that have some; see `between_slices`."""
        grid = self._workbench.grid
        self._use("filled between slices", lambda values: between_slices(values, grid))

    def _use(self, tool: str, change_mask: Callable[[np.ndarray], np.ndarray]) -> None:
        edit = self._workbench.under_way.use_tool(tool, change_mask)
        self._host.say(_("Done: {edit}.").format(edit=edit.description))
