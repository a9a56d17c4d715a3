"""What Slicer and VTK do in a view by themselves, with what a browser tells of mouse, fingers and keys."""

from __future__ import annotations

from slicer import vtkMRMLCrosshairDisplayableManager, vtkMRMLSliceIntersectionWidget
from trame_slicer.views import AbstractView, SliceView
from vtkmodules.vtkRenderingCore import vtkRenderWindowInteractor

# Before all who listen.
_PRIORITY = 100.0
# The page has keys of its own, whose table is `workflow.keys`; VTK's Q would end this process. Of the end of
# a twist of two fingers VTK's adapter tells nothing, and a view that waits for it does nothing else any more.
_UNHEARD = (
    *("KeyPressEvent", "KeyReleaseEvent", "CharEvent"),
    *("StartRotateEvent", "RotateEvent", "EndRotateEvent"),
)
_PINCHES = ("StartPinchEvent", "PinchEvent")
# Slicer would lead slices as they were acquired to between two of them, where a view shows a mixture of both.
_SLICE_ACTIONS = vtkMRMLSliceIntersectionWidget.ActionTranslate | vtkMRMLSliceIntersectionWidget.ActionZoom


def limit_interaction(view: AbstractView) -> None:
    """Leave a slice view panning and zooming, a 3D view its camera, and both none of their own keys.

    Parameters
    ----------
    view : AbstractView
        The view.
    """
    interactor = view.interactor()
    tags: dict[str, int] = {}
    for event in _UNHEARD:
        tags[event] = interactor.AddObserver(event, lambda by, name: _drop(by, name, tags), _PRIORITY)
    scales = [1.0]
    for event in _PINCHES:
        interactor.AddObserver(event, lambda by, name: _mend_pinch(by, name, scales), _PRIORITY)
    if isinstance(view, SliceView):
        manager = view.get_displayable_manager_by_class(vtkMRMLCrosshairDisplayableManager)
        manager.SetActionsEnabled(_SLICE_ACTIONS)


def _drop(interactor: vtkRenderWindowInteractor, name: str, tags: dict[str, int]) -> None:
    # Of this key a camera has to know, or after a drag Shift with the pointer would do nothing.
    if name != "KeyPressEvent" or interactor.GetKeySym() != "Shift":
        interactor.GetCommand(tags[name]).SetAbortFlag(1)


def _mend_pinch(interactor: vtkRenderWindowInteractor, name: str, scales: list[float]) -> None:
    """Tell by how much two fingers moved since their last move, which trame tells since their first one.

    It tells of no place between the fingers either, so the middle of the view stays where it is.
    """
    scale = interactor.GetScale()
    interactor.SetScale(scales.pop() if name == "PinchEvent" else scale)
    interactor.SetScale(scale)
    scales[:] = [scale]
    width, height = interactor.GetRenderWindow().GetSize()
    interactor.SetEventPosition(width // 2, height // 2)
