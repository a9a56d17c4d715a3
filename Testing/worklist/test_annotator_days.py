"""Two people share a worklist: whatever fails or is killed, what they were told is there in the evening."""

import sys

import pytest

if sys.platform == "win32":
    pytest.skip("SIGKILL and fork are there on Linux and macOS only", allow_module_level=True)

from shared_list import SharedList, Told, differences, is_within


def test_what_was_told_is_there_after_each_of_a_few_days(tmp_path):
    shared = SharedList(tmp_path, seed=13)
    for _ in range(4):
        assert shared.day() == []
    assert shared.counts.events > 0


def fact(**values):
    return {"record": {"comment": "", "state": "done"}, "events": [], "label": "a", "wrong": [], **values}


@pytest.mark.parametrize(
    ("told", "found", "words"),
    [
        (Told(placed=[(0, {"event": "edit"})]), fact(), "some are missing"),
        (Told(comment="sharp"), fact(), "the comment is ''"),
        (Told(state="done"), fact(record={"comment": "", "state": "todo"}), "it is todo and not done"),
        (Told(label="b", labelled=True), fact(), "its label is another one"),
        (Told(labelled=True), fact(label=None), "its label is gone"),
        (Told(clicked=True), fact(), "it is done although somebody has clicked since"),
        (Told(), fact(wrong=["of another case"]), "of another case"),
    ],
)
def test_what_is_not_as_it_was_told_is_seen(told, found, words):
    (wrong,) = differences(told, found)
    assert words in wrong


def test_events_are_looked_for_in_their_order():
    assert is_within([1, 3], [1, 2, 3])
    assert not is_within([3, 1], [1, 2, 3])
    assert not is_within([1, 1], [1, 2])
