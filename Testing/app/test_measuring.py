"""Distances and what is told under the pointer, as the page tells of them, without a browser."""

import numpy as np
import pytest
from bright_ball import CENTER, GRID
from VSClickCorrectApp.framing import set_width

WIDTH_MM = 40.0
VIEW = "T1ce"


@pytest.fixture
def app(browser_app):
    """The app with a case, in views of 40 mm whose middle is the ball's."""
    browser_app.open_ball("ball")
    for name in ("T1ce", "T2", "Coronal", "Sagittal"):
        set_width(browser_app.views.view(name), WIDTH_MM)
        browser_app.views.view(name).get_view_node().SetXYZOrigin(0.0, 0.0, 0.0)
    browser_app.views.jump_to(CENTER)
    browser_app.views.bring_crosshair()
    browser_app.press("measure")
    yield browser_app
    browser_app.overlay.clear()


def tell(app, what, *about):
    app.server.controller.trigger_fn(f"vs_{what}")(*about)


def seen(app, view=VIEW):
    """The number of the picture that a view shows, and its width in mm."""
    number = app.views.pictures.number(app.views.view(view))
    picture = app.views.pictures.of(number)[1]
    return number, picture.pixel_mm * picture.size[0]


def shown(app, view=VIEW):
    return [line["text"] for line in app.overlay.typed_state.data.distances[view]]


def test_two_clicks_measure_in_the_picture_that_was_seen_though_the_view_shows_another_slice(app):
    number, width_mm = seen(app)
    app.views.page_by(3)
    set_width(app.views.view(VIEW), 3 * WIDTH_MM)
    for x in (0.4, 0.6):
        tell(app, "click", number, x, 0.5)
    assert shown(app) == []
    app.views.page_by(-3)
    assert shown(app) == shown(app, "T2") == [f"{0.2 * width_mm:.1f} mm"]


def test_a_drag_measures_in_the_pictures_that_were_seen_as_it_began_and_ended(app):
    number, width_mm = seen(app)
    set_width(app.views.view(VIEW), 2 * WIDTH_MM)
    tell(app, "drag", True, number, 0.4, 0.5)
    tell(app, "hover", number, 0.45, 0.5)
    assert shown(app) == [f"{0.05 * width_mm:.1f} mm"]
    tell(app, "drag", False, number, 0.6, 0.5)
    tell(app, "hover", number, 0.9, 0.5)
    assert shown(app) == [f"{0.2 * width_mm:.1f} mm"]


def test_until_the_pointer_has_moved_a_second_point_is_asked_for(app):
    number, width_mm = seen(app)
    tell(app, "click", number, 0.4, 0.5)
    assert shown(app) == ["second point?"]
    # A second time in the same place says nothing new.
    tell(app, "click", number, 0.4, 0.5)
    assert shown(app) == ["second point?"]
    tell(app, "hover", number, 0.5, 0.5)
    assert shown(app) == [f"{0.1 * width_mm:.1f} mm"]
    tell(app, "click", number, 0.6, 0.5)
    tell(app, "hover", number, 0.9, 0.5)
    assert shown(app) == [f"{0.2 * width_mm:.1f} mm"]


def test_a_drag_that_comes_back_to_where_it_began_is_a_first_click(app):
    number, width_mm = seen(app)
    place = (number, 0.4, 0.5)
    tell(app, "drag", True, *place)
    tell(app, "hover", number, 0.45, 0.5)
    tell(app, "drag", False, *place)
    tell(app, "click", *place)
    assert shown(app) == ["second point?"]
    tell(app, "click", number, 0.6, 0.5)
    assert shown(app) == [f"{0.2 * width_mm:.1f} mm"]


def test_a_click_where_an_earlier_drag_began_begins_a_distance(app):
    number, width_mm = seen(app)
    tell(app, "drag", True, number, 0.4, 0.5)
    tell(app, "drag", False, number, 0.6, 0.5)
    tell(app, "click", number, 0.4, 0.5)
    assert shown(app) == [f"{0.2 * width_mm:.1f} mm", "second point?"]


def test_a_drag_from_the_first_point_ends_where_it_is_let_go(app):
    number, width_mm = seen(app)
    tell(app, "click", number, 0.4, 0.5)
    tell(app, "drag", True, number, 0.4, 0.5)
    tell(app, "drag", False, number, 0.6, 0.5)
    tell(app, "hover", number, 0.9, 0.5)
    assert shown(app) == [f"{0.2 * width_mm:.1f} mm"]


def test_a_drag_that_ends_on_a_picture_that_is_not_known_ends_all_the_same(app):
    number, width_mm = seen(app)
    tell(app, "drag", True, number, 0.4, 0.5)
    tell(app, "hover", number, 0.5, 0.5)
    tell(app, "drag", False, 0, 0.6, 0.5)
    tell(app, "hover", number, 0.9, 0.5)
    assert shown(app) == [f"{0.1 * width_mm:.1f} mm"]


def test_a_second_point_in_another_slice_begins_anew_as_no_view_would_show_the_line(app):
    number, width_mm = seen(app)
    tell(app, "click", number, 0.4, 0.5)
    app.views.page_by(2)
    later, _ = seen(app)
    tell(app, "click", later, 0.5, 0.5)
    assert shown(app) == ["second point?"]
    tell(app, "click", later, 0.6, 0.5)
    assert shown(app) == [f"{0.1 * width_mm:.1f} mm"]
    app.views.page_by(-2)
    assert shown(app) == []


def test_nothing_is_measured_in_a_picture_of_the_case_before_and_it_is_said(app):
    number, _ = seen(app)
    app.open_ball("other")
    app.press("measure")
    tell(app, "click", number, 0.4, 0.5)
    assert shown(app) == []
    assert app.status.typed_state.data.message.startswith("The view was just about to show something else")


def test_where_no_case_is_open_nothing_is_measured(app):
    app.flow.workbench.close()
    app.press("measure")
    number, _ = seen(app)
    tell(app, "click", number, 0.4, 0.5)
    assert shown(app) == []


def test_what_is_told_under_the_pointer_is_of_the_picture_that_is_seen(app):
    number, width_mm = seen(app)
    app.views.page_by(3)
    set_width(app.views.view(VIEW), 3 * WIDTH_MM)
    tell(app, "hover", number, 0.6, 0.5)
    # Right on the screen is the patient's left.
    point = (CENTER[0] - 0.1 * width_mm, CENTER[1], CENTER[2])
    i, j, k = np.round(GRID.ras_to_ijk(point)).astype(int)
    said = app.readout.typed_state.data.text
    assert f"S {CENTER[2]:.1f} mm" in said and f"voxel {i}, {j}, {k}" in said


def test_of_a_picture_that_is_not_known_nothing_is_told(app):
    before = app.readout.typed_state.data.text
    tell(app, "hover", 0, 0.5, 0.5)
    assert app.readout.typed_state.data.text == before
