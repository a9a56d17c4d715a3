"""A click for which there is not enough memory is refused, and nothing is half done."""

import numpy as np
import pytest
from session_doubles import INCLUDE, click_at
from VSClickCorrectLib.errors import OutOfMemory
from VSClickCorrectLib.session import correction
from VSClickCorrectLib.session.journal import Journal

ERRORS = (MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory"))


@pytest.fixture
def session(session_on, grid, tmp_path):
    session = session_on(journal=Journal(tmp_path / "journal.jsonl"))
    for voxel in ((5, 5, 5), (6, 18, 24)):
        session.apply(click_at(grid, voxel, INCLUDE))
    return session


def failing(error):
    def fail(*_, **__):
        raise error

    return fail


@pytest.mark.parametrize("error", ERRORS, ids=repr)
@pytest.mark.parametrize("place", ["network", "merge", "event", "journal"])
def test_a_click_without_memory_changes_nothing(session, grid, place, error, monkeypatch):
    before = (session.mask.values.copy(), session.journal.text, list(session.history.done))
    with monkeypatch.context() as patch:
        if place == "network":
            patch.setattr(session.corrector, "propose", failing(error))
        elif place == "merge":
            patch.setattr(session, "_merge", failing(error))
        elif place == "event":
            patch.setattr(correction, "edit_event", failing(error))
        else:
            patch.setattr(session.journal, "append", failing(error))
        with pytest.raises(OutOfMemory, match="not enough memory"):
            session.apply(click_at(grid, (6, 18, 12)))
    np.testing.assert_array_equal(session.mask.values, before[0])
    assert (session.journal.text, list(session.history.done)) == before[1:]
    session.apply(click_at(grid, (6, 18, 12)))


@pytest.mark.parametrize("error", ERRORS, ids=repr)
@pytest.mark.parametrize("step", ["undo", "redo"])
def test_undo_and_redo_without_memory_change_nothing(session, step, error, monkeypatch):
    session.undo()
    before = (session.mask.values.copy(), list(session.history.done), list(session.history.undone))
    with monkeypatch.context() as patch:
        patch.setattr(session.journal, "append", failing(error))
        with pytest.raises(OutOfMemory):
            getattr(session, step)()
    np.testing.assert_array_equal(session.mask.values, before[0])
    assert (list(session.history.done), list(session.history.undone)) == before[1:]
    getattr(session, step)()
