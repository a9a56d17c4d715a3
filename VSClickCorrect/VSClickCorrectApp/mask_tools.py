"""Edits by hand: brush, eraser, and tools on the whole mask, each one step of undo."""

from __future__ import annotations

import numpy as np
from VSClickCorrectLib.errors import enough_memory
from VSClickCorrectLib.session.edit import Change
from VSClickCorrectLib.workflow.correction import Workbench
from VSClickCorrectLib.workflow.host import Host

from VSClickCorrectApp.brush import Stroke
from VSClickCorrectApp.mask_changes import SMALL_MM3, all_but_largest, between_slices, small_islands


class MaskTools:
    """What a person does to the mask without clicks; every verb raises as `CorrectionSession.edit_by_hand`.

    Where there is nothing to change, that is said, and there is no step to undo.

    Parameters
    ----------
    host : Host
        The window.
    workbench : Workbench
        The correction.
    """

    def __init__(self, host: Host, workbench: Workbench) -> None:
        self._host, self._workbench = host, workbench

    @enough_memory()
    def paint(self, stroke: Stroke, adds: bool) -> None:
        """Add the voxels of a stroke to the mask, or take them away."""
        box, voxels = stroke.voxels(self._workbench.under_way.session.mask.grid)
        nothing = np.zeros_like(voxels)
        change = Change.of(box, voxels, nothing) if adds else Change.of(box, nothing, voxels)
        self._do("brush stroke" if adds else "eraser stroke", change, "The stroke changed nothing.")

    @enough_memory()
    def keep_largest(self) -> None:
        """Remove all parts of the mask but the largest."""
        change = all_but_largest(self._workbench.session.mask)
        self._do("largest part kept", change, "The mask is one part already; nothing was removed.")

    @enough_memory()
    def remove_islands(self) -> None:
        """Remove the parts of the mask that are smaller than `SMALL_MM3`; the largest part stays."""
        change = small_islands(self._workbench.session.mask)
        nothing = "There is no part smaller than {volume:g} mm³ beside the largest; nothing was removed."
        self._do("small islands removed", change, nothing.format(volume=SMALL_MM3))

    @enough_memory()
    def fill_between(self) -> None:
        """Fill the empty slices between slices that carry the mask."""
        change = between_slices(self._workbench.session.mask)
        nothing = "No slice between the mask's first and last one is empty; nothing was added."
        self._do("filled between slices", change, nothing)

    def _do(self, tool: str, change: Change, nothing: str) -> None:
        correction = self._workbench.under_way
        added, removed = change.voxels()
        current = correction.session.mask.read(change.box)
        if (added & ~current | removed & current).any():
            correction.edit_by_hand(tool, change)
        else:
            self._host.say(nothing)
