"""How proposals are used, chosen on the page."""

import asyncio

import pytest
from bright_ball import ball, ball_volume
from VSClickCorrectApp.logic.settings_logic import SettingsLogic
from VSClickCorrectLib.inference.adapted_models import keep_adapted
from VSClickCorrectLib.inference.manifest import ModelFolder
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


def test_learning_is_off_until_the_page_switches_it_on(page):
    assert not page.flow.learning.on and not page.shown.learns
    page.shown.learns = True
    asyncio.run(flushed(page))
    assert page.flow.learning.on
    page.shown.learns = False
    asyncio.run(flushed(page))
    assert not page.flow.learning.on


def test_a_corrector_that_has_learned_is_offered_and_used_from_the_next_case_on(page, user_data):
    async def learn():
        page.workbench.open(OpenedCase("ball", ball_volume(), None, ball(radius=5.0)))
        await page.workbench.begin()
        models = ModelFolder(page.flow.networks.choice.path)
        parent = models.entry("corrector")
        tensors = {n: t.half() for n, t in models.load_as_trained(parent).state_dict().items()}
        kept = keep_adapted(parent, tensors, {"cases": 5, "own": [0.1, 0.2], "builtin": [0.3, 0.3]})
        page.flow.networks.choice = page.flow.networks.choice._replace(corrector=kept.name)
        page.flow.learning.changed.emit()
        before = page.workbench.correction
        await flushed(page)
        assert page.workbench.correction is before
        return kept.name

    name = asyncio.run(learn())
    assert page.shown.correctors == ["mend", name] and page.shown.corrector == name
    # One click leads back to the released one, at once.
    page.shown.corrector = "mend"
    asyncio.run(flushed(page))
    assert page.flow.networks.choice.corrector == ""
    assert page.workbench.session.corrector.identity.startswith("mend@")
