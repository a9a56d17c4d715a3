"""What the left button and held keys mean while neither clicks nor Slicer's own drags are wanted."""

from __future__ import annotations

from trame_server import Server
from trame_slicer.views import SliceView

from VSClickCorrectApp.dragging import Drag, Dragging
from VSClickCorrectApp.framing import pan
from VSClickCorrectApp.layouts import SLICE_VIEWS
from VSClickCorrectApp.logic.display_logic import DisplayLogic
from VSClickCorrectApp.logic.overlay_logic import OverlayLogic
from VSClickCorrectApp.logic.sequences_logic import SequencesLogic
from VSClickCorrectApp.logic.views_logic import ViewsLogic

# A key that is pressed for longer is held, and what it did ends when it is let go.
_HELD_MS = 350.0
# Where the page finds by what names its state is called in which no tool has the left button.
_RESTING = "vs_resting"


class PointerLogic:
    """Sets windows with Ctrl, measures, and pans while Space is held.

    Parameters
    ----------
    server : Server
        Tells of held keys.
    views, display, overlay, sequences
        What is panned, whose window is set, where distances go, and what is flicked through.
    """

    def __init__(
        self,
        server: Server,
        views: ViewsLogic,
        display: DisplayLogic,
        overlay: OverlayLogic,
        sequences: SequencesLogic,
    ) -> None:
        self._views, self._display, self._overlay, self._sequences = views, display, overlay, sequences
        self._draggings = [Dragging(views.view(name), self._meaning) for name in SLICE_VIEWS]
        self._state = server.state
        server.state[_RESTING] = [display.typed_state.name.bare, overlay.typed_state.name.measuring]
        self._flicked = ""
        views.hovered.connect(overlay.move)
        server.trigger("vs_hold")(self.hold)
        # A page that goes tells of no key or button that is let go, and one that comes holds none.
        server.controller.on_client_exited.add(self._let_go)
        server.controller.on_client_connected.add(self._let_go)

    def hold(self, action: str, down: bool, view: str = "", held_ms: float = 0.0) -> None:
        """Hear of a key pressed with the pointer over a view or none, or let go after some milliseconds."""
        if action == "bare":
            self._display.typed_state.data.bare = bool(down)
        elif action == "flick" and down:
            self._flicked = view
            self._sequences.switch(view)
        elif action == "flick" and held_ms >= _HELD_MS:
            self._sequences.switch(self._flicked)

    def _let_go(self) -> None:
        with self._state:
            for buttons in self._views.buttons.values():
                buttons.let_go()
            self.hold("bare", False)

    @property
    def rests(self) -> bool:
        """Whether a press in a view is to place no click."""
        return self._display.bare or self._overlay.measuring

    def _meaning(self, view: SliceView, control: bool) -> Drag | None:
        if self._display.bare:
            return Drag(lambda _, right, up: pan(view, right, up))
        if control:
            sequence = self._sequences.typed_state.data.of[view.get_singleton_tag()].lower()
            return Drag(lambda _, right, up: self._display.drag_window(sequence, right, up))
        if self._overlay.measuring:
            overlay = self._overlay
            return Drag(lambda ras, *_: overlay.move(ras), overlay.press, overlay.release)
        return None
