"""A worklist on the page, of which somebody else has cases open too."""

import asyncio

import numpy as np
import pytest
from bright_ball import ball, ball_volume, write_image
from VSClickCorrectLib.app.logic.measures_logic import MeasuresLogic
from VSClickCorrectLib.app.logic.worklist_logic import WorklistLogic
from VSClickCorrectLib.imaging.click import Click, ClickKind
from VSClickCorrectLib.worklist.worklist import Worklist


@pytest.fixture
def folder(tmp_path):
    """Two cases with a mask each."""
    for name in ("one", "two"):
        (tmp_path / "cases" / name).mkdir(parents=True)
        write_image(tmp_path / "cases" / name / "T1ce.nii.gz", ball_volume().array)
        write_image(tmp_path / "cases" / name / "mask.nii.gz", ball(radius=5.0).astype(np.uint8))
    return tmp_path


def worklist(folder, annotator):
    return Worklist.open(folder / "cases", folder / "results", annotator)


@pytest.fixture
def page(parts):
    measures = MeasuresLogic(parts.server, parts.workspace)
    parts.logic = WorklistLogic(parts.server, parts.workspace, parts.networks, measures, parts.status)
    parts.shown = parts.logic.typed_state.data
    return parts


async def done(action, *arguments):
    """Let the page do something, and wait for the tasks in which it does."""
    action(*arguments)
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))


def test_a_case_that_somebody_else_has_is_taken_over_only_on_purpose(page, folder):
    mine, theirs = worklist(folder, "AB"), worklist(folder, "CD")

    async def day():
        await page.logic.begin(mine)
        theirs.go_to("two")
        await done(page.logic.go_to, "two")
        assert (page.shown.taken, page.shown.current) == ("two", "one")
        assert page.shown.holder.startswith("CD on ")
        assert page.workspace.case.name == "one"
        assert "1 open with others" in page.shown.progress
        await done(page.logic.take_over)
        assert (page.shown.taken, page.shown.current) == ("", "two")
        assert page.workspace.case.name == "two"

    asyncio.run(day())
    assert mine.current.name == "two"


def test_who_lost_a_case_is_told_and_goes_on_with_the_next(page, folder):
    mine, theirs = worklist(folder, "AB"), worklist(folder, "CD")

    async def day():
        await page.logic.begin(mine)
        theirs.go_to("one", take_over=True)
        await done(page.logic.next)
        assert page.shown.current == page.workspace.case.name == "two"
        assert page.message.is_error and page.message.message.startswith("Case one was taken over by CD on ")

    asyncio.run(day())
    assert theirs.current.name == "one"


def test_a_click_on_a_case_that_was_lost_changes_neither_the_mask_nor_the_journal(page, folder):
    mine, theirs = worklist(folder, "AB"), worklist(folder, "CD")

    async def day():
        await page.logic.begin(mine)
        theirs.go_to("one", take_over=True)

    asyncio.run(day())
    mask, text = page.workspace.case.mask, mine.journal_path.read_text()
    before = mask.read(mask.grid.box)
    page.workspace.clicks.place(Click(tuple(mask.grid.center_ras), ClickKind.EXCLUDE))
    assert page.message.is_error and page.message.message.startswith("Case one was taken over by CD on ")
    np.testing.assert_array_equal(mask.read(mask.grid.box), before)
    assert mine.journal_path.read_text() == text
