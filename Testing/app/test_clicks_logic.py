"""The list of clicks on the page, which a quick hand meets while it is older than the clicks."""

import asyncio

import pytest
from bright_ball import CENTER, RADIUS_MM, ball, ball_volume
from VSClickCorrectApp.logic.clicks_logic import ClicksLogic
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.workflow.opened_case import OpenedCase

AWAY = ((RADIUS_MM, 0.0, 0.0), (-RADIUS_MM, 0.0, 0.0), (0.0, RADIUS_MM, 0.0))


@pytest.fixture
def page(parts, slicer_app):
    """Three clicks."""
    parts.logic = ClicksLogic(parts.server, slicer_app, parts.host, parts.flow)
    parts.shown = parts.logic.typed_state.data
    parts.workbench.open(OpenedCase("ball", ball_volume(), None, ball(radius=5.0)))
    asyncio.run(parts.workbench.begin())
    for shift in AWAY:
        parts.workbench.under_way.place(Click(tuple(map(sum, zip(CENTER, shift, strict=True)))))
    assert [row["number"] for row in parts.shown.rows] == [1, 2, 3]
    return parts


def places(page):
    return [page.logic.position(row["number"]) for row in page.shown.rows]


def test_a_second_press_on_a_row_takes_no_other_click_back(page):
    first, _, third = page.shown.rows
    before = places(page)
    page.logic.remove(first["number"], first["mark"])
    page.logic.remove(first["number"], first["mark"])
    assert places(page) == before[1:]
    # Pressed as the list showed it before the first one had gone.
    page.logic.remove(third["number"], third["mark"])
    assert places(page) == [before[1]]
    assert not page.message.is_error


def test_of_two_clicks_in_one_place_the_one_is_taken_back_on_which_the_cross_was_pressed(page):
    again = page.workbench.under_way.rows[0].position_ras
    page.workbench.under_way.place(Click(again))
    first, *_, last = page.shown.rows
    before = [one.number for one in page.workbench.session.standing]
    page.logic.remove(last["number"], last["mark"])
    assert [one.number for one in page.workbench.session.standing] == before[:-1]
    page.logic.remove(last["number"], last["mark"])
    assert [one.number for one in page.workbench.session.standing] == before[:-1]
    page.logic.remove(first["number"], first["mark"])
    assert [one.number for one in page.workbench.session.standing] == before[1:-1]
