"""Observers of MRML objects that end with their owner."""

from __future__ import annotations

import weakref
from collections.abc import Callable

import slicer
import vtk


class Observers:
    """Calls methods of an owner at events of MRML objects, until it is closed or the owner is dropped.

    Neither the observed objects keep the owner alive, nor the owner's observers outlast it.

    Parameters
    ----------
    owner : object
        Whose methods are called.
    """

    def __init__(self, owner: object) -> None:
        self._owner = weakref.ref(owner)
        self._removals: list[weakref.finalize] = []

    def add(self, observed: vtk.vtkObject, event: int, method: Callable[..., None], *arguments) -> None:
        """Call ``method(owner, *arguments, index)`` at an event; the index is None where VTK sends none.

        Parameters
        ----------
        observed : vtkObject
            What sends the event.
        event : int
            Which one.
        method : callable
            An unbound method of the owner's class.
        arguments
            What it takes before the index.
        """
        self._observe(observed, event, _listener(self._owner, method, arguments, vtk.VTK_INT))

    def add_for_images(self, node: slicer.vtkMRMLVolumeNode, method: Callable[..., None]) -> None:
        """Call ``method(owner, index)`` where a volume may have been moved, or hold other voxels."""
        volume, modified = slicer.vtkMRMLVolumeNode, vtk.vtkCommand.ModifiedEvent
        # Of what is done to its image in place the last one alone tells.
        for event in (modified, volume.TransformModifiedEvent, volume.ImageDataModifiedEvent):
            self.add(node, event, method)

    def add_for_nodes(self, scene: vtk.vtkObject, event: int, method: Callable[..., None]) -> None:
        """Call ``method(owner, node)`` at an event of a scene about one of its nodes."""
        self._observe(scene, event, _listener(self._owner, method, (), vtk.VTK_OBJECT))

    def _observe(self, observed: vtk.vtkObject, event: int, listener: Callable) -> None:
        tag = observed.AddObserver(event, listener)
        removal = weakref.finalize(self, observed.RemoveObserver, tag)
        # At exit VTK may already be gone.
        removal.atexit = False
        self._removals.append(removal)

    def close(self) -> None:
        """Stop watching; closing twice does no harm."""
        for removal in self._removals:
            removal()
        self._removals.clear()


def weakly(method: Callable) -> Callable:
    """Return a function that calls a method as long as its object lives, and does not keep it alive."""
    reference = weakref.WeakMethod(method)

    def call(*arguments) -> None:
        found = reference()
        if found is not None:
            found(*arguments)

    return call


def _listener(owner: weakref.ref, method: Callable[..., None], arguments: tuple, data_type: int) -> Callable:
    # The observed object holds this function; a strong reference back would keep both alive together.
    @vtk.calldata_type(data_type)
    def heard(_caller, _event, data=None) -> None:
        watching = owner()
        if watching is not None:
            method(watching, *arguments, data)

    return heard
