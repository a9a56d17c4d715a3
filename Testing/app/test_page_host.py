"""The page as the workflow's host: what is begun, and what no longer."""

import asyncio
from inspect import CORO_CLOSED, getcoroutinestate

import pytest
from trame_server import Server
from VSClickCorrectApp.page_host import PageHost
from VSClickCorrectApp.status import Status


@pytest.fixture
def host():
    state = Server().state
    state.ready()
    return PageHost(state, Status(state))


@pytest.fixture
def done():
    return []


@pytest.fixture
def work(done):
    async def noted():
        done.append("begun")

    return noted


def test_what_waits_or_is_asked_for_in_the_loop_is_done(host, work, done):
    async def day():
        host.later(0.0, lambda: host.start(work()))
        host.start(work())
        await asyncio.sleep(0.05)

    asyncio.run(day())
    assert done == ["begun"] * 2


def test_what_still_waits_when_all_has_ended_is_not_done(host, work, done):
    """A timer may come after the last case was closed: where to click next, for instance."""
    late = work()

    async def day():
        host.later(0.0, lambda: host.start(work()))
        host.end()
        host.start(late)
        await asyncio.sleep(0.05)

    asyncio.run(day())
    assert done == []
    assert getcoroutinestate(late) == CORO_CLOSED


def test_what_is_asked_for_outside_the_event_loop_is_not_left_behind(host, work, done):
    started = work()
    host.start(started)
    host.later(0.0, lambda: done.append("later"))
    assert getcoroutinestate(started) == CORO_CLOSED
    assert done == []
