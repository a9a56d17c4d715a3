"""What lies under the pointer: where that is, and the intensities of both sequences there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from trame_server import Server
from trame_server.utils.typed_state import TypedState
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import Point3
from VSClickCorrectLib.workflow.correction import Workbench

from VSClickCorrectApp.framing import along
from VSClickCorrectApp.logic.pointer_logic import PointerLogic
from VSClickCorrectApp.logic.views_logic import ViewsLogic
from VSClickCorrectApp.shown_case import ShownCase


@dataclass
class ReadoutState:
    """What the page knows of it."""

    text: str = ""


class ReadoutLogic:
    """Follows the pointer over the slice views.

    Parameters
    ----------
    server : Server
        Its state holds `ReadoutState`.
    workbench : Workbench
        The volumes.
    views : ViewsLogic
        Know whether the patient's sides are known.
    pointer : PointerLogic
        Tells where the pointer is.
    """

    def __init__(
        self, server: Server, workbench: Workbench, views: ViewsLogic, pointer: PointerLogic
    ) -> None:
        self._workbench, self._views = workbench, views
        self.typed_state = TypedState(server.state, ReadoutState)
        pointer.hovered.connect(self.show)
        workbench.closing.connect(self._clear)

    def show(self, ras: Point3) -> None:
        """Tell of a point, world RAS mm."""
        if self._workbench.nodes is None:
            return
        nodes = cast(ShownCase, self._workbench.nodes)
        known = self._views.typed_state.data.sides_known
        place = " ".join(along(axis, value, known) for axis, value in enumerate(ras))
        parts = [f"{place} mm"]
        try:
            index = nodes.grid(nodes.reference).ras_to_index(ras)
            parts.append("voxel " + ", ".join(map(str, index[::-1])))
        except ImageError:
            parts.append("outside the image")
        for name, node in (("T1ce", nodes.t1ce), ("T2", nodes.t2)):
            if node is not None and (value := _intensity(node, nodes.grid(node), ras)) is not None:
                parts.append(f"{name} {value:g}")
        self.typed_state.data.text = " · ".join(parts)

    def _clear(self) -> None:
        self.typed_state.data.text = ""


def _intensity(node, grid: Grid, ras: Point3) -> float | None:
    """Return a volume's value at a point; None where it has none."""
    try:
        k, j, i = grid.ras_to_index(ras)
    except ImageError:
        return None
    return round(node.GetImageData().GetScalarComponentAsDouble(i, j, k, 0), 3)
