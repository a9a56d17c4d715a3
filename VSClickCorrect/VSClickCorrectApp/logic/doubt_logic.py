"""Where to click next on the page: the way to the next doubtful place, and marks of all of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from trame_server import Server
from trame_server.utils.typed_state import TypedState
from VSClickCorrectLib.workflow.next_place import NextPlace

from VSClickCorrectApp.logic.views_logic import ViewsLogic
from VSClickCorrectApp.page_host import PageHost


@dataclass
class DoubtState:
    """What the page knows of it.

    Slices with a doubtful place, from 1; what the mask is expected to lack, for a person; whether the line
    along the border is drawn.
    """

    slices: list = field(default_factory=list)
    left: str = ""
    line: bool = False


class DoubtLogic:
    """Shows what `NextPlace` knows, and leads there.

    Parameters
    ----------
    server : Server
        Its state holds `DoubtState`.
    host : PageHost
        Binds what the page calls.
    next_place : NextPlace
        What is shown; it follows every change from now on.
    views : ViewsLogic
        What is led.
    """

    def __init__(self, server: Server, host: PageHost, next_place: NextPlace, views: ViewsLogic) -> None:
        self._next_place = next_place
        self.next = host.bound(next_place.next)
        self.typed_state = TypedState(server.state, DoubtState)
        self.typed_state.bind_changes({self.typed_state.name.line: next_place.show})
        next_place.changed.connect(self._update)
        next_place.led.connect(views.lead_to)
        next_place.following = True

    def toggle(self) -> None:
        """Draw the line, or draw it no longer."""
        self.typed_state.data.line = not self.typed_state.data.line

    def _update(self) -> None:
        data, place = self.typed_state.data, self._next_place
        data.slices = sorted({one.slice_number for one in place.places})
        left = place.left_to_gain
        data.left = "" if left is None else f"DSC left to gain: about {left:.2f}"
