"""The case that is open, in a scene with a view on it."""

import numpy as np
import pytest
from bright_ball import CENTER, RADIUS_MM, ball, ball_volume
from VSClickCorrectLib.app.opened_case import OpenedCase
from VSClickCorrectLib.imaging.click import Click
from VSClickCorrectLib.inference.models import ModelFolder
from VSClickCorrectLib.inference.networks import Networks

CASE = OpenedCase("ball", ball_volume(), ball_volume(t2=True), ball(radius=5.0))


@pytest.fixture(scope="module")
def view(slicer_app):
    from trame_slicer.views import DirectViewFactory, ViewLayoutDefinition

    slicer_app.view_manager.register_factory(DirectViewFactory(do_render_offscreen=True))
    return slicer_app.view_manager.create_view(ViewLayoutDefinition.axial_view())


@pytest.fixture
def workspace(parts, view):
    return parts.workspace


@pytest.fixture(scope="module")
def networks(bright_models):
    return Networks.load(ModelFolder(bright_models), "cpu")


def corrected(workspace, view, networks):
    """Show the open case and correct it by one click."""
    view.set_background_volume_id(workspace.case.reference.GetID())
    workspace.correct(networks)
    workspace.clicks.place(Click((CENTER[0] + RADIUS_MM, *CENTER[1:])))
    view.render()


def ids(slicer_app):
    scene = slicer_app.scene
    return {scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())}


def test_nothing_of_a_case_is_left_when_another_is_opened(slicer_app, workspace, view, networks):
    before = ids(slicer_app)
    workspace.open(CASE)
    corrected(workspace, view, networks)
    assert workspace.last_edit is not None
    workspace.close()
    view.render()
    assert ids(slicer_app) == before


def test_images_stay_where_a_case_begins_anew(slicer_app, workspace, view, networks):
    workspace.open(CASE)
    before, first = ids(slicer_app), workspace.case.segmentation
    volumes = {node.GetID() for node in workspace.case.volumes}
    corrected(workspace, view, networks)
    workspace.restart(ball(radius=8.0))
    view.render()
    assert first.GetScene() is None
    assert volumes <= ids(slicer_app) and len(ids(slicer_app)) == len(before)
    grid = workspace.case.mask.grid
    np.testing.assert_array_equal(workspace.case.mask.read(grid.box), ball(radius=8.0))
