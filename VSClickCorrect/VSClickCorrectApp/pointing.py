"""Mouse presses in a slice view as points in the patient."""

from __future__ import annotations

from collections.abc import Callable

from trame_slicer.views import SliceView
from VSClickCorrectLib.geometry.triples import Point3
from VSClickCorrectLib.mrml.observers import weakly

# A press that moves farther than this before the release is a drag, in pixels.
STILL = 4
# Before Slicer's own interaction, so that a click is never taken for the start of a drag.
_PRIORITY = 10.0


class Pointing:
    """Calls back when the left button is pressed and released in one place of a slice view.

    Placing points through Slicer's markups would redraw both views at every move of the mouse and would
    take the drags that set window and level; a press and a release tell all that a click needs.

    Parameters
    ----------
    view : SliceView
        The view; it works with an offscreen interactor just as in a browser.
    callback : callable
        Takes the point in world RAS, mm, where it was at the press: a view may be paged before the release.
    on_hover : callable, optional
        Takes the point under the pointer, likewise, at every move.
    """

    def __init__(
        self,
        view: SliceView,
        callback: Callable[[Point3], None],
        on_hover: Callable[[Point3], None] = lambda point: None,
    ) -> None:
        self._view = view
        self._callback = callback
        self._on_hover = on_hover
        self._pressed: tuple[tuple[int, int], Point3] | None = None
        interactor = view.interactor()
        # The interactor holds what observes it; a strong reference back would keep both alive together.
        heard = weakly(self._on_event)
        for event in ("LeftButtonPressEvent", "LeftButtonReleaseEvent", "MouseMoveEvent"):
            interactor.AddObserver(event, lambda _, name: heard(name), _PRIORITY)

    def _on_event(self, name: str) -> None:
        position = self._view.interactor().GetEventPosition()
        if name == "MouseMoveEvent":
            self._on_hover(point_at(self._view, position))
            return
        pressed, self._pressed = self._pressed, None
        if name == "LeftButtonPressEvent":
            self._pressed = position, point_at(self._view, position)
        elif pressed is not None and distance(pressed[0], position) <= STILL:
            self._callback(pressed[1])


def point_at(view: SliceView, position: tuple[float, float]) -> Point3:
    """Return where a pixel of a slice view lies, world RAS mm.

    Parameters
    ----------
    view : SliceView
        The view.
    position : tuple of float
        Pixels from the lower left corner.
    """
    ras = view.get_view_node().GetXYToRAS().MultiplyPoint((*position, 0.0, 1.0))
    return ras[0], ras[1], ras[2]


def distance(first: tuple[int, int], second: tuple[int, int]) -> int:
    """Return how far two pixels lie apart, along the axis along which it is more."""
    return max(abs(a - b) for a, b in zip(first, second, strict=True))
