"""What belongs to a node and goes with it: how it is shown, clicks, journal, outlines, registration."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import slicer

from VSClickCorrectLib.mrml.click_nodes import ClickNodes
from VSClickCorrectLib.mrml.observers import Observers
from VSClickCorrectLib.mrml.owners import OWN_ROLES, references
from VSClickCorrectLib.mrml.persistence import SEGMENT_ATTRIBUTE
from VSClickCorrectLib.mrml.registration import REGISTRATION_ATTRIBUTE


def parts_of(node: slicer.vtkMRMLNode) -> Iterator[slicer.vtkMRMLNode]:
    """Yield what belongs to a node, and to that in turn."""
    for role, part in references(node):
        if role in ("display", "storage") or role.startswith(OWN_ROLES) or _registers(role, part):
            yield part
            yield from parts_of(part)


def remove_nodes(scene: slicer.vtkMRMLScene, *nodes: slicer.vtkMRMLNode | None) -> None:
    """Take nodes out of the scene, those of them that are there, with all that belongs to them."""
    found = {
        part.GetID(): part
        for node in nodes
        if node is not None and node.GetScene() is not None
        for part in (node, *parts_of(node))
    }
    # Views crash where they lose a display node before the node that it displays.
    for node in sorted(found.values(), key=lambda node: not node.IsA("vtkMRMLDisplayableNode")):
        leave_hierarchy(node)
        scene.RemoveNode(node)


def enter_hierarchy(node: slicer.vtkMRMLNode) -> None:
    """Give a node that editors do not offer a place in the subject hierarchy, if the scene has one.

    Without a place Slicer logs a critical message at every change of such a segmentation.
    """
    hierarchy = _hierarchy(node)
    if hierarchy is not None and not hierarchy.GetItemByDataNode(node):
        hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)


def leave_hierarchy(node: slicer.vtkMRMLNode) -> None:
    """Take a node's place in the subject hierarchy away, before the node goes."""
    hierarchy = _hierarchy(node)
    if hierarchy is not None and (item := hierarchy.GetItemByDataNode(node)):
        hierarchy.RemoveItem(item, False, True)


class Orphans:
    """Takes what belongs to a segmentation, or to a segment in it, out of the scene once somebody deletes it.

    Parameters
    ----------
    scene : vtkMRMLScene
        The scene.
    later : callable
        Calls a function once the present event is over.
    on_gone : callable
        Called after a segmentation, a segment on which there was work or a volume has gone.
    """

    def __init__(
        self,
        scene: slicer.vtkMRMLScene,
        later: Callable[[Callable[[], None]], None],
        on_gone: Callable[[], None],
    ) -> None:
        self._scene, self._later, self._on_gone = scene, later, on_gone
        self._watched: tuple[slicer.vtkMRMLSegmentationNode | None, str] = (None, "")
        self._nodes = Observers(self)
        # Of every segmentation: whichever loses a segment, another one may come to have its ID.
        self._segments: dict[slicer.vtkMRMLNode, Observers] = {}
        self._nodes.add_for_nodes(scene, scene.NodeAddedEvent, Orphans._node_comes)
        self._nodes.add_for_nodes(scene, scene.NodeAboutToBeRemovedEvent, Orphans._node_goes)
        there = scene.GetNodesByClass("vtkMRMLSegmentationNode")
        for index in range(there.GetNumberOfItems()):
            self._node_comes(there.GetItemAsObject(index))

    def watch(self, segmentation: slicer.vtkMRMLSegmentationNode, segment_id: str) -> None:
        """Watch a segment, whose points are shown, from now on, in place of the one before."""
        self._watched = segmentation, segment_id

    def _node_comes(self, node: slicer.vtkMRMLNode) -> None:
        if node.IsA("vtkMRMLSegmentationNode"):
            self._segments[node] = observers = Observers(self)
            observers.add(node, slicer.vtkSegmentation.SegmentRemoved, Orphans._segment_goes, node)

    def _node_goes(self, node: slicer.vtkMRMLNode) -> None:
        if (observers := self._segments.pop(node, None)) is not None:
            observers.close()
        if self._watched[0] is node:
            self._watched = (None, "")
        if self._scene.IsClosing() or not node.IsA("vtkMRMLDisplayableNode"):
            return
        own = [part for role, part in references(node) if role.startswith(OWN_ROLES)]
        self._later(lambda: self._clear(own))

    def _segment_goes(self, segmentation: slicer.vtkMRMLSegmentationNode, _index: int | None) -> None:
        if not any(role.startswith(OWN_ROLES) for role, _part in references(segmentation)):
            return

        def clear() -> None:
            # Points that stand are those of the watched segment; what is kept for others stays with them.
            node, segment_id = self._watched
            points_go = node is segmentation and node.GetSegmentation().GetSegment(segment_id) is None
            # First, so that nobody takes back the clicks whose points go now.
            self._on_gone()
            remove_nodes(self._scene, *_left_behind(segmentation, points_go))

        self._later(clear)

    def _clear(self, own: list[slicer.vtkMRMLNode]) -> None:
        remove_nodes(self._scene, *own)
        self._on_gone()


def _left_behind(
    segmentation: slicer.vtkMRMLSegmentationNode, points_go: bool
) -> Iterator[slicer.vtkMRMLNode]:
    """Yield what belongs to segments that are no longer there, and take their copies out of what stays."""
    there = set(segmentation.GetSegmentation().GetSegmentIDs())
    waited_for = _clear_points(segmentation) if points_go else set()
    for role, part in references(segmentation):
        if not role.startswith(OWN_ROLES):
            continue
        if part.IsA("vtkMRMLSegmentationNode"):
            copies = part.GetSegmentation()
            for segment_id in set(copies.GetSegmentIDs()) - there:
                copies.RemoveSegment(segment_id)
            gone = copies.GetNumberOfSegments() == 0
        elif part.GetAttribute(SEGMENT_ATTRIBUTE) is not None:
            gone = part.GetAttribute(SEGMENT_ATTRIBUTE) not in there
        else:
            gone = points_go and part not in waited_for
        if gone:
            yield part


def _clear_points(segmentation: slicer.vtkMRMLSegmentationNode) -> set[slicer.vtkMRMLNode]:
    """Remove the points that wait for no segment that is there; return the lists in which others are left."""
    nodes, left = ClickNodes(segmentation), set()
    for marker in nodes.markers():
        if nodes.waits_for(marker):
            left.add(nodes.find(marker.kind))
        else:
            nodes.remove(marker)
    return left


def _registers(role: str, part: slicer.vtkMRMLNode) -> bool:
    return role == "transform" and part.GetAttribute(REGISTRATION_ATTRIBUTE) is not None


def _hierarchy(node: slicer.vtkMRMLNode) -> slicer.vtkMRMLSubjectHierarchyNode | None:
    scene = node.GetScene()
    return scene.GetFirstNodeByClass("vtkMRMLSubjectHierarchyNode") if scene is not None else None
