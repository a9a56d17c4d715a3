"""The tumour's parts on the page: rows with colours, the one that is corrected, what they measure."""

import asyncio

import numpy as np
import pytest
from bright_ball import CENTER, RADIUS_MM, ball, ball_volume
from VSClickCorrectApp.logic.tumour_parts_logic import TumourPartsLogic
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.inference.parts import FoundParts
from VSClickCorrectLib.measure.tumour_parts import PARTS
from VSClickCorrectLib.workflow.opened_case import OpenedCase


class Halving:
    """Parts a mask at the middle of its columns."""

    def find(self, _case, mask):
        box = mask.extent()
        values = mask.read(box)
        first = np.arange(box.shape[2]) < box.shape[2] // 2
        return FoundParts(PARTS, box, np.where(values, np.where(first, 1, 2), 0).astype(np.uint8))


@pytest.fixture
def page(parts, monkeypatch):
    loading = "VSClickCorrectLib.inference.parts.PartsSegmenter.load"
    monkeypatch.setattr(loading, lambda *_: Halving())
    parts.logic = TumourPartsLogic(parts.server, parts.host, parts.flow.parts)
    parts.shown = parts.logic.typed_state.data
    parts.server.state.ready()
    parts.workbench.open(OpenedCase("ball", ball_volume(), None, ball()))
    return parts


def run(page, *verbs):
    async def whole():
        await page.workbench.begin()
        for verb in verbs:
            verb()
            while others := asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.gather(*others)

    asyncio.run(whole())


def test_the_page_shows_parts_in_their_colours_and_lets_one_be_corrected(page):
    run(page, page.logic.make)
    assert [row["name"] for row in page.shown.rows] == ["tumour", *PARTS]
    colours = [row["color"] for row in page.shown.rows]
    assert len(set(colours)) == 4
    assert colours[0] == "rgb(0, 158, 115)"
    assert page.shown.chosen == "tumour"
    assert "Largest extrameatal axial diameter" in page.shown.text
    whole = page.workbench.values().sum()
    run(page, lambda: page.logic.correct("extrameatal"))
    assert page.shown.chosen == "extrameatal"
    assert 0 < page.workbench.values().sum() < whole


def test_work_on_tumour_and_parts_is_unsaved_whichever_is_corrected(page):
    unsaved, border = page.flow.unsaved, (CENTER[0] + RADIUS_MM, *CENTER[1:])

    async def day():
        await page.workbench.begin()
        page.workbench.under_way.place(Click(border, ClickKind.EXCLUDE))
        assert unsaved.there and unsaved.work.startswith("1 click")
        await page.flow.parts.make()
        tumour = unsaved.stand
        await page.flow.parts.correct("extrameatal")
        assert unsaved.there and unsaved.work.startswith("1 click")
        page.workbench.under_way.place(Click(CENTER, ClickKind.EXCLUDE))
        assert unsaved.work.startswith("2 clicks")
        unsaved.note_saved(tumour)
        assert unsaved.there
        await page.flow.parts.correct("tumour")
        assert unsaved.there and unsaved.work.startswith("2 clicks")
        unsaved.note_saved()
        assert not unsaved.there
        page.workbench.close()
        assert unsaved.work == ""

    asyncio.run(day())


def test_finding_the_tumour_asks_before_clicks_on_it_go_while_a_part_is_corrected(page):
    async def day():
        await page.workbench.begin()
        page.workbench.under_way.place(Click((CENTER[0] + RADIUS_MM, *CENTER[1:]), ClickKind.EXCLUDE))
        await page.flow.parts.make()
        await page.flow.parts.correct("extrameatal")
        finding = asyncio.create_task(page.flow.initial.find())
        while not page.host.typed_state.data.text and not finding.done():
            await asyncio.sleep(0.01)
        assert "its work goes with it: 1 click" in page.host.typed_state.data.text
        page.host.answer(False)
        await finding

    asyncio.run(day())


def test_models_without_parts_are_named(page, monkeypatch):
    monkeypatch.undo()
    run(page, page.logic.make)
    assert page.message.is_error
    assert "parts model" in page.message.message
    assert page.shown.rows == []
