"""Points placed the way Slicer's widgets place them, and what they stand for."""

import gc
import weakref

import pytest
import slicer
import vtk
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.mrml.click_nodes import ClickNodes
from VSClickCorrectLib.mrml.markers import ClickMarkers

STATUS = slicer.vtkMRMLMarkupsNode
BOUNDARY, INCLUDE, EXCLUDE = ClickKind


class Markers:
    """Markers and what they told."""

    def __init__(self, nodes):
        self.placed, self.removed = [], []
        self.markers = ClickMarkers(nodes, lambda *point: self.placed.append(point), self.removed.append)
        self.markers.watch()

    @property
    def clicks(self):
        return [click for _, click in self.placed]


@pytest.fixture
def nodes(segment):
    return ClickNodes(segment[0])


@pytest.fixture
def seen(nodes):
    seen = Markers(nodes)
    yield seen
    seen.markers.close()


@pytest.fixture
def node(nodes, seen):
    return nodes.node(BOUNDARY)


@pytest.fixture
def pointer(node):
    """Move or press the pointer at a world position, by the call that Slicer's markups widget makes."""

    def move(position, status, index=-1):
        event = slicer.vtkMRMLInteractionEventData()
        event.SetWorldPosition(position)
        identity = [1, 0, 0, 0, 1, 0, 0, 0, 1]
        return node.GetDisplayNode().UpdateActiveControlPointWorld(index, event, identity, "", "", status)

    return move


def test_hovering_is_no_click_and_pressing_is_one(node, nodes, pointer, seen):
    index = -1
    for r in range(5):
        index = pointer((r, 2, 3), STATUS.PositionPreview, index)
    assert (node.GetNumberOfControlPoints(), seen.placed, nodes.markers()) == (1, [], {})
    pointer((7, 8, 9), STATUS.PositionDefined, index)
    assert seen.clicks == [Click((7.0, 8.0, 9.0), BOUNDARY)]
    pointer((1, 1, 1), STATUS.PositionPreview)
    assert len(seen.placed) == 1
    assert nodes.markers() == dict(seen.placed)


def test_every_point_is_reported_once_with_the_kind_of_its_list(nodes, node, seen):
    node.AddControlPointWorld(1, 2, 3)
    nodes.node(EXCLUDE).AddControlPointWorld(4, 5, 6)
    node.SetNthControlPointPositionWorld(0, 9, 9, 9)
    node.SetNthControlPointDescription(0, "include")
    assert seen.clicks == [Click((1.0, 2.0, 3.0), BOUNDARY), Click((4.0, 5.0, 6.0), EXCLUDE)]


def test_points_that_undo_brings_back_and_points_given_in_bulk_are_placed(scene, node, seen):
    linked = []

    def placed():
        for marker, click in seen.placed[len(linked) :]:
            linked.append(click.position_ras[0])
            seen.markers.link(click, len(linked), marker)
        return linked

    scene.SetUndoOn()
    node.SetUndoEnabled(True)
    node.AddControlPointWorld(1, 2, 3)
    scene.SaveStateForUndo()
    node.AddControlPointWorld(4, 5, 6)
    assert placed() == [1, 4]
    scene.Undo()
    assert (node.GetNumberOfControlPoints(), placed(), seen.removed) == (1, [1, 4], [[2]])
    scene.Redo()
    assert (node.GetNumberOfControlPoints(), placed()) == (2, [1, 4, 4])
    points = vtk.vtkPoints()
    for place in ((1, 2, 3), (4, 5, 6), (7, 0, 0), (8, 0, 0)):
        points.InsertNextPoint(place)
    node.SetControlPointPositionsWorld(points)
    assert placed() == [1, 4, 4, 7, 8]
    assert len({node.GetNthControlPointID(index) for index in range(4)}) == 4


def test_position_is_in_the_world(node, nodes, quarter_turn, seen):
    node.SetAndObserveTransformNodeID(quarter_turn.GetID())
    node.AddControlPoint(9.0, 18.0, -25.5)
    assert seen.clicks[0].position_ras == pytest.approx((82.0, 9.0, -20.5))


def test_own_points_are_not_reported_and_strangers_go(node, nodes, seen):
    node.AddControlPointWorld(1, 2, 3)
    clicks = {3: Click((4.0, 5.0, 6.0), BOUNDARY), 7: Click((4.0, 5.0, 6.0), INCLUDE)}
    seen.markers.show(clicks)
    assert list(nodes.markers().values()) == list(clicks.values())
    assert (len(seen.placed), seen.removed) == (1, [])


def test_linked_point_stays_itself(node, nodes, seen):
    node.AddControlPointWorld(1, 2, 3)
    ((marker, click),) = seen.placed
    seen.markers.link(click, -1, marker)
    seen.markers.rename({-1: 5})
    seen.markers.show({5: click})
    assert list(nodes.markers()) == [marker]
    node.RemoveNthControlPoint(0)
    assert seen.removed == [[5]]


def test_removed_points_are_told_by_their_keys(node, nodes, seen):
    seen.markers.show({n: Click((float(n), 0.0, 0.0), BOUNDARY) for n in (1, 2, 3)})
    node.RemoveNthControlPoint(1)
    node.RemoveAllControlPoints()
    assert [sorted(keys) for keys in seen.removed] == [[2], [1, 3]]


def test_closed_markers_are_silent(nodes, node, seen):
    seen.markers.close()
    seen.markers.close()
    node.AddControlPointWorld(1, 2, 3)
    node.RemoveNthControlPoint(0)
    assert (seen.placed, seen.removed) == ([], [])


def test_neither_markers_nor_nodes_are_kept_alive(scene, nodes):
    markers = ClickMarkers(nodes, lambda *_: None, lambda *_: None)
    markers.watch()
    gone, deleted = weakref.ref(markers), []
    nodes.node(BOUNDARY).AddObserver(vtk.vtkCommand.DeleteEvent, lambda *_: deleted.append(True))
    scene.RemoveNode(nodes.node(BOUNDARY))
    gc.disable()
    try:
        del markers
        assert gone() is None
        assert deleted == [True]
    finally:
        gc.enable()
