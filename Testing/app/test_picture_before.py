"""Presses on a picture that is not of what is open any more, in this process without a browser."""

import numpy as np
import pytest
from bright_ball import CENTER, ball

REFUSED = "The view was just about to show something else, so nothing was done there; do it again."


@pytest.fixture
def app(browser_app):
    return browser_app


def opened(app, name):
    """The number of the picture of a case that was opened."""
    app.open_ball(name)
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
