"""The strip of slices: where the segment and the clicks are."""

from __future__ import annotations

from dataclasses import dataclass, field

from trame_server import Server
from trame_server.utils.typed_state import TypedState
from VSClickCorrectLib.workflow.correction import Workbench

from VSClickCorrectApp.logic.views_logic import ViewsLogic


@dataclass
class StripState:
    """A bar's height in percent, and the kinds of the clicks, by slice."""

    heights: list = field(default_factory=list)
    kinds: list = field(default_factory=list)


class StripLogic:
    """Keeps the strip up to date.

    Parameters
    ----------
    server : Server
        Its state holds `StripState`.
    workbench : Workbench
        Mask and clicks.
    views : ViewsLogic
        Which slices there are.
    """

    def __init__(self, server: Server, workbench: Workbench, views: ViewsLogic) -> None:
        self._workbench = workbench
        self._views = views
        self.typed_state = TypedState(server.state, StripState)
        workbench.settled.connect(self._update)
        workbench.closed.connect(self._clear)

    def _clear(self) -> None:
        self.typed_state.data.heights, self.typed_state.data.kinds = [], []

    def _update(self) -> None:
        nodes, slices = self._workbench.nodes, self._views.slices
        if nodes is None or slices is None:
            return
        box = nodes.mask.extent()
        areas = slices.areas(box, nodes.mask.read(box) if box is not None else None)
        largest = max(areas) or 1
        # A single voxel must still be seen.
        self.typed_state.data.heights = [area and max(12, round(100 * area / largest)) for area in areas]
        kinds: list[list[str]] = [[] for _ in areas]
        rows = self._workbench.correction.rows if self._workbench.correction else []
        for row in rows:
            kinds[row.slice_number - 1].append(row.kind.value)
        self.typed_state.data.kinds = kinds
