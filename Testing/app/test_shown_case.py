"""The case that is open, in a scene with a view on it."""

import asyncio

import numpy as np
import pytest
from bright_ball import CENTER, GRID, RADIUS_MM, ball, ball_volume
from VSClickCorrectApp import shown_case
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.mrml.transforms import matrix_of
from VSClickCorrectLib.mrml.volumes import grid_of
from VSClickCorrectLib.workflow.opened_case import OpenedCase

CASE = OpenedCase("ball", ball_volume(), ball_volume(t2=True), ball(radius=5.0))


@pytest.fixture(scope="module")
def view(slicer_app):
    from trame_slicer.views import DirectViewFactory, ViewLayoutDefinition

    slicer_app.view_manager.register_factory(DirectViewFactory(do_render_offscreen=True))
    return slicer_app.view_manager.create_view(ViewLayoutDefinition.axial_view())


@pytest.fixture
def workbench(parts, view):
    return parts.workbench


def corrected(workbench, view):
    """Show the open case and correct it by one click."""
    view.set_background_volume_id(workbench.case.reference.GetID())
    asyncio.run(workbench.begin())
    workbench.under_way.place(Click((CENTER[0] + RADIUS_MM, *CENTER[1:])))
    view.render()


def ids(slicer_app):
    scene = slicer_app.scene
    return {scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())}


def test_nothing_of_a_case_is_left_when_another_is_opened(slicer_app, workbench, view):
    before = ids(slicer_app)
    workbench.open(CASE)
    corrected(workbench, view)
    assert workbench.last_edit is not None
    workbench.close()
    view.render()
    assert ids(slicer_app) == before


def test_images_stay_where_a_case_begins_anew(slicer_app, workbench, view):
    workbench.open(CASE)
    before, first = ids(slicer_app), workbench.case.segmentation
    volumes = {node.GetID() for node in workbench.case.volumes}
    corrected(workbench, view)
    workbench.restart(ball(radius=8.0))
    view.render()
    assert first.GetScene() is None
    assert volumes <= ids(slicer_app) and len(ids(slicer_app)) == len(before)
    grid = workbench.case.mask.grid
    np.testing.assert_array_equal(workbench.case.mask.read(grid.box), ball(radius=8.0))


def test_where_volumes_lie_is_worked_out_again_only_when_one_is_moved(slicer_app, workbench, monkeypatch):
    workbench.open(CASE)
    case, asked = workbench.nodes, []
    monkeypatch.setattr(shown_case, "grid_of", lambda node: asked.append(node) or grid_of(node))
    for _ in range(3):
        assert case.grid(case.t1ce).matches(GRID) and case.grid(case.t2).matches(GRID)
    assert asked == [case.t1ce, case.t2]
    aside = slicer_app.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    case.t2.SetAndObserveTransformNodeID(aside.GetID())
    np.testing.assert_allclose(case.grid(case.t2).affine, GRID.affine)
    matrix = np.eye(4)
    matrix[0, 3] = 5.0
    aside.SetMatrixTransformToParent(matrix_of(matrix))
    np.testing.assert_allclose(case.grid(case.t2).affine, matrix @ GRID.affine)
    np.testing.assert_allclose(case.grid(case.t1ce).affine, GRID.affine)
    slicer_app.scene.RemoveNode(aside)
    np.testing.assert_allclose(case.grid(case.t2).affine, GRID.affine)
