"""The case that is open, in a scene with a view on it."""

import asyncio

import numpy as np
import pytest
from bright_ball import CENTER, RADIUS_MM, ball, ball_volume
from VSClickCorrectLib.clicks.click import Click
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
