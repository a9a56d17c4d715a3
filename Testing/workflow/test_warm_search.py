"""When a process is made ready for a search, and who gets it."""

import pytest
from VSClickCorrectLib.inference.manifest import Choice
from VSClickCorrectLib.workflow.opened_case import OpenedCase


class Child:
    """Stands for a `WarmChild`, which takes seconds."""

    def __init__(self, choice):
        self.choice, self.ended = choice, False

    def end(self):
        self.ended = True


@pytest.fixture
def children(monkeypatch):
    begun = []

    def begin(choice):
        begun.append(Child(choice))
        return begun[-1]

    monkeypatch.setattr("VSClickCorrectLib.jobs.warm.WarmChild", begin)
    return begun


@pytest.fixture
def plain(small):
    """A case without a mask."""
    return OpenedCase("plain", small.t1ce, small.t2, None)


def test_a_case_without_a_mask_has_one_a_moment_later(flow, host, plain, children):
    flow.workbench.open(plain)
    assert children == []
    host.pass_time(turns=3)
    assert [child.choice for child in children] == [Choice("", "", "auto")]
    flow.workbench.open(plain)
    host.pass_time(turns=3)
    assert len(children) == 1
    assert flow.warm.take() is children[0] and flow.warm.take() is None


def test_what_is_being_corrected_needs_none(flow, host, begun, children):
    host.pass_time(turns=3)
    assert children == []


def test_other_networks_take_its_place(flow, host, plain, children, bright_models):
    flow.workbench.open(plain)
    host.pass_time(turns=2)
    flow.networks.choice = flow.networks.choice._replace(folder=str(bright_models), device="cpu")
    flow.workbench.open(plain)
    host.pass_time(turns=2)
    assert [child.choice for child in children] == [Choice(), Choice(str(bright_models), "", "cpu")]
    assert children[0].ended and not children[1].ended
