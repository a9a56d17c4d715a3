"""Coroutines in an event loop that knows none."""

import pytest
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.workflow.host import Debounced
from VSClickCorrectLib.workflow.observable import Signal


async def work(host, seen):
    seen.append("begun")
    seen.append(await host.background(lambda: "worked"))
    await host.pause(0.5)
    seen.append("paused")
    raise CorrectionError("it went wrong.")


def test_a_verb_goes_on_at_once_until_it_pauses(host):
    seen = []
    host.start(work(host, seen))
    assert seen == ["begun", "worked"]
    host.pass_time(0.4)
    assert seen == ["begun", "worked"]
    host.pass_time(0.5)
    assert (seen[-1], host.status) == ("paused", "It went wrong.")


def test_what_goes_wrong_before_the_first_pause_reaches_who_began_it(host):
    async def wrong():
        raise CorrectionError("it went wrong.")

    with pytest.raises(CorrectionError):
        host.start(wrong())


def test_debounced_action_happens_once_things_are_quiet(host):
    done = []
    debounced = Debounced(host, 0.3, lambda: done.append(True))
    debounced()
    debounced()
    host.pass_time()
    assert done == [True]
    debounced()
    debounced.cancel()
    host.pass_time()
    assert done == [True]


def test_signal_calls_everyone_in_turn():
    signal, heard = Signal(), []
    signal.connect(lambda value: heard.append(("first", value)))
    signal.connect(lambda value: heard.append(("second", value)))
    signal.emit(3)
    assert heard == [("first", 3), ("second", 3)]
