"""The mouse on the marker of a click, in this process without a browser."""

import numpy as np
import pytest
from bright_ball import CENTER
from VSClickCorrectApp.framing import frame_of
from VSClickCorrectApp.layouts import SLICE_VIEWS

OUTSIDE = np.add(CENTER, (0.0, 12.0, 0.0))


@pytest.fixture
def app(browser_app):
    """The app with one include click beside the middle of its views."""
    browser_app.open_ball("ball")
    view = browser_app.views.view("T1ce")
    number = browser_app.views.pictures.number(view)
    left, top = browser_app.views.pictures.of(number)[1].place(OUTSIDE)

    async def clicked():
        browser_app.press("include")
        browser_app.click(number, left / 100, top / 100)

    browser_app.run(clicked())
    return browser_app


def frames(app):
    return [frame_of(app.views.view(name)) for name in SLICE_VIEWS]


def mouse_on_marker(app, *names):
    """Let events of the mouse happen where the click was placed, as they come from a page."""
    (row,) = app.clicks.typed_state.data.rows
    view = app.views.view("T1ce")
    to_xy = np.linalg.inv(app.views.pictures.of(app.views.pictures.number(view))[1].xy_to_ras)
    x, y = (to_xy @ (*app.clicks.position(row["number"]), 1.0))[:2]
    for name in names:
        view.interactor().SetEventInformation(round(x), round(y), 0, 0, chr(0), 0, None)
        getattr(view.interactor(), name)()


# Slicer would centre its views on a point that is pressed; the page tells of the same press by itself.
@pytest.mark.parametrize("action", ["include", "look"])
def test_a_press_on_a_marker_leaves_the_views_where_they_are(app, action):
    app.press(action)
    before = frames(app)
    mouse_on_marker(app, "MouseMoveEvent", "LeftButtonPressEvent", "LeftButtonReleaseEvent")
    assert frames(app) == before


def test_a_key_on_a_marker_takes_no_click_back(app):
    mouse_on_marker(app, "MouseMoveEvent")
    interactor = app.views.view("T1ce").interactor()
    interactor.SetKeyEventInformation(0, 0, chr(127), 1, "Delete")
    interactor.KeyPressEvent()
    assert len(app.clicks.typed_state.data.rows) == 1
