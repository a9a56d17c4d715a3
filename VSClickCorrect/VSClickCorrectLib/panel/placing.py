"""Slicer's place mode: whether a click in a view places a point, and in which list."""

from __future__ import annotations

import slicer

from VSClickCorrectLib.mrml.click_nodes import KIND_ATTRIBUTE, placed_list
from VSClickCorrectLib.mrml.observers import Observers
from VSClickCorrectLib.workflow.observable import Signal


class Placing:
    """Begins and ends the placing of points, and tells when a right click in a view ended it.

    Parameters
    ----------
    scene : vtkMRMLScene
        Slicer's scene.

    Attributes
    ----------
    changed : Signal
        Placing began or ended, by whomever.
    """

    def __init__(self, scene: slicer.vtkMRMLScene) -> None:
        self.scene = scene
        self.changed = Signal()
        self._interaction = scene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
        self._selection = scene.GetNodeByID("vtkMRMLSelectionNodeSingleton")
        self._observers = Observers(self)
        event = slicer.vtkMRMLInteractionNode.InteractionModeChangedEvent
        self._observers.add(self._interaction, event, Placing._mode_changed)

    @property
    def node_id(self) -> str | None:
        """The ID of the list in which points are being placed, empty if it is gone, None if none are."""
        return placed_list(self.scene)

    def begin(self, node: slicer.vtkMRMLMarkupsNode, keep: bool) -> None:
        """Place points in a list; one alone, unless ``keep`` is set."""
        self._selection.SetReferenceActivePlaceNodeClassName(node.GetClassName())
        self._selection.SetReferenceActivePlaceNodeID(node.GetID())
        self._interaction.SetPlaceModePersistence(int(keep))
        self._interaction.SetCurrentInteractionMode(slicer.vtkMRMLInteractionNode.Place)

    def end(self) -> None:
        """Give the pointer back to the views."""
        self._interaction.SetCurrentInteractionMode(slicer.vtkMRMLInteractionNode.ViewTransform)

    def end_own(self) -> None:
        """End the placing of clicks, or of points in a list that is gone; what else is placed goes on."""
        placed = self.node_id
        node = self.scene.GetNodeByID(placed) if placed else None
        # A line may be placed before there is a list of its points.
        gone = node is None and self._selection.GetActivePlaceNodeClassName() == "vtkMRMLMarkupsFiducialNode"
        if placed is not None and (gone or (node is not None and node.GetAttribute(KIND_ATTRIBUTE))):
            self.end()

    def close(self) -> None:
        """Stop watching."""
        self._observers.close()

    def _mode_changed(self, *_arguments) -> None:
        self.changed.emit()
