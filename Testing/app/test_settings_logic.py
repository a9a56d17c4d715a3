"""How proposals are used, chosen on the page."""

import asyncio

import pytest
from bright_ball import ball, ball_volume
from VSClickCorrectLib.app.logic.settings_logic import SettingsLogic
from VSClickCorrectLib.workflow.opened_case import OpenedCase


@pytest.fixture
def page(parts):
    parts.logic = SettingsLogic(parts.server, parts.host, parts.flow)
    parts.shown = parts.logic.typed_state.data
    parts.server.state.ready()
    return parts


async def flushed(page):
    """Let the page's choice be used; what is put back is a choice of its own."""
    page.server.state.flush()
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))


def test_merge_threshold_carry_and_corrector_reach_the_session(page):
    async def choose():
        page.workbench.open(OpenedCase("ball", ball_volume(), None, ball(radius=5.0)))
        await page.workbench.begin()
        own = page.workbench.session.corrector.identity
        assert [page.shown.corrector] == page.shown.correctors == [own.partition("@")[0]]
        page.shown.merge, page.shown.threshold, page.shown.carry = "replace", 0.7, 0
        await flushed(page)
        return own

    own = asyncio.run(choose())
    assert page.workbench.session.merge == "replace"
    assert page.workbench.session.corrector.identity == f"{own}, threshold 0.7, carry 0"


@pytest.mark.parametrize(
    ("name", "value"),
    [("corrector", "../other"), ("merge", "none"), ("threshold", 1.0), ("carry", -1)],
)
def test_what_the_page_does_not_offer_is_put_back(page, name, value):
    before = getattr(page.shown, name)
    setattr(page.shown, name, value)
    asyncio.run(flushed(page))
    assert getattr(page.shown, name) == before
    assert page.flow.networks.choice.corrector == ""
