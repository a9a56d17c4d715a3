"""The mouse over a slice view as points in the patient."""

from __future__ import annotations

from collections.abc import Callable

from trame_slicer.views import SliceView
from VSClickCorrectLib.geometry.triples import Point3
from VSClickCorrectLib.mrml.observers import weakly
from vtkmodules.vtkRenderingCore import vtkRenderWindowInteractor

# Before Slicer's own interaction.
_PRIORITY = 10.0


class Pointing:
    """Calls back when the pointer moves over a slice view.

    Parameters
    ----------
    view : SliceView
        The view; it works with an offscreen interactor just as in a browser.
    on_hover : callable
        Takes the point under the pointer, world RAS mm, at every move.
    """

    def __init__(self, view: SliceView, on_hover: Callable[[Point3], None]) -> None:
        self._view, self._on_hover = view, on_hover
        # The interactor holds what observes it; a strong reference back would keep both alive together.
        heard = weakly(self._on_move)
        view.interactor().AddObserver("MouseMoveEvent", lambda *_: heard(), _PRIORITY)

    def _on_move(self) -> None:
        self._on_hover(point_at(self._view, self._view.interactor().GetEventPosition()))


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


def only_shift(interactor: vtkRenderWindowInteractor) -> bool:
    """Whether Shift is held and neither Ctrl nor Alt."""
    return bool(interactor.GetShiftKey() and not interactor.GetControlKey() and not interactor.GetAltKey())
