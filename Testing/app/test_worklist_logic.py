"""A worklist on the page, of which somebody else has cases open too."""

import asyncio

import numpy as np
import pytest
from bright_ball import ball, ball_volume, write_image
from trame_server import Server
from VSClickCorrectLib.app.logic.measures_logic import MeasuresLogic
from VSClickCorrectLib.app.logic.worklist_logic import WorklistLogic
from VSClickCorrectLib.app.models import LazyNetworks
from VSClickCorrectLib.app.status import Status
from VSClickCorrectLib.app.workspace import Workspace
from VSClickCorrectLib.inference.models import ModelFolder
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


class Page:
    """The logic of the page's worklist; what it does in tasks is awaited."""

    def __init__(self, slicer_app, models):
        def at_once(action):
            action()

        server = Server()
        self.status = Status(server.state)
        self.workspace = Workspace(slicer_app, self.status, at_once, at_once)
        measures = MeasuresLogic(server, self.workspace)
        networks = LazyNetworks(ModelFolder(models), "cpu")
        self.logic = WorklistLogic(server, self.workspace, networks, measures, self.status)
        self.shown = self.logic.typed_state.data

    async def does(self, action, *arguments):
        action(*arguments)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others)


@pytest.fixture
def page(slicer_app, bright_models):
    page = Page(slicer_app, bright_models)
    yield page
    page.workspace.close()


def test_a_case_that_somebody_else_has_is_taken_over_only_on_purpose(page, folder):
    mine, theirs = worklist(folder, "AB"), worklist(folder, "CD")

    async def day():
        await page.logic.begin(mine)
        theirs.go_to("two")
        await page.does(page.logic.go_to, "two")
        assert (page.shown.taken, page.shown.current) == ("two", "one")
        assert page.shown.holder.startswith("CD on ")
        assert page.workspace.case.name == "one"
        assert "1 open with others" in page.shown.progress
        await page.does(page.logic.take_over)
        assert (page.shown.taken, page.shown.current) == ("", "two")
        assert page.workspace.case.name == "two"

    asyncio.run(day())
    assert mine.current.name == "two"


def test_who_lost_a_case_is_told_and_goes_on_with_the_next(page, folder):
    mine, theirs = worklist(folder, "AB"), worklist(folder, "CD")

    async def day():
        await page.logic.begin(mine)
        theirs.go_to("one", take_over=True)
        await page.does(page.logic.next)
        assert page.shown.current == page.workspace.case.name == "two"
        message = page.status.typed_state.data
        assert message.is_error and message.message.startswith("Case one was taken over by CD on ")

    asyncio.run(day())
    assert theirs.current.name == "one"
