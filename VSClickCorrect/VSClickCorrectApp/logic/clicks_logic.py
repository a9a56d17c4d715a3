"""Clicks on the page: their kinds, rounds and list, undo and redo."""

from __future__ import annotations

from dataclasses import dataclass, field

from trame_server import Server
from trame_server.utils.typed_state import TypedState
from trame_slicer.core import SlicerApp
from VSClickCorrectLib.clicks.click import ClickKind
from VSClickCorrectLib.geometry.triples import Point3
from VSClickCorrectLib.mrml.click_rows import ClickRow
from VSClickCorrectLib.workflow.workflow import Workflow

from VSClickCorrectApp.page_host import PageHost

LOOK = "look"
BRUSH, ERASER = "brush", "eraser"
# Where the page finds by what name it is told how many times something was opened.
_OPENING = "vs_opening"
_KINDS = tuple(kind.value for kind in ClickKind)


@dataclass
class ClicksState:
    """What the page knows of them; ``tool`` is a kind of click, brush or eraser, or ``look`` for looking."""

    tool: str = ClickKind.BOUNDARY.value
    ready: bool = False
    collecting: bool = False
    pending: int = 0
    round: int = 1
    rows: list = field(default_factory=list)
    undo: str = ""
    redo: str = ""


class ClicksLogic:
    """Turns points and keys into clicks.

    Parameters
    ----------
    server : Server
        Its state holds `ClicksState`.
    slicer_app : SlicerApp
        What a drag with the left button means is kept in its scene.
    host : PageHost
        Binds what the page calls.
    flow : Workflow
        What is done.
    """

    def __init__(self, server: Server, slicer_app: SlicerApp, host: PageHost, flow: Workflow) -> None:
        self._interaction = slicer_app.markups_logic.interaction_node
        self._clicks, self._workbench = flow.clicks, flow.workbench
        bound, clicks = host.bound_to_shown, self._clicks
        self.apply, self.next_round = bound(clicks.apply), bound(clicks.next_round)
        self.undo, self.redo = bound(clicks.undo), bound(clicks.redo)
        self.remove, self._place = bound(self._remove), bound(clicks.place)
        self.typed_state = TypedState(server.state, ClicksState)
        name = self.typed_state.name
        self.typed_state.bind_changes({name.collecting: self._collect, name.tool: self._use})
        self._use(self.typed_state.data.tool)
        server.state[_OPENING] = host.opening.name.number
        server.trigger("vs_seen")(host.note_seen)
        flow.workbench.opened.connect(host.note_opened)
        flow.workbench.opened.connect(self._arm)
        flow.workbench.changed.connect(self._update)

    @property
    def looking(self) -> bool:
        """Whether the chosen tool places no clicks."""
        return self.typed_state.data.tool == LOOK

    @property
    def places(self) -> bool:
        """Whether the chosen tool places clicks."""
        return self.typed_state.data.tool in _KINDS

    def place(self, point: Point3) -> None:
        """Place a click of the chosen kind at a point, world RAS mm; with other tools do nothing."""
        if self.places:
            self._workbench.mode.kind = ClickKind(self.typed_state.data.tool)
            self._place(point)

    def position(self, number: int) -> Point3:
        """Return where the click of a row lies, world RAS mm."""
        return self._clicks.position(int(number))

    def choose(self, tool: str) -> None:
        """Choose a kind of click, `BRUSH`, `ERASER` or `LOOK`."""
        self.typed_state.data.tool = tool

    def _remove(self, number: int, mark: str | None = None) -> None:
        """Take back the click of a row, or of a mark, whatever its number is by now."""
        if mark is None:
            self._clicks.remove(int(number))
            return
        # The page may show a click that has gone.
        for row in self._clicks.rows:
            if _mark(row) == mark:
                self._clicks.remove(row.number)
                return

    def _use(self, tool: str) -> None:
        node = self._interaction
        node.SetCurrentInteractionMode(node.AdjustWindowLevel if tool == LOOK else node.ViewTransform)
        if tool in _KINDS:
            self._workbench.mode.kind = ClickKind(tool)

    def _arm(self) -> None:
        """Take the kind of click with which a mask is begun, even after looking only."""
        self.typed_state.data.tool = self._workbench.mode.kind.value

    def _collect(self, collecting: bool) -> None:
        self._workbench.mode.collecting = bool(collecting)

    def _update(self) -> None:
        clicks, data = self._clicks, self.typed_state.data
        data.ready = self._workbench.correction is not None
        data.collecting = self._workbench.mode.collecting
        data.rows = [_row(row) for row in clicks.rows]
        data.pending, data.round = clicks.waiting, clicks.round
        data.undo, data.redo = clicks.next_undo, clicks.next_redo


def _row(row: ClickRow) -> dict:
    return {
        "number": row.number,
        "kind": row.kind.value,
        "slice": row.slice_number,
        "round": row.round,
        "voxels": row.voxels,
        "mark": _mark(row),
    }


def _mark(row: ClickRow) -> str:
    """Return what tells a click from others though rows before it go."""
    return f"{row.key} {row.kind.value} {row.round} {row.position_ras}"
