"""Presses of the mouse in an offscreen slice view."""

import numpy as np
import pytest
from bright_ball import CENTER, GRID, ball, ball_volume
from VSClickCorrectApp.pointing import Pointing
from VSClickCorrectApp.shown_case import ShownCase
from VSClickCorrectLib.workflow.opened_case import OpenedCase

SIZE, WIDTH_MM = 200, 40.0


@pytest.fixture(scope="module")
def view():
    """An axial view of 200 × 200 pixels of 0.2 mm, its middle at the ball's centre."""
    from trame_slicer.core import SlicerApp
    from trame_slicer.views import DirectViewFactory, ViewLayoutDefinition

    app = SlicerApp()
    app.view_manager.register_factory(DirectViewFactory(do_render_offscreen=True))
    view = app.view_manager.create_view(ViewLayoutDefinition.axial_view())
    view.update_size(SIZE, SIZE)
    nodes = ShownCase(app.scene, OpenedCase("ball", ball_volume(), None, ball()))
    view.set_background_volume_id(nodes.t1ce.GetID())
    view.fit_view_to_content()
    node = view.get_view_node()
    node.SetFieldOfView(WIDTH_MM, WIDTH_MM, 1.0)
    node.JumpSliceByCentering(*CENTER)
    view.app, view.nodes = app, nodes
    return view


@pytest.fixture
def points(view):
    clicked = []
    pointing = Pointing(view, clicked.append)
    yield clicked
    del pointing


def press(view, *places):
    """Press at the first place, move through the others, release at the last; pixels from the lower left."""
    interactor = view.interactor()
    for n, (x, y) in enumerate(places):
        interactor.SetEventInformation(x, y, 0, 0, chr(0), 0, None)
        interactor.MouseMoveEvent()
        if n == 0:
            interactor.LeftButtonPressEvent()
    interactor.LeftButtonReleaseEvent()


# Right on the screen is the patient's left, up is the front; a pixel is 0.2 mm.
@pytest.mark.parametrize(
    ("pixel", "offset"),
    [((100, 100), (0, 0)), ((150, 100), (-10, 0)), ((100, 150), (0, 10)), ((20, 30), (16, -14))],
)
def test_a_press_tells_where_it_is_in_the_patient(view, points, pixel, offset):
    press(view, pixel)
    assert len(points) == 1
    np.testing.assert_allclose(
        points[0], (CENTER[0] + offset[0], CENTER[1] + offset[1], CENTER[2]), atol=0.11
    )


def test_a_hand_that_trembles_still_clicks_where_it_pressed(view, points):
    press(view, (150, 100), (152, 103))
    np.testing.assert_allclose(points[0][:2], (CENTER[0] - 10, CENTER[1]), atol=0.11)


@pytest.mark.parametrize("moved", ["paged", "zoomed"])
def test_a_view_that_changes_before_the_release_is_clicked_where_it_was_pressed(view, points, moved):
    interactor, offset = view.interactor(), view.get_slice_value()
    interactor.SetEventInformation(150, 100, 0, 0, chr(0), 0, None)
    interactor.LeftButtonPressEvent()
    if moved == "paged":
        view.set_slice_value(offset + 3.0)
    else:
        view.get_view_node().SetFieldOfView(2 * WIDTH_MM, 2 * WIDTH_MM, 1.0)
    interactor.LeftButtonReleaseEvent()
    view.set_slice_value(offset)
    view.get_view_node().SetFieldOfView(WIDTH_MM, WIDTH_MM, 1.0)
    np.testing.assert_allclose(points, [(CENTER[0] - 10, CENTER[1], CENTER[2])], atol=0.11)


def test_a_drag_is_no_click(view, points):
    press(view, (100, 100), (100, 130))
    assert points == []


def test_moving_alone_is_no_click(view, points):
    view.interactor().SetEventInformation(50, 50, 0, 0, chr(0), 0, None)
    view.interactor().MouseMoveEvent()
    assert points == []


def test_nothing_is_heard_once_it_is_dropped(view):
    clicked = []
    Pointing(view, clicked.append)
    press(view, (100, 100))
    assert clicked == []


def test_a_press_becomes_a_click_that_changes_the_segment(view, bright_models):
    """From pixel to voxel: the same way as in the browser, without one."""
    from VSClickCorrectLib.clicks.click import Click, ClickKind
    from VSClickCorrectLib.inference.corrector import Corrector
    from VSClickCorrectLib.inference.manifest import ModelFolder
    from VSClickCorrectLib.mrml.begin_correction import correct_segment

    corrector, nodes = Corrector.load(ModelFolder(bright_models), device="cpu"), view.nodes
    correction = correct_segment(nodes.volumes, nodes.segment, corrector)
    pointing = Pointing(view, lambda point: correction.place(Click(point, ClickKind.EXCLUDE)))
    before = nodes.mask.read(GRID.box)
    press(view, (100, 125))
    del pointing
    # 25 pixels above the middle are 5 mm to the front: inside the ball of 7 mm.
    index = GRID.ras_to_index((CENTER[0], CENTER[1] + 5, CENTER[2]))
    assert before[index] and not nodes.mask.read(GRID.box)[index]
    correction.undo()
    np.testing.assert_array_equal(nodes.mask.read(GRID.box), before)
    correction.close()
