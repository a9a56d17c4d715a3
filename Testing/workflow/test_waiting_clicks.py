"""Clicks that wait on a worklist's case, which are in neither its mask nor its journal: none goes unasked."""

import numpy as np
import pytest

QUESTION = (
    "Clicks on case case1 that wait: 2. They are not part of its mask and go with it; to keep them, cancel "
    "and apply them first. Go on?"
)


@pytest.fixture
def opened(opened, flow, border):
    """The worklist at its first case, on which two clicks wait."""
    flow.workbench.mode.collecting = True
    for click in border[:2]:
        flow.workbench.correction.place(click)
    return opened


@pytest.mark.parametrize("verb", ["done", "skip", "next"])
def test_case_stays_where_it_is_not_agreed_that_they_go(flow, opened, host, verb):
    host.pass_time(1)
    host.answers.append(False)
    host.run(getattr(flow.worklist, verb)())
    assert host.questions == [QUESTION]
    assert (opened.current.name, flow.clicks.waiting) == ("case1", 2)
    assert opened.record("case1").state.value == "in work"


def test_nothing_is_asked_once_they_are_applied_or_taken_back(flow, opened, host):
    flow.clicks.undo()
    flow.clicks.apply()
    host.run(flow.worklist.next())
    assert QUESTION not in host.questions and opened.current.name == "case3"


def test_what_is_agreed_to_go_is_gone(flow, opened, host, start):
    host.answers.append(True)
    host.run(flow.worklist.next())
    assert opened.current.name == "case3"
    host.run(flow.worklist.go_to("case1"))
    assert flow.clicks.waiting == 0
    np.testing.assert_array_equal(flow.workbench.values(), start)
