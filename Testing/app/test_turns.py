"""When the views of all planes are drawn and sent after a click, in this process without a browser."""

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest
from bright_ball import CENTER, RADIUS_MM, ball, ball_volume
from trame.app import get_server
from VSClickCorrectApp.application import BrowserApp
from VSClickCorrectApp.layouts import ALL_VIEWS
from VSClickCorrectApp.uploads import Uploads
from VSClickCorrectLib.inference.manifest import Choice
from VSClickCorrectLib.workflow.opened_case import OpenedCase

SHOWN = ("T1ce", "T2", "Coronal", "Sagittal", "ThreeD")
# Nothing is drawn or sent for so long: then nothing will be any more.
QUIET_S = 0.5


@pytest.fixture(scope="module")
def after_a_click(bright_models):
    """What happens with the views after a click in the T1ce, in order: their names, drawn or sent."""
    return asyncio.run(clicked(Choice(str(bright_models), "", "cpu")))


async def clicked(choice):
    app = BrowserApp(choice, Uploads(), get_server("turns", "vue3"))
    happened = []
    send_into(happened, app)
    app.flow.workbench.open(OpenedCase("ball", ball_volume(), ball_volume(t2=True), ball(radius=5.0)))
    await app.flow.workbench.begin()
    app.views.typed_state.data.layout = "planes"
    app.views.enlarge("")
    for name in SHOWN:
        app.views.view(name).schedule_render()
    await drawn(happened)
    happened.clear()
    point = np.add(CENTER, (RADIUS_MM, 0.0, 0.0))
    app.views.view("T1ce").schedule_render()
    app.clicks.place(tuple(map(float, point)))
    await drawn(happened)
    told = list(happened)
    app.close()
    return told


def send_into(happened, app):
    """Let the views that are shown tell when they are drawn, and when their pictures are sent."""

    def register(adapter):
        name = max((view for view in ALL_VIEWS if adapter.area_name.endswith(view)), key=len)
        if name in SHOWN:
            adapter.set_streamer(SimpleNamespace(push_content=lambda *_: happened.append((name, "sent"))))
            renderer = app.views.view(name).renderer()
            renderer.AddObserver("StartEvent", lambda *_: happened.append((name, "drawn")))

    app.server.controller.rc_area_register = register
    app.server.ready.set_result(True)


async def drawn(happened):
    """Wait until all views have been sent and nothing happens any more."""
    for _ in range(100):
        count = len(happened)
        await asyncio.sleep(QUIET_S)
        if count == len(happened) and {name for name, what in happened if what == "sent"} == set(SHOWN):
            return
    pytest.fail(f"only {happened}")


def test_each_slice_view_is_drawn_once_after_a_click_and_then_the_surface(after_a_click):
    drawn = [name for name, what in after_a_click if what == "drawn"]
    *slices, surface = SHOWN
    assert sorted(drawn[:4]) == sorted(slices), drawn
    # Where the machine is slow, what is worked out of the surface later comes after it was drawn.
    assert set(drawn[4:]) == {surface}, drawn


def test_each_is_sent_before_the_next_is_drawn_and_first_the_one_that_was_clicked(after_a_click):
    names = [name for name, _ in after_a_click[::2]]
    assert after_a_click == [(name, what) for name in names for what in ("drawn", "sent")]
    assert names[0] == "T1ce"
