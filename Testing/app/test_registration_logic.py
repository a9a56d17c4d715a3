"""The T2 that lies elsewhere than the T1ce, on the page."""

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest
from VSClickCorrectApp.logic.registration_logic import RegistrationLogic
from VSClickCorrectApp.logic.running_logic import RunningLogic
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.errors import Cancelled
from VSClickCorrectLib.io.registration import Registration, moved
from VSClickCorrectLib.jobs.job import JobState
from VSClickCorrectLib.mrml.volumes import grid_of
from VSClickCorrectLib.workflow.opened_case import OpenedCase

# The T2's headers say that the patient lies 4 mm to the left and 2 mm up of where the T1ce has them.
SHIFT = np.array([4.0, 0.0, -2.0])


@pytest.fixture
def page(parts):
    """The logic, with a state that tells of changes as a browser does."""
    parts.running = RunningLogic(parts.server, parts.host, parts.flow)
    parts.logic = RegistrationLogic(parts.server, parts.host, parts.flow.registration)
    parts.shown = parts.logic.typed_state.data
    parts.server.state.ready()
    return parts


@pytest.fixture
def shifted(small):
    """The small case, with a T2 whose headers are wrong."""
    matrix = np.eye(4)
    matrix[:3, 3] = SHIFT
    return OpenedCase("shifted", small.t1ce, moved(small.t2, matrix), small.truth)


def run(page, action):
    """Let the page do something that takes a job, and wait for its end."""

    async def whole():
        await page.workbench.begin()
        action()
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))

    asyncio.run(whole())


def switch(page, on):
    """Turn the switch of the page."""

    def turn():
        page.shown.moved = on
        page.server.state.flush()

    run(page, turn)


def t2_sampled(page):
    """The T2 as the networks see it, on the T1ce's grid."""
    return page.workbench.under_way.session.case.t2.array.astype(float)


def test_registering_is_offered_where_the_grids_differ(page, shifted, small):
    page.workbench.open(shifted)
    assert page.shown.offered
    assert "of the T2 lies within the T1ce" in page.shown.sentence
    page.workbench.open(OpenedCase("together", small.t1ce, small.t2, small.truth))
    assert (page.shown.offered, page.shown.sentence) == (False, "")
    page.workbench.open(OpenedCase("alone", small.t1ce, None, small.truth))
    assert not page.shown.offered


def test_t2_is_moved_and_taken_back(page, shifted, small):
    page.workbench.open(shifted)
    before = grid_of(page.workbench.case.t2).affine
    run(page, page.logic.register)
    assert (page.shown.done, page.shown.moved) == (True, True)
    middle = np.append((np.array(small.grid.shape[::-1]) - 1) / 2, 1)
    wanted = small.t2.grid.affine @ middle
    found = grid_of(page.workbench.case.t2).affine @ middle
    np.testing.assert_allclose(found, wanted, atol=0.6)
    assert page.shown.sentence.startswith("Moved by 4.")
    registered = t2_sampled(page)
    switch(page, False)
    np.testing.assert_allclose(grid_of(page.workbench.case.t2).affine, before, atol=1e-9)
    as_it_came = t2_sampled(page)
    assert np.abs(registered - small.t2.array).mean() < 0.5 * np.abs(as_it_came - small.t2.array).mean()
    switch(page, True)
    np.testing.assert_array_equal(t2_sampled(page), registered)


def test_clicks_stay_while_the_t2_moves(page, shifted, small):
    page.workbench.open(shifted)
    place = Click(tuple(small.grid.index_to_ras((2, 2, 2))), ClickKind.INCLUDE)

    def click_and_register():
        page.workbench.under_way.place(place)
        page.logic.register()

    run(page, click_and_register)
    assert [row.kind for row in page.workbench.under_way.rows] == [ClickKind.INCLUDE]
    page.workbench.under_way.undo()
    np.testing.assert_array_equal(page.workbench.case.mask.read(small.grid.box), small.truth)


class Endless:
    """A job that is never done by itself."""

    def __init__(self, *_volumes):
        self.cancelled = False

    def poll(self):
        return JobState(0.3, "registering", self.cancelled)

    def cancel(self):
        self.cancelled = True

    def result(self):
        raise Cancelled("the computation was cancelled.")


def test_cancelled_registration_changes_nothing(page, shifted, monkeypatch):
    monkeypatch.setattr("VSClickCorrectLib.jobs.job.Job", SimpleNamespace(start_registration=Endless))
    page.workbench.open(shifted)
    before = grid_of(page.workbench.case.t2).affine

    async def impatient():
        await page.workbench.begin()
        page.logic.register()
        task = next(iter(asyncio.all_tasks() - {asyncio.current_task()}))
        await asyncio.sleep(0.01)
        progress = page.running.typed_state.data
        assert (progress.running, progress.percent) == (True, 30)
        assert page.workbench.under_way.mode.busy
        page.running.cancel()
        await task
        assert not progress.running

    asyncio.run(impatient())
    assert page.message.message == "Cancelled; nothing was changed."
    assert not (page.shown.done or page.workbench.under_way.mode.busy)
    np.testing.assert_array_equal(grid_of(page.workbench.case.t2).affine, before)


def test_correction_that_begins_meanwhile_waits_for_the_job(page, shifted, monkeypatch):
    monkeypatch.setattr("VSClickCorrectLib.jobs.job.Job", SimpleNamespace(start_registration=Endless))
    page.workbench.open(shifted)

    async def early():
        page.logic.register()
        task = next(iter(asyncio.all_tasks() - {asyncio.current_task()}))
        await asyncio.sleep(0.01)
        await page.workbench.begin()
        assert page.workbench.under_way.mode.busy
        page.workbench.close()
        await task

    asyncio.run(early())


def test_t2_that_lies_as_well_is_left_alone(page, shifted, monkeypatch):
    result = Registration(np.eye(4), False, 1.1, 1.1, 0.1, 0.0, 1.0)

    class Done(Endless):
        def poll(self):
            return JobState(1.0, "", True)

        def result(self):
            return result

    monkeypatch.setattr("VSClickCorrectLib.jobs.job.Job", SimpleNamespace(start_registration=Done))
    page.workbench.open(shifted)
    before = grid_of(page.workbench.case.t2).affine
    run(page, page.logic.register)
    assert (
        page.shown.sentence == page.message.message == "The T2 lay as well before; it was left where it is."
    )
    assert not page.shown.done
    np.testing.assert_array_equal(grid_of(page.workbench.case.t2).affine, before)
