"""Presses on a picture that is not of what is open any more, in this process without a browser."""

import asyncio

import numpy as np
import pytest
from bright_ball import CENTER, ball, ball_volume
from trame.app import get_server
from VSClickCorrectApp.application import BrowserApp
from VSClickCorrectApp.uploads import Uploads
from VSClickCorrectLib.workflow.loaded_networks import Choice
from VSClickCorrectLib.workflow.opened_case import OpenedCase

REFUSED = "The view was just about to show something else, so nothing was done there; do it again."


@pytest.fixture(scope="module")
def app(bright_models):
    made = BrowserApp(Choice(str(bright_models), "", "cpu"), Uploads(), get_server("before", "vue3"))
    loop = asyncio.new_event_loop()
    made.run = loop.run_until_complete
    yield made
    made.run(closed(made))
    loop.close()


async def closed(app):
    app.close()


def opened(app, name):
    """The number of the picture of a case that was opened."""

    async def begin():
        app.flow.workbench.open(OpenedCase(name, ball_volume(), ball_volume(t2=True), ball(radius=5.0)))
        await app.flow.workbench.begin()

    app.run(begin())
    return app.views.pictures.number(app.views.view("T1ce"))


def press(app, number):
    """Send what the page sends of a press in the middle of a picture."""
    app.server.controller.trigger_fn("vs_click")(number, 0.5, 0.5)


def test_no_click_is_placed_in_a_case_by_a_press_on_the_picture_of_another(app):
    before = opened(app, "one")
    now = opened(app, "other")
    app.press("exclude")
    press(app, before)
    assert app.status.typed_state.data.message == REFUSED and app.flow.clicks.rows == []
    press(app, now)
    # The view is zoomed to the tumour, whose middle is the ball's.
    (row,) = app.flow.clicks.rows
    np.testing.assert_allclose(app.clicks.position(row.number), CENTER, atol=1.0)


def test_none_is_placed_by_a_press_on_the_mask_before(app):
    before = opened(app, "one")
    app.flow.workbench.restart(ball(radius=6.0))
    app.press("exclude")
    press(app, before)
    assert app.status.typed_state.data.message == REFUSED and app.flow.clicks.rows == []
