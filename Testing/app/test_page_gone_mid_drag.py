"""A page that goes while a button of the mouse is held down, in this process without a browser."""

import pytest
from VSClickCorrectApp.connection import SENDER
from VSClickCorrectApp.framing import frame_of


@pytest.fixture(scope="module")
def app(browser_app):
    browser_app.open_ball("ball")
    return browser_app


def mouse(app, name, x, y, control=0, view="T1ce"):
    interactor = app.views.view(view).interactor()
    interactor.SetEventInformation(x, y, control, 0, chr(0), 0, None)
    getattr(interactor, name)()


def tell(app, what, *about):
    app.server.controller.trigger_fn(f"vs_{what}")(*about)


def eye(view):
    camera = view.renderer().GetActiveCamera()
    return camera.GetPosition(), camera.GetFocalPoint(), camera.GetViewUp()


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
    number = app.views.pictures.number(app.views.view("T1ce"))
    tell(app, "drag", True, number, 0.3, 0.3)
    tell(app, "hover", number, 0.4, 0.3)
    (measured,) = lengths(app)
    app.server.controller.on_client_exited()
    tell(app, "hover", number, 0.6, 0.5)
    assert lengths(app) == [measured]


@pytest.mark.parametrize("button", ["Left", "Middle", "Right"])
def test_a_camera_is_neither_turned_nor_moved_by_it(app, button):
    view = app.views.view("ThreeD")
    view.update_size(300, 300)
    mouse(app, f"{button}ButtonPressEvent", 100, 100, view="ThreeD")
    for x in (110, 120, 130):
        mouse(app, "MouseMoveEvent", x, x, view="ThreeD")
    moved = eye(view)
    app.server.controller.on_client_connected()
    for x in (150, 180):
        mouse(app, "MouseMoveEvent", x, x, view="ThreeD")
    assert eye(view) == moved


def test_where_another_window_goes_what_is_dragged_and_held_in_this_one_goes_on(app):
    def from_another(what):
        mine = SENDER.set("another window")
        getattr(app.server.controller, f"on_client_{what}")()
        SENDER.reset(mine)

    app.press("boundary")
    mouse(app, "RightButtonPressEvent", 100, 100)
    mouse(app, "MouseMoveEvent", 110, 110)
    before = frame_of(app.views.view("T1ce"))
    from_another("exited")
    mouse(app, "MouseMoveEvent", 150, 150)
    assert frame_of(app.views.view("T1ce")) != before
    mouse(app, "RightButtonReleaseEvent", 150, 150)
    app.press("measure")
    number = app.views.pictures.number(app.views.view("T1ce"))
    tell(app, "drag", True, number, 0.3, 0.7)
    tell(app, "hover", number, 0.4, 0.7)
    measured = lengths(app)
    from_another("exited")
    tell(app, "hover", number, 0.6, 0.7)
    assert len(lengths(app)) == len(measured) and lengths(app) != measured
    tell(app, "drag", False, number, 0.6, 0.7)
    tell(app, "hold", "bare", True)
    from_another("exited")
    assert app.display.bare
    app.server.controller.on_client_exited()
    assert not app.display.bare
