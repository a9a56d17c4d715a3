"""Presses on pictures of an offscreen slice view, as the page tells of them."""

import numpy as np
import pytest
from bright_ball import CENTER, GRID, ball, ball_volume
from VSClickCorrectApp import sent_pictures
from VSClickCorrectApp.pointing import Pointing
from VSClickCorrectApp.sent_pictures import SentPictures
from VSClickCorrectApp.shown_case import ShownCase
from VSClickCorrectLib.errors import CorrectionError
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
    hovered = []
    pointing = Pointing(view, hovered.append)
    yield hovered
    del pointing


@pytest.fixture
def pictures():
    return SentPictures()


def press(pictures, number, x, y):
    """Where the middle of a pixel of a picture lies in the patient, RAS mm; from the lower left."""
    return pictures.of(number)[1].at((x + 0.5) / SIZE, 1 - (y + 0.5) / SIZE)


# Right on the screen is the patient's left, up is the front; a pixel is 0.2 mm.
@pytest.mark.parametrize(
    ("pixel", "offset"),
    [((100, 100), (0, 0)), ((150, 100), (-10, 0)), ((100, 150), (0, 10)), ((20, 30), (16, -14))],
)
def test_a_press_tells_where_it_is_in_the_patient(view, pictures, pixel, offset):
    point = press(pictures, pictures.number(view), *pixel)
    np.testing.assert_allclose(point, (CENTER[0] + offset[0], CENTER[1] + offset[1], CENTER[2]), atol=0.11)


@pytest.mark.parametrize("moved", ["paged", "zoomed"])
def test_a_view_that_has_changed_since_is_clicked_where_it_was_seen(view, pictures, moved):
    number, offset = pictures.number(view), view.get_slice_value()
    if moved == "paged":
        view.set_slice_value(offset + 3.0)
    else:
        view.get_view_node().SetFieldOfView(2 * WIDTH_MM, 2 * WIDTH_MM, 1.0)
    later = pictures.number(view)
    point = press(pictures, number, 150, 100)
    view.set_slice_value(offset)
    view.get_view_node().SetFieldOfView(WIDTH_MM, WIDTH_MM, 1.0)
    assert later != number
    np.testing.assert_allclose(point, (CENTER[0] - 10, CENTER[1], CENTER[2]), atol=0.11)


def test_a_view_that_is_drawn_again_as_it_was_keeps_its_number(view, pictures):
    assert pictures.number(view) == pictures.number(view)
    assert pictures.of(pictures.number(view))[0] is view


@pytest.mark.parametrize("number", [0, 99, None, float("nan"), "1"])
def test_what_was_never_sent_is_refused(pictures, view, number):
    pictures.number(view)
    with pytest.raises(CorrectionError, match="so nothing was done there; do it again"):
        pictures.of(number)


def test_what_was_forgotten_is_refused_and_its_view_has_a_number_again(pictures, view):
    before = pictures.number(view)
    pictures.forget()
    with pytest.raises(CorrectionError):
        pictures.of(before)
    assert pictures.number(view) > before


def test_of_many_pictures_the_latest_are_known(view, pictures, monkeypatch):
    monkeypatch.setattr(sent_pictures, "_MOST_PICTURES", 3)
    offset = view.get_slice_value()
    numbers = []
    for n in range(5):
        view.set_slice_value(offset + n)
        numbers.append(pictures.number(view))
    view.set_slice_value(offset)
    for number in numbers[:2]:
        with pytest.raises(CorrectionError):
            pictures.of(number)
    for n, number in enumerate(numbers[2:], 2):
        assert press(pictures, number, 100, 100)[2] == pytest.approx(CENTER[2] + n)


def test_moving_tells_of_the_point_under_the_pointer(view, points):
    view.interactor().SetEventInformation(150, 100, 0, 0, chr(0), 0, None)
    view.interactor().MouseMoveEvent()
    np.testing.assert_allclose(points, [(CENTER[0] - 10, CENTER[1], CENTER[2])], atol=0.11)


def test_nothing_is_heard_once_it_is_dropped(view):
    hovered = []
    Pointing(view, hovered.append)
    view.interactor().SetEventInformation(50, 50, 0, 0, chr(0), 0, None)
    view.interactor().MouseMoveEvent()
    assert hovered == []


def test_a_press_becomes_a_click_that_changes_the_segment(view, pictures, bright_models):
    """From pixel to voxel: the same way as in the browser, without one."""
    from VSClickCorrectLib.clicks.click import Click, ClickKind
    from VSClickCorrectLib.inference.corrector import Corrector
    from VSClickCorrectLib.inference.manifest import ModelFolder
    from VSClickCorrectLib.mrml.begin_correction import correct_segment

    corrector, nodes = Corrector.load(ModelFolder(bright_models), device="cpu"), view.nodes
    correction = correct_segment(nodes.volumes, nodes.segment, corrector)
    before = nodes.mask.read(GRID.box)
    # 25 pixels above the middle are 5 mm to the front: inside the ball of 7 mm.
    correction.place(Click(press(pictures, pictures.number(view), 100, 125), ClickKind.EXCLUDE))
    index = GRID.ras_to_index((CENTER[0], CENTER[1] + 5, CENTER[2]))
    assert before[index] and not nodes.mask.read(GRID.box)[index]
    correction.undo()
    np.testing.assert_array_equal(nodes.mask.read(GRID.box), before)
    correction.close()
