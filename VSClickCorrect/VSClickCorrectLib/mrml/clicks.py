"""Points placed in Slicer's views as clicks."""

from __future__ import annotations

import weakref
from collections.abc import Callable

import slicer
import vtk

from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.imaging.click import Click, ClickKind

KIND_ATTRIBUTE = "VSClickCorrect.Kind"


def add_clicks_node(scene: slicer.vtkMRMLScene, name: str) -> slicer.vtkMRMLMarkupsFiducialNode:
    """Add an empty list of points to the scene, with its display node."""
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", name)
    node.CreateDefaultDisplayNodes()
    return node


def clicks_of(markups_node: slicer.vtkMRMLMarkupsFiducialNode) -> list[Click]:
    """Return the placed points, in their order; points that only hover under the pointer are left out.

    Raises
    ------
    CorrectionError
        If a point's description or the node's attribute names no kind of click.
    """
    return [
        _click_of(markups_node, index)
        for index in range(markups_node.GetNumberOfControlPoints())
        if markups_node.GetNthControlPointPositionStatus(index) == slicer.vtkMRMLMarkupsNode.PositionDefined
    ]


class ClickObserver:
    """Calls back once for every point that is placed, until it is closed or dropped.

    A point's kind is what its description says, else what the node's attribute ``VSClickCorrect.Kind`` says,
    else boundary. The kind is written into the point's description, so that it stays what it was when placed.

    Parameters
    ----------
    markups_node : vtkMRMLMarkupsFiducialNode
        The list of points to watch.
    callback : callable
        Takes the `Click`, its position in world RAS mm, and the point's index in the list.
    on_error : callable, optional
        Takes the `CorrectionError` of a point whose kind cannot be read. VTK prints what an observer
        raises and goes on, so without it the user is told nothing.
    """

    def __init__(
        self,
        markups_node: slicer.vtkMRMLMarkupsFiducialNode,
        callback: Callable[[Click, int], None],
        on_error: Callable[[CorrectionError], None] | None = None,
    ) -> None:
        self._node = markups_node
        self._callback = callback
        self._on_error = on_error
        tag = markups_node.AddObserver(slicer.vtkMRMLMarkupsNode.PointPositionDefinedEvent, _listener(self))
        self._remove = weakref.finalize(self, markups_node.RemoveObserver, tag)
        # At exit VTK may already be gone.
        self._remove.atexit = False

    def close(self) -> None:
        """Stop watching; closing twice does no harm."""
        self._remove()

    def __enter__(self) -> ClickObserver:
        return self

    def __exit__(self, *_exception) -> None:
        self.close()

    def _point_placed(self, index: int) -> None:
        try:
            click = _click_of(self._node, index)
        except CorrectionError as error:
            if self._on_error is None:
                raise
            self._on_error(error)
            return
        self._node.SetNthControlPointDescription(index, click.kind.value)
        self._callback(click, index)


def _listener(observer: ClickObserver) -> Callable:
    # The node holds this function; a strong reference back would keep observer and node alive together.
    reference = weakref.ref(observer)

    @vtk.calldata_type(vtk.VTK_INT)
    def point_defined(_node, _event, index=None) -> None:
        watching = reference()
        # Undo, redo and loading send the event without an index: nobody placed a point.
        if watching is not None and index is not None:
            watching._point_placed(index)

    return point_defined


def _click_of(node: slicer.vtkMRMLMarkupsFiducialNode, index: int) -> Click:
    description = node.GetNthControlPointDescription(index).strip()
    kind = ClickKind.parse(description or node.GetAttribute(KIND_ATTRIBUTE) or "")
    return Click(tuple(node.GetNthControlPointPositionWorld(index)), kind)
