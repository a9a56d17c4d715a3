"""What Slicer does in a view by itself with drags, and with Shift, where something else is meant."""

from __future__ import annotations

from collections.abc import Callable

from trame_slicer.views import AbstractView, SliceView, ThreeDView
from VSClickCorrectLib.mrml.observers import weakly
from vtkmodules.vtkRenderingCore import vtkRenderWindowInteractor

from VSClickCorrectApp.connection import SENDER
from VSClickCorrectApp.pointing import only_shift

# Before Slicer, so that it does not see what is dragged here.
_PRIORITY = 20.0
# Before all who might take an event for themselves.
_FIRST = 30.0
_EVENTS = ("LeftButtonPressEvent", "MouseMoveEvent", "LeftButtonReleaseEvent")
# What a drag does at each move, by so many pixels to the right and up.
Drag = Callable[[int, int], object]


class Dragging:
    """Gives a view's left button to what asks for it at the press.

    Parameters
    ----------
    view : SliceView
        The view.
    meaning : callable
        Takes the view and whether Ctrl is held, returns the `Drag` or None for the view's own.
    """

    def __init__(self, view: SliceView, meaning: Callable[[SliceView, bool], Drag | None]) -> None:
        self._view, self._meaning = view, meaning
        self._drag: Drag | None = None
        self._last = (0, 0)
        # The interactor holds what observes it; a strong reference back would keep both alive together.
        heard, interactor = weakly(self._on_event), view.interactor()
        tags = {
            event: interactor.AddObserver(event, lambda _, name: heard(name), _PRIORITY) for event in _EVENTS
        }
        self._commands = {event: interactor.GetCommand(tag) for event, tag in tags.items()}

    def _on_event(self, name: str) -> None:
        self._commands[name].SetAbortFlag(int(self._take(name)))

    def _take(self, name: str) -> bool:
        interactor = self._view.interactor()
        position = interactor.GetEventPosition()
        if name == "LeftButtonPressEvent":
            self._drag = self._meaning(self._view, bool(interactor.GetControlKey()))
            self._last = position
            return self._drag is not None
        drag = self._drag
        if name == "LeftButtonReleaseEvent":
            self._drag = None
        elif drag is not None:
            right, up = (now - before for now, before in zip(position, self._last, strict=True))
            drag(right, up)
            self._last = position
        return drag is not None


class Buttons:
    """Knows which buttons of the mouse are down in a view, and lets them go.

    Parameters
    ----------
    view : AbstractView
        The view.
    """

    def __init__(self, view: AbstractView) -> None:
        self._interactor = view.interactor()
        # By which window of the page each is held, as `SENDER` has it.
        self._down: dict[str, str] = {}
        heard = weakly(self._note)
        for button in ("LeftButton", "MiddleButton", "RightButton"):
            for what in ("Press", "Release"):
                self._interactor.AddObserver(f"{button}{what}Event", lambda _, name: heard(name), _FIRST)

    @property
    def up(self) -> bool:
        """Whether none is down."""
        return not self._down

    def let_go(self, sender: str | None = None) -> None:
        """Tell the view that buttons are up, all of them or those of a window of the page that has gone."""
        for button, holder in tuple(self._down.items()):
            if sender in (None, holder):
                self._interactor.InvokeEvent(f"{button}ReleaseEvent")

    def _note(self, name: str) -> None:
        button = name.removesuffix("Event")
        if button.endswith("Press"):
            self._down[button.removesuffix("Press")] = SENDER.get()
        else:
            self._down.pop(button.removesuffix("Release"), None)


def ignore_empty_space(view: ThreeDView, buttons: Buttons) -> None:
    """Let Shift with the pointer lead to what a 3D view shows, not to where it shows nothing.

    There Slicer would take a point as far away as the camera looks.
    """
    interactor, renderer = view.interactor(), view.renderer()

    def before(by: vtkRenderWindowInteractor, _event: str) -> None:
        leads = only_shift(by) and buttons.up
        # How deep the pixel lies, 1 if nothing was drawn there.
        command.SetAbortFlag(int(leads and not 0.0 < renderer.GetZ(*by.GetEventPosition()) < 1.0))

    command = interactor.GetCommand(interactor.AddObserver("MouseMoveEvent", before, _PRIORITY))
