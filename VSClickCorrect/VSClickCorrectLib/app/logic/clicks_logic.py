"""Clicks: their kinds, rounds and list, undo and redo."""

from __future__ import annotations

from dataclasses import dataclass, field

from trame_server import Server
from trame_server.utils.typed_state import TypedState
from trame_slicer.core import SlicerApp

from VSClickCorrectLib.app.pointing import Point
from VSClickCorrectLib.app.status import Status
from VSClickCorrectLib.app.workspace import Workspace
from VSClickCorrectLib.imaging.click import Click, ClickKind
from VSClickCorrectLib.mrml.correction import ClickRow

LOOK = "look"


@dataclass
class ClicksState:
    """What the page knows of them; ``tool`` is a kind of click, or ``look`` for looking without clicks."""

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
    workspace : Workspace
        The case and its correction.
    status : Status
        Told what was done, or why not.
    """

    def __init__(self, server: Server, slicer_app: SlicerApp, workspace: Workspace, status: Status) -> None:
        self._interaction = slicer_app.markups_logic.interaction_node
        self._workspace = workspace
        self._status = status
        self.typed_state = TypedState(server.state, ClicksState)
        name = self.typed_state.name
        self.typed_state.bind_changes({name.collecting: self._collect, name.tool: self._use})
        self._use(self.typed_state.data.tool)
        workspace.changed.connect(self._update)

    @property
    def looking(self) -> bool:
        """Whether the chosen tool places no clicks."""
        return self.typed_state.data.tool == LOOK

    def place(self, point: Point) -> None:
        """Place a click of the chosen kind at a point, world RAS mm; when only looking, do nothing."""
        if not self.looking:
            with self._status.reporting():
                kind = ClickKind(self.typed_state.data.tool)
                self._workspace.clicks.place(Click(tuple(point), kind))

    def choose(self, tool: str) -> None:
        """Choose a kind of click, or `LOOK`."""
        self.typed_state.data.tool = tool

    def remove(self, row_number: int) -> None:
        """Take back the click of a row of the list."""
        with self._status.reporting():
            if self._workspace.clicks.remove(int(row_number)) is None:
                self._status.say("The waiting click was removed.")

    def position(self, row_number: int) -> Point:
        """Return where the click of a row lies, world RAS mm."""
        return self._workspace.clicks.position(int(row_number))

    def apply(self) -> None:
        """Apply the collected clicks together."""
        with self._status.reporting():
            self._workspace.clicks.apply_collected()

    def undo(self) -> None:
        """Take the last edit back."""
        with self._status.reporting():
            self._status.say(f"Undone: {self._workspace.clicks.undo().description}.")

    def redo(self) -> None:
        """Do the last undone edit again."""
        with self._status.reporting():
            self._status.say(f"Done again: {self._workspace.clicks.redo().description}.")

    def next_round(self) -> None:
        """Begin the next round."""
        with self._status.reporting():
            self._status.say(f"Round {self._workspace.clicks.next_round()} begins.")

    def _use(self, tool: str) -> None:
        node = self._interaction
        node.SetCurrentInteractionMode(node.AdjustWindowLevel if tool == LOOK else node.ViewTransform)

    def _collect(self, collecting: bool) -> None:
        if self._workspace.correction is not None:
            self._workspace.correction.collecting = collecting

    def _update(self) -> None:
        correction, data = self._workspace.correction, self.typed_state.data
        data.ready = correction is not None
        if correction is None:
            data.rows, data.undo, data.redo, data.pending, data.round = [], "", "", 0, 1
            return
        correction.collecting = data.collecting
        data.rows = [_row(row) for row in correction.rows]
        data.pending = len(correction.pending)
        data.round = correction.session.round
        data.undo = correction.next_undo.description if correction.next_undo else ""
        data.redo = correction.next_redo.description if correction.next_redo else ""


def _row(row: ClickRow) -> dict:
    return {
        "number": row.number,
        "kind": row.kind.value,
        "slice": row.slice_number,
        "round": row.round,
        "voxels": row.voxels,
    }
