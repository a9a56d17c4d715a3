"""Where the pointer is, and what it and held keys mean beside clicks and Slicer's own drags."""

from __future__ import annotations

from contextlib import suppress

from trame_server import Server
from trame_slicer.views import SliceView
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.triples import Point3
from VSClickCorrectLib.workflow.observable import Signal

from VSClickCorrectApp.connection import SENDER
from VSClickCorrectApp.dragging import Drag, Dragging
from VSClickCorrectApp.framing import pan
from VSClickCorrectApp.layouts import SLICE_VIEWS
from VSClickCorrectApp.logic.display_logic import DisplayLogic
from VSClickCorrectApp.logic.overlay_logic import OverlayLogic
from VSClickCorrectApp.logic.sequences_logic import SequencesLogic
from VSClickCorrectApp.logic.views_logic import ViewsLogic
from VSClickCorrectApp.overlay import Picture
from VSClickCorrectApp.page_host import PageHost

# A key that is pressed for longer is held, and what it did ends when it is let go.
_HELD_MS = 350.0
# Where the page finds by what names its state is called in which no tool has the left button.
_RESTING = "vs_resting"


class PointerLogic:
    """Sets windows with Ctrl, measures, and pans while Space is held.

    Parameters
    ----------
    server : Server
        Tells of the pointer and of held keys.
    host : PageHost
        Tells what goes wrong.
    views, display, overlay, sequences
        What is panned, whose window is set, where distances go, and what is flicked through.

    Attributes
    ----------
    hovered : Signal(tuple of float)
        The pointer is over a point, world RAS mm, of what its window of the page shows.
    """

    def __init__(
        self,
        server: Server,
        host: PageHost,
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
        self._dragged: tuple | None = None
        # Which window of the page measures by a drag, and which shows the bare image.
        self._drags = self._bares = ""
        self.hovered = Signal()
        self.hovered.connect(overlay.move)
        server.trigger("vs_hold")(self.hold)
        server.trigger("vs_hover")(self.hover)
        server.trigger("vs_drag")(host.bound(self.drag))
        # A page that goes tells of no key or button that is let go, and one that comes holds none. Where one
        # of several windows goes, the others go on.
        server.controller.on_client_exited.add(lambda: self.let_go(SENDER.get()))
        server.controller.on_client_connected.add(self.let_go)

    def hold(self, action: str, down: bool, view: str = "", held_ms: float = 0.0) -> None:
        """Hear of a key pressed with the pointer over a view or none, or let go after some milliseconds."""
        if action == "bare":
            self._bares = SENDER.get()
            self._display.typed_state.data.bare = bool(down)
        elif action == "flick" and down:
            self._flicked = view
            self._sequences.switch(view)
        elif action == "flick" and held_ms >= _HELD_MS:
            self._sequences.switch(self._flicked)

    def hover(self, number: int, x: float, y: float) -> None:
        """Hear that the pointer is over the picture of a number, at shares of its width and height."""
        # Of one that is not known any more nothing is told, until the pointer moves or the next one comes.
        with suppress(CorrectionError):
            self.hovered.emit(self._seen(number, x, y)[-1])

    def drag(self, begins: bool, number: int, x: float, y: float) -> None:
        """Hear that a drag with the left button begins or ends; the beginning raises as `SentPictures.of`."""
        place = (number, x, y)
        if not begins:
            self._dragged = place if place == self._dragged else None
            # It ends on a picture that is not known any more, too.
            self.hover(*place)
            self._overlay.release()
        elif self._measures:
            self._dragged, self._drags = place, SENDER.get()
            self._overlay.press(*self._seen(*place), dragged=True)

    def click(self, number: int, x: float, y: float) -> bool:
        """Measure with a click on a picture; return whether it places none; raises as `SentPictures.of`."""
        # Of a drag that came back to where it began a click is told, too.
        dragged, self._dragged = self._dragged, None
        if self._measures and (number, x, y) != dragged:
            self._overlay.press(*self._seen(number, x, y))
        return self._display.bare or self._overlay.measuring

    def _seen(self, number: int, x: float, y: float) -> tuple[SliceView, Picture, Point3]:
        view, picture = self._views.pictures.of(number)
        return view, picture, picture.at(float(x), float(y))

    @property
    def _measures(self) -> bool:
        return self._overlay.measuring and not self._display.bare

    def let_go(self, sender: str | None = None) -> None:
        """Let go of what a window of the page holds, or of everything."""
        with self._state:
            if sender in (None, self._drags):
                self._overlay.release()
            for buttons in self._views.buttons.values():
                buttons.let_go(sender)
            if sender in (None, self._bares):
                self.hold("bare", False)

    def _meaning(self, view: SliceView, control: bool) -> Drag | None:
        if self._display.bare:
            return lambda right, up: pan(view, right, up)
        if control:
            sequence = self._sequences.typed_state.data.of[view.get_singleton_tag()].lower()
            return lambda right, up: self._display.drag_window(sequence, right, up)
        # The page tells of what is measured, with the picture that was seen.
        return (lambda *_: None) if self._overlay.measuring else None
