"""A page that goes while a button of the mouse is held down, in this process without a browser."""

import pytest
from VSClickCorrectApp.framing import frame_of


@pytest.fixture(scope="module")
def app(browser_app):
    browser_app.open_ball("ball")
    return browser_app


def mouse(app, name, x, y, control=0):
    interactor = app.views.view("T1ce").interactor()
    interactor.SetEventInformation(x, y, control, 0, chr(0), 0, None)
    getattr(interactor, name)()


def window(app):
    return list(app.display.typed_state.data.t1ce_window)


def lengths(app):
    return [line["text"] for line in app.overlay.typed_state.data.distances["T1ce"]]


def test_a_window_is_not_set_by_a_page_that_came_after_the_press(app):
    before = window(app)
    mouse(app, "LeftButtonPressEvent", 100, 100, control=1)
    mouse(app, "MouseMoveEvent", 120, 100, control=1)
    set_by_drag = window(app)
    app.server.controller.on_client_exited()
    mouse(app, "MouseMoveEvent", 180, 150)
    assert before != set_by_drag == window(app)


@pytest.mark.parametrize("button", ["Left", "Middle", "Right"])
def test_a_view_is_neither_panned_nor_zoomed_by_it(app, button):
    app.press("boundary")
    mouse(app, f"{button}ButtonPressEvent", 100, 100)
    for x in (110, 120, 130):
        mouse(app, "MouseMoveEvent", x, x)
    moved = frame_of(app.views.view("T1ce"))
    app.server.controller.on_client_connected()
    for x in (150, 180):
        mouse(app, "MouseMoveEvent", x, x)
    assert frame_of(app.views.view("T1ce")) == moved


def test_a_distance_ends_where_the_page_left_it(app):
    app.press("measure")
    mouse(app, "LeftButtonPressEvent", 100, 100)
    mouse(app, "MouseMoveEvent", 130, 100)
    (measured,) = lengths(app)
    app.server.controller.on_client_exited()
    mouse(app, "MouseMoveEvent", 180, 150)
    assert lengths(app) == [measured]
