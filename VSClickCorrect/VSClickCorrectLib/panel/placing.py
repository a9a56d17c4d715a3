"""Slicer's place mode: whether a click in a view places a point, and in which list."""

from __future__ import annotations

import slicer

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
        """The ID of the list in which points are being placed, None if none are."""
        mode = self._interaction.GetCurrentInteractionMode()
        if mode != slicer.vtkMRMLInteractionNode.Place:
            return None
        return self._selection.GetActivePlaceNodeID()

    def begin(self, node: slicer.vtkMRMLMarkupsNode, keep: bool) -> None:
        """Place points in a list; one alone, unless ``keep`` is set."""
        self._selection.SetReferenceActivePlaceNodeClassName(node.GetClassName())
        self._selection.SetReferenceActivePlaceNodeID(node.GetID())
        self._interaction.SetPlaceModePersistence(int(keep))
        self._interaction.SetCurrentInteractionMode(slicer.vtkMRMLInteractionNode.Place)

    def end(self) -> None:
        """Give the pointer back to the views."""
        self._interaction.SetCurrentInteractionMode(slicer.vtkMRMLInteractionNode.ViewTransform)

    def close(self) -> None:
        """Stop watching."""
        self._observers.close()

    def _mode_changed(self, *_arguments) -> None:
        self.changed.emit()
