"""What Slicer does by itself with mouse, fingers and keys in a view, in this process without a browser."""

import asyncio
import json

import numpy as np
import pytest
from bright_ball import CENTER, GRID
from VSClickCorrectApp.framing import frame_of
from VSClickCorrectApp.layouts import ALL_VIEWS, SLICE_VIEWS
from VSClickCorrectLib.mrml.segment_mask import refresh_surface
from vtkmodules.vtkWebCore import vtkRemoteInteractionAdapter

SIZE = 300
THICKNESS_MM = GRID.spacing[2]
# What Slicer or VTK know, or might; of a browser those arrive that the page's table of keys lacks.
SIGNS = "abcdefghijklmnopqrstuvwxyzBEFPQRSVW03[]{}+-"
NAMES = ("Left", "Up", "Delete", "Backspace", "Escape", "Home")
UP = {"shiftKey": 0, "ctrlKey": 0, "altKey": 0}


@pytest.fixture(scope="module")
def app(browser_app):
    browser_app.open_ball("ball")
    browser_app.views.typed_state.data.layout = "planes"
    browser_app.views.enlarge("")
    browser_app.run(asyncio.sleep(0.5))
    for name in ALL_VIEWS:
        browser_app.views.view(name).update_size(SIZE, SIZE)
    browser_app.views.fit()
    browser_app.views.jump_to(CENTER)
    return browser_app


def tell(app, view, kind, **about):
    """Let happen what trame passes on of a browser's events."""
    event = json.dumps({"type": kind, "w": SIZE, "h": SIZE, **about})
    assert vtkRemoteInteractionAdapter.ProcessEvent(app.views.view(view).interactor(), event)


def drag(app, view, button, **held):
    tell(app, view, "MouseMove", x=100, y=100, **UP)
    tell(app, view, f"{button}ButtonPress", x=100, y=100, **{**UP, **held})
    for at in (110, 125, 140):
        tell(app, view, "MouseMove", x=at, y=at, **{**UP, **held})
    tell(app, view, f"{button}ButtonRelease", x=140, y=140, **{**UP, **held})


def fingers(app, view, kind, told, end=True):
    """Two fingers on a view, and what is told of each of their moves."""
    places = {"1": {"x": 100, "y": 100}, "2": {"x": 200, "y": 200}}
    name = {"Pinch": "factor", "Rotate": "rotation"}[kind]
    steps = [(f"Start{kind}", told[0]), *((kind, value) for value in told[1:]), (f"End{kind}", told[-1])]
    for step, value in steps if end else steps[:-1]:
        tell(app, view, step, positions=places, **{name: value})


def frames(app):
    return [frame_of(app.views.view(name)) for name in SLICE_VIEWS]


def camera(app):
    made = app.views.view("ThreeD").renderer().GetActiveCamera()
    return (*made.GetPosition(), *made.GetFocalPoint(), *made.GetViewUp())


def looks(app):
    """What keys of Slicer's and VTK's change: views, windows, segment, slices in 3D, how things are drawn."""
    drawn = [frames(app), camera(app), list(app.display.typed_state.data.t1ce_window)]
    for name in ALL_VIEWS:
        view = app.views.view(name)
        actors = [actor for renderer in view.renderers() for actor in renderer.GetActors()]
        drawn.append([actor.GetProperty().GetRepresentation() for actor in actors])
        drawn.append(view.render_window().GetStereoRender())
    for name in SLICE_VIEWS:
        view = app.views.view(name)
        drawn.append((view.get_background_volume_id(), view.get_foreground_volume_id()))
        drawn.append((view.get_foreground_opacity(), view.is_visible_in_3d()))
    display = app.flow.workbench.nodes.segmentation.GetDisplayNode()
    return [*drawn, display.GetOpacity(), display.GetVisibility2D()]


@pytest.mark.parametrize("view", ALL_VIEWS)
def test_no_key_is_slicers_or_vtks(app, view):
    # VTK ends the process, unless somebody listens.
    ended, interactor = [], app.views.view(view).interactor()
    tag = interactor.AddObserver("ExitEvent", lambda *_: ended.append(view))
    before = looks(app)
    tell(app, view, "MouseMove", x=150, y=150, **UP)
    for sign in (*SIGNS, *NAMES):
        about = {"key": sign, "controlKey": 0, "shiftKey": int(sign.isupper()), "altKey": 0}
        tell(app, view, "KeyDown", keyCode=0, **about)
        # VTK hears each sign twice, which switches back what a switch did.
        assert looks(app) == before, sign
        if len(sign) == 1:
            tell(app, view, "KeyPress", keyCode=ord(sign), **about)
        tell(app, view, "KeyUp", keyCode=0, **about)
        assert looks(app) == before, sign
    interactor.RemoveObserver(tag)
    assert ended == []


@pytest.mark.parametrize("view", ["T1ce", "Coronal", "ThreeD"])
def test_a_twist_of_two_fingers_leaves_the_mouse_what_it_does(app, view):
    before = looks(app)
    # VTK's adapter takes the end of a twist for something else and tells nothing of it.
    fingers(app, view, "Rotate", [0.0, 10.0, 25.0, 40.0], end=False)
    assert looks(app) == before
    drag(app, view, "Right")
    assert looks(app) != before


def test_a_pinch_zooms_a_slice_by_what_fingers_do_around_the_middle(app):
    app.views.fit()
    before = frame_of(app.views.view("T1ce"))
    fingers(app, "T1ce", "Pinch", [1.0, 1.1, 1.2, 1.3, 1.4, 1.5])
    after = frame_of(app.views.view("T1ce"))
    # Slicer begins once the fingers have moved by a tenth.
    assert after.width_mm == pytest.approx(before.width_mm * 1.1 / 1.5)
    np.testing.assert_allclose(after.origin, before.origin, atol=before.width_mm / SIZE)
    fingers(app, "T1ce", "Pinch", [1.0, 1.2, 1.5])
    assert after.width_mm / 1.5 <= frame_of(app.views.view("T1ce")).width_mm <= after.width_mm / 1.2


def test_a_pinch_brings_the_camera_nearer_by_what_fingers_do(app):
    made = app.views.view("ThreeD").renderer().GetActiveCamera()
    before = made.GetDistance()
    fingers(app, "ThreeD", "Pinch", [1.0, 1.1, 1.2, 1.3, 1.4, 1.5])
    assert made.GetDistance() == pytest.approx(before / 1.5)


@pytest.mark.parametrize("view", ["T1ce", "Coronal", "ThreeD"])
def test_shift_with_the_pointer_leads_to_whole_slices(app, view):
    app.views.jump_to(CENTER)
    eye = app.views.view("ThreeD").get_camera_node()
    eye.SetFocalPoint(*CENTER)
    eye.SetPosition(*np.add(CENTER, (0.0, 200.0, 0.0)))
    refresh_surface(app.flow.workbench.nodes.segmentation)
    app.views.view("ThreeD").render_window().Render()
    tell(app, view, "KeyDown", key="Shift", keyCode=0, controlKey=0, shiftKey=1, altKey=0)
    for at in range(60, 240, 7):
        tell(app, view, "MouseMove", x=at, y=at, **{**UP, "shiftKey": 1})
        for name in ("T1ce", "T2"):
            height = app.views.view(name).get_slice_value()
            assert height / THICKNESS_MM == pytest.approx(round(height / THICKNESS_MM), abs=1e-6)
    assert np.linalg.norm(np.subtract(app.views.crosshair_ras, CENTER)) > 1.0


@pytest.mark.parametrize("place", [(20, 280), (290, 5)])
def test_shift_over_empty_space_leads_nowhere(app, place):
    app.views.jump_to(CENTER)
    app.views.view("ThreeD").render_window().Render()
    before = frames(app)
    x, y = place
    tell(app, "ThreeD", "KeyDown", key="Shift", keyCode=0, controlKey=0, shiftKey=1, altKey=0)
    tell(app, "ThreeD", "MouseMove", x=x, y=y, **{**UP, "shiftKey": 1})
    assert app.views.crosshair_ras == pytest.approx(CENTER)
    assert frames(app) == before


def test_shift_and_a_drag_from_empty_space_still_moves_the_camera(app):
    before = camera(app)
    drag(app, "ThreeD", "Left", shiftKey=1)
    assert camera(app) != before


def test_shift_with_the_pointer_moves_the_crosshair_under_it_also_after_a_drag(app):
    drag(app, "T1ce", "Left", shiftKey=1)
    tell(app, "T1ce", "MouseMove", x=180, y=120, **{**UP, "shiftKey": 1})
    view = app.views.view("T1ce")
    under = view.get_view_node().GetXYToRAS().MultiplyPoint((180.0, 120.0, 0.0, 1.0))[:3]
    np.testing.assert_allclose(app.views.crosshair_ras, under, atol=1e-6)


@pytest.mark.parametrize("held", [("shiftKey", "altKey"), ("altKey",)])
def test_drags_with_alt_leave_the_other_planes_where_they_are(app, held):
    app.views.jump_to(CENTER)
    before = [frame_of(app.views.view(name)) for name in ("Coronal", "Sagittal")]
    drag(app, "T1ce", "Left", **dict.fromkeys(held, 1))
    assert [frame_of(app.views.view(name)) for name in ("Coronal", "Sagittal")] == before
