"""The lists of points that show a segment's clicks: one node for each kind, found again after reloading."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import slicer

from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.mrml.owners import kept_for, own

CLICKS_ROLE = "VSClickCorrect.Clicks."
KIND_ATTRIBUTE = "VSClickCorrect.Kind"
_WAITING = "waiting "
# On a list: the label that a point of that ID had, should somebody name the point otherwise.
_LABEL_ATTRIBUTE = "VSClickCorrect.Label."
_DEFINED = slicer.vtkMRMLMarkupsNode.PositionDefined
# Share of the screen's diagonal in percent, whatever the zoom; of that a glyph fills some fifth.
_GLYPH_SCALE = 4.5


class Appearance(NamedTuple):
    """How the points of a kind look: colour as RGB from 0 to 1, and the name of their glyph."""

    color: tuple[float, float, float]
    glyph: str


# Colours of Okabe and Ito's palette, which people with any colour vision can tell apart; shapes differ too.
APPEARANCE = {
    ClickKind.BOUNDARY: Appearance((0xF0 / 255, 0xE4 / 255, 0x42 / 255), "Diamond2D"),
    ClickKind.INCLUDE: Appearance((0x56 / 255, 0xB4 / 255, 0xE9 / 255), "Circle2D"),
    ClickKind.EXCLUDE: Appearance((0xD5 / 255, 0x5E / 255, 0x00 / 255), "ThickCross2D"),
}


class Marker(NamedTuple):
    """A placed point: the kind of its node and its ID in it."""

    kind: ClickKind
    point_id: str


class ClickNodes:
    """The three lists of points of a segmentation.

    The segmentation refers to them by the roles ``VSClickCorrect.Clicks.boundary`` and so on, so that they
    are found again when a scene is loaded. One that is missing is made when it is asked for.

    Parameters
    ----------
    segmentation_node : vtkMRMLSegmentationNode
        The segmentation, in a scene.
    volume_nodes : iterable of vtkMRMLVolumeNode or None
        The volumes in whose views points are placed; if there are none, any view will do.

    Attributes
    ----------
    segmentation_node : vtkMRMLSegmentationNode
        As given.
    """

    def __init__(
        self,
        segmentation_node: slicer.vtkMRMLSegmentationNode,
        volume_nodes: Iterable[slicer.vtkMRMLVolumeNode | None] = (),
    ) -> None:
        self.segmentation_node = segmentation_node
        self._volume_ids = {node.GetID() for node in volume_nodes if node is not None}

    def find(self, kind: ClickKind) -> slicer.vtkMRMLMarkupsFiducialNode | None:
        """Return the list of a kind, or None if there is none."""
        return kept_for(self.segmentation_node, CLICKS_ROLE + kind.value)

    def node(self, kind: ClickKind) -> slicer.vtkMRMLMarkupsFiducialNode:
        """Return the list of a kind; it is made if there is none, and takes points if that was switched off.

        Raises
        ------
        CorrectionError
            If the segmentation is no longer in a scene.
        """
        found = self.find(kind)
        if found is not None:
            # With a fixed number, which the Markups module offers, none could be placed or removed.
            found.SetFixedNumberOfControlPoints(False)
            return found
        scene = self.segmentation_node.GetScene()
        if scene is None:
            raise CorrectionError(
                "the segmentation was removed from the scene; choose or create another one."
            )
        name = f"{self.segmentation_node.GetName()} {kind.value} clicks"
        node = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", name)
        node.SetAttribute(KIND_ATTRIBUTE, kind.value)
        node.CreateDefaultDisplayNodes()
        _give_appearance(node.GetDisplayNode(), APPEARANCE[kind])
        own(self.segmentation_node, node)
        self.segmentation_node.SetNodeReferenceID(CLICKS_ROLE + kind.value, node.GetID())
        return node

    def existing(self) -> Iterator[tuple[ClickKind, slicer.vtkMRMLMarkupsFiducialNode]]:
        """Yield the lists that are there, with their kinds."""
        for kind in ClickKind:
            if (node := self.find(kind)) is not None:
                yield kind, node

    def markers(self) -> dict[Marker, Click]:
        """Return the placed points; one that only hovers under the pointer is left out."""
        return dict(point_of(*at) for at in self._places())

    def came(self, kind: ClickKind) -> dict[Marker, Click]:
        """Return the placed points of a list that changed as a whole, and let its next ones have other IDs.

        Slicer counts IDs anew in a list that it puts back as it was.
        """
        node = self.node(kind)
        ids = map(node.GetNthControlPointID, range(node.GetNumberOfControlPoints()))
        node.SetLastUsedControlPointNumber(max((int(one) for one in ids if one.isdecimal()), default=0))
        return {marker: click for marker, click in self.markers().items() if marker.kind is kind}

    def unfixed(self) -> dict[Marker, Click]:
        """Return the placed points that `fix` has not seen: somebody added them while nothing listened."""
        return dict(point_of(*at) for at in self._places() if not at[0].GetNthControlPointDescription(at[2]))

    def labelled(self, label: str) -> dict[Marker, Click]:
        """Return the placed points of that label and a number, in the order of their numbers."""
        points = self.markers()
        labels = {marker: self._label(marker) for marker in points}
        numbers = {marker: number for marker, (begin, number) in labels.items() if begin == label}
        return {marker: points[marker] for marker in sorted(numbers, key=numbers.__getitem__)}

    def waits_for(self, marker: Marker) -> str:
        """Return the ID of the segment for which a point's click waits; empty if it does not, or in vain."""
        begin, number = self._label(marker)
        segment_id = begin.removeprefix(_WAITING)
        waits = number and begin != segment_id
        there = self.segmentation_node.GetSegmentation().GetSegment(segment_id) is not None
        return segment_id if waits and there else ""

    def _places(self) -> Iterator[tuple[slicer.vtkMRMLMarkupsFiducialNode, ClickKind, int]]:
        """Yield the list, the kind and the index of each placed point."""
        for kind, node in self.existing():
            for index in range(node.GetNumberOfControlPoints()):
                if node.GetNthControlPointPositionStatus(index) == _DEFINED:
                    yield node, kind, index

    def _label(self, marker: Marker) -> tuple[str, int]:
        """Return a point's label and the number at its end, 0 if there is none."""
        node, index = self._found(marker)
        text = node.GetNthControlPointLabel(index) if index >= 0 else ""
        # One without a description is new, whoever had its ID before.
        if index >= 0 and node.GetNthControlPointDescription(index) and not text.startswith(_WAITING):
            text = node.GetAttribute(_LABEL_ATTRIBUTE + marker.point_id) or ""
        begin, _, number = text.rpartition(" ")
        return (begin, int(number)) if number.isdecimal() else (text, 0)

    def _found(self, marker: Marker) -> tuple[Any, int]:
        """Return the list that a point would be in, if there is one, and its place there, -1 without one."""
        node = self.find(marker.kind)
        return node, -1 if node is None else node.GetNthControlPointIndexByID(marker.point_id)

    def check_view(self, marker: Marker) -> None:
        """Raise `CorrectionError` if a point was placed in a 3D view, or in a view of another volume."""
        node, index = self._found(marker)
        shown = node.GetNthControlPointAssociatedNodeID(index) if index >= 0 else ""
        if self._volume_ids and shown and shown not in self._volume_ids:
            other = self.segmentation_node.GetScene().GetNodeByID(shown)
            name = other.GetName() if other else shown
            raise CorrectionError(f"that view shows '{name}'; click in a view of the T1ce or the T2.")
        # A slice view writes on a point which volume it shows, a 3D view nothing.
        if self._volume_ids and not shown and node and placed_list(node.GetScene()) == node.GetID():
            raise CorrectionError(
                "a point in a 3D view may lie anywhere; click in a slice view of the T1ce or the T2."
            )

    def add(self, click: Click) -> Marker:
        """Add a point."""
        node = self.node(click.kind)
        return Marker(click.kind, node.GetNthControlPointID(node.AddControlPointWorld(*click.position_ras)))

    def fix(self, marker: Marker, label: str = "") -> None:
        """Lock a point, so that it is not dragged away from what it changed, and write kind and label on it.

        Views do not show the label.
        """
        node, index = self._found(marker)
        if index >= 0:
            node.SetNthControlPointDescription(index, marker.kind.value)
            node.SetNthControlPointLabel(index, label)
            node.SetAttribute(_LABEL_ATTRIBUTE + marker.point_id, label or None)
            node.SetNthControlPointLocked(index, True)
            node.SetNthControlPointVisibility(index, True)

    def lay(self, marker: Marker, click: Click) -> None:
        """Lay a point where a click is."""
        node, index = self._found(marker)
        node.SetNthControlPointPositionWorld(index, *click.position_ras)

    def hide(self, marker: Marker) -> None:
        """Show a point in no view until it is fixed again."""
        node, index = self._found(marker)
        if index >= 0:
            node.SetNthControlPointVisibility(index, False)

    def remove(self, marker: Marker) -> None:
        """Remove a point; never from within a callback of the point itself, which would crash Slicer."""
        node, index = self._found(marker)
        if index < 0:
            return
        # A view knows the point under its pointer by index: with its index gone, it makes another one.
        for hovering in range(node.GetNumberOfControlPoints() - 1, index, -1):
            if node.GetNthControlPointPositionStatus(hovering) != _DEFINED:
                node.RemoveNthControlPoint(hovering)
        node.RemoveNthControlPoint(index)

    @property
    def visible(self) -> bool:
        """Whether the points are shown."""
        return all(node.GetDisplayVisibility() for _, node in self.existing())

    @visible.setter
    def visible(self, shown: bool) -> None:
        for _, node in self.existing():
            node.SetDisplayVisibility(shown)


def waiting_label(segment_id: str, number: int | None = None) -> str:
    """Return the label of points whose clicks wait for a segment, with a click's number if that is given."""
    return f"{_WAITING}{segment_id}" + ("" if number is None else f" {number}")


def point_of(node: slicer.vtkMRMLMarkupsFiducialNode, kind: ClickKind, index: int) -> tuple[Marker, Click]:
    """Return the point of that index in the list of a kind."""
    marker = Marker(kind, node.GetNthControlPointID(index))
    return marker, Click(tuple(node.GetNthControlPointPositionWorld(index)), kind)


def placed_list(scene: slicer.vtkMRMLScene) -> str | None:
    """Return the ID of what clicks in views add points to, empty if it is gone, None if they add none."""
    interaction = scene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
    selection = scene.GetNodeByID("vtkMRMLSelectionNodeSingleton")
    if not (interaction and selection) or interaction.GetCurrentInteractionMode() != interaction.Place:
        return None
    return selection.GetActivePlaceNodeID() or ""


def _give_appearance(display: slicer.vtkMRMLMarkupsDisplayNode, appearance: Appearance) -> None:
    display.SetColor(appearance.color)
    display.SetSelectedColor(appearance.color)
    display.SetGlyphTypeFromString(appearance.glyph)
    display.UseGlyphScaleOn()
    display.SetGlyphScale(_GLYPH_SCALE)
    display.PointLabelsVisibilityOff()
    display.PropertiesLabelVisibilityOff()
