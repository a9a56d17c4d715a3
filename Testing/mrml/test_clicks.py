"""Points placed the way Slicer's widgets place them."""

import gc
import weakref

import pytest
import slicer
import vtk
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.imaging.click import Click, ClickKind
from VSClickCorrectLib.mrml.clicks import KIND_ATTRIBUTE, ClickObserver, add_clicks_node, clicks_of

STATUS = slicer.vtkMRMLMarkupsNode


@pytest.fixture
def node(scene):
    return add_clicks_node(scene, "clicks")


@pytest.fixture
def pointer(node):
    """Move or press the pointer at a world position, by the call that Slicer's markups widget makes."""

    def move(position, status, index=-1):
        event = slicer.vtkMRMLInteractionEventData()
        event.SetWorldPosition(position)
        identity = [1, 0, 0, 0, 1, 0, 0, 0, 1]
        return node.GetDisplayNode().UpdateActiveControlPointWorld(index, event, identity, "", "", status)

    return move


@pytest.fixture
def seen(node):
    calls = []
    with ClickObserver(node, lambda click, index: calls.append((click, index))):
        yield calls


def test_hovering_is_no_click_and_pressing_is_one(node, pointer, seen):
    index = -1
    for r in range(5):
        index = pointer((r, 2, 3), STATUS.PositionPreview, index)
    assert node.GetNumberOfControlPoints() == 1
    assert seen == []
    assert clicks_of(node) == []
    pointer((7, 8, 9), STATUS.PositionDefined, index)
    assert seen == [(Click((7.0, 8.0, 9.0), ClickKind.BOUNDARY), 0)]
    pointer((1, 1, 1), STATUS.PositionPreview)
    assert len(seen) == 1
    assert clicks_of(node) == [Click((7.0, 8.0, 9.0))]


def test_every_point_is_reported_once(node, seen):
    node.AddControlPointWorld(1, 2, 3)
    node.AddControlPointWorld(4, 5, 6)
    node.SetNthControlPointPositionWorld(0, 9, 9, 9)
    node.SetNthControlPointDescription(0, "include")
    node.SetNthControlPointLabel(1, "here")
    assert [(click.position_ras, index) for click, index in seen] == [((1, 2, 3), 0), ((4, 5, 6), 1)]


def test_point_placed_anew_is_a_new_click(node, seen):
    node.AddControlPointWorld(1, 2, 3)
    node.ResetNthControlPointPosition(0)
    node.SetNthControlPointPositionWorld(0, 4, 5, 6)
    assert [click.position_ras for click, _ in seen] == [(1, 2, 3), (4, 5, 6)]


def test_undo_redo_and_points_read_in_bulk_are_no_clicks(scene, node, seen):
    scene.SetUndoOn()
    node.SetUndoEnabled(True)
    node.AddControlPointWorld(1, 2, 3)
    scene.SaveStateForUndo()
    node.AddControlPointWorld(4, 5, 6)
    assert len(seen) == 2
    scene.Undo()
    assert node.GetNumberOfControlPoints() == 1
    scene.Redo()
    assert node.GetNumberOfControlPoints() == 2
    points = vtk.vtkPoints()
    for value in range(4):
        points.InsertNextPoint(value, value, value)
    node.SetControlPointPositionsWorld(points)
    assert len(seen) == 2


def test_position_is_in_the_world(node, quarter_turn, seen):
    node.SetAndObserveTransformNodeID(quarter_turn.GetID())
    node.AddControlPoint(9.0, 18.0, -25.5)
    assert seen[0][0].position_ras == pytest.approx((82.0, 9.0, -20.5))
    assert clicks_of(node)[0].position_ras == pytest.approx((82.0, 9.0, -20.5))


def test_kind_comes_from_the_point_then_the_node_then_boundary(node, seen):
    node.AddControlPointWorld(1, 0, 0)
    node.SetAttribute(KIND_ATTRIBUTE, "exclude")
    node.AddControlPointWorld(2, 0, 0)
    node.ResetNthControlPointPosition(1)
    node.SetNthControlPointDescription(1, " Include ")
    node.SetNthControlPointPositionWorld(1, 3, 0, 0)
    assert [click.kind.value for click, _ in seen] == ["boundary", "exclude", "include"]


def test_click_keeps_the_kind_it_was_placed_with(node, seen):
    node.SetAttribute(KIND_ATTRIBUTE, "include")
    node.AddControlPointWorld(1, 0, 0)
    node.SetAttribute(KIND_ATTRIBUTE, "exclude")
    assert node.GetNthControlPointDescription(0) == "include"
    assert clicks_of(node) == [Click((1.0, 0.0, 0.0), ClickKind.INCLUDE)]


def test_unknown_kind_is_handed_over_and_no_click_is_made(node):
    calls, errors = [], []
    node.SetAttribute(KIND_ATTRIBUTE, "tumour")
    with ClickObserver(node, lambda *call: calls.append(call), errors.append):
        node.AddControlPointWorld(1, 0, 0)
    assert calls == []
    assert [type(error) for error in errors] == [CorrectionError]
    with pytest.raises(CorrectionError, match="'tumour' is no kind of click"):
        clicks_of(node)


def test_closed_observer_is_silent(node):
    calls = []
    observer = ClickObserver(node, lambda *call: calls.append(call))
    observer.close()
    observer.close()
    node.AddControlPointWorld(1, 2, 3)
    assert calls == []


def test_several_observers_are_closed_one_by_one(node, seen):
    with ClickObserver(node, lambda *_: None):
        pass
    node.AddControlPointWorld(1, 2, 3)
    assert len(seen) == 1


def test_neither_observer_nor_node_is_kept_alive(scene):
    node = add_clicks_node(scene, "short-lived")
    deleted = []
    node.AddObserver(vtk.vtkCommand.DeleteEvent, lambda *_: deleted.append(True))
    observer = ClickObserver(node, lambda *_: None)
    gone = weakref.ref(observer)
    scene.RemoveNode(node)
    gc.disable()
    try:
        del observer
        assert gone() is None
        del node
        assert deleted == [True]
    finally:
        gc.enable()
