"""A crosshair that no view shows: Enter clicks nothing there, and what leads there brings it into view."""

import re

import numpy as np
import pytest
from bright_ball import CENTER
from VSClickCorrectApp.framing import frame_of, pan, set_width
from VSClickCorrectApp.layouts import SLICE_VIEWS

WIDTH_MM = 40.0


@pytest.fixture
def app(browser_app):
    """The app with the crosshair in the middle of views of 40 mm, and include clicks."""
    browser_app.views.typed_state.data.layout = "axial"
    browser_app.views.enlarge("")
    browser_app.display.typed_state.data.crosshair = True
    browser_app.open_ball("ball")
    for name in SLICE_VIEWS:
        set_width(browser_app.views.view(name), WIDTH_MM)
    browser_app.views.jump_to(CENTER)
    press(browser_app, "include")
    return browser_app


def pan_by(app, mm):
    view = app.views.view("T1ce")
    pan(view, round(mm / WIDTH_MM * view.get_view_node().GetDimensions()[0]), 0)


def pan_away(app):
    # 20 mm are seen to each side.
    pan_by(app, 22.0)


def zoom_beside_it(app):
    app.views.move_crosshair(columns=20)
    # 20 voxels of 0.75 mm are 15 mm, and 10 are seen to each side.
    set_width(app.views.view("T1ce"), 20.0)


def page_a_plane_that_was_not_acquired(app):
    app.views.typed_state.data.layout = "coronal"
    app.views.enlarge("")
    app.views.turn_wheel("Coronal", 3, zooms=False)


def enlarge_the_surface(app):
    app.views.typed_state.data.layout = "surface"
    app.views.enlarge("ThreeD")


def hide_it(app):
    press(app, "crosshair")


def press(app, action):
    """Press a key, as within the loop that hears of it."""

    async def pressed():
        app.press(action)

    app.run(pressed())


def placed(app):
    return [app.clicks.position(row["number"]) for row in app.clicks.typed_state.data.rows]


@pytest.mark.parametrize(
    "hide",
    [pan_away, zoom_beside_it, page_a_plane_that_was_not_acquired, enlarge_the_surface, hide_it],
)
def test_where_it_is_not_seen_it_is_brought_into_view_first(app, hide):
    hide(app)
    at, width = app.views.crosshair_ras, frame_of(app.views.view("T1ce")).width_mm
    press(app, "place")
    said = app.status.typed_state.data
    assert placed(app) == [] and said.is_error and said.message.startswith("The crosshair was not to be seen")
    assert app.views.crosshair_seen and app.display.typed_state.data.crosshair
    assert frame_of(app.views.view("T1ce")).width_mm == pytest.approx(width)
    press(app, "place")
    np.testing.assert_allclose(placed(app), [at])


def test_where_it_is_seen_a_click_is_placed_at_once(app):
    # In the outermost slice, too.
    pan_by(app, 18.0)
    press(app, "top")
    at = app.views.crosshair_ras
    press(app, "place")
    np.testing.assert_allclose(placed(app), [at])


def test_over_the_bare_image_and_with_other_tools_nothing_is_placed_or_moved(app):
    pan_away(app)
    frame = frame_of(app.views.view("T1ce"))
    app.pointer.hold("bare", True)
    press(app, "place")
    app.pointer.hold("bare", False)
    press(app, "look")
    press(app, "place")
    assert placed(app) == [] and frame_of(app.views.view("T1ce")) == frame


def by_the_list(app):
    """Press the first row of the list of clicks, found where a browser finds it."""
    template = app.server.state.trame__template_main
    row = next(tag for tag in re.findall(r"<button [^>]*>", template) if "Bring this click into view" in tag)
    app.server.controller.trigger_fn(re.search(r"trigger__\d+", row)[0])(1)


def by_the_next_place(app):
    app.flow.next_place.led.emit(placed(app)[0])


@pytest.mark.parametrize("hide", [pan_away, enlarge_the_surface])
@pytest.mark.parametrize("lead", [by_the_list, by_the_next_place])
def test_what_leads_to_a_place_brings_it_into_view(app, lead, hide):
    press(app, "place")
    at = placed(app)[0]
    hide(app)
    assert not app.views.crosshair_seen
    lead(app)
    np.testing.assert_allclose(app.views.crosshair_ras, at)
    assert app.views.crosshair_seen


def test_what_leads_to_a_place_that_is_seen_leaves_the_views_where_they_are(app):
    press(app, "place")
    pan_by(app, 18.0)
    frame = frame_of(app.views.view("T1ce"))
    app.views.lead_to(placed(app)[0])
    assert frame_of(app.views.view("T1ce")) == frame
