"""What is kept of a worklist's case from another day: nothing of it goes, or hinders, without a question."""

import numpy as np
import pytest
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.inference.initial_mask import InitialMask
from VSClickCorrectLib.io.images import read_mask

PAINTED = Box((0, 0, 0), (1, 2, 3))
FOUND = Box((5, 20, 20), (10, 30, 30))


@pytest.fixture
def finds(job):
    """Let the networks find `FOUND`."""
    job(InitialMask(FOUND, np.ones(FOUND.shape, bool), 0.9)).done = True


def damage(opened):
    """Change a number in the middle of the journal of the first case; return its file."""
    path = opened.store.journal_path("case1")
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[1] = lines[1].replace('"round": 1', '"round": 7')
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_label_goes_only_after_a_question(flow, opened, host, finds, start, small):
    host.run(flow.worklist.done())
    host.run(flow.worklist.go_to("case1"))
    host.answers.append(False)
    host.run(flow.initial.find())
    assert host.questions == [
        "Another mask takes the place of this one, and its work goes with it: what was done on it before. "
        "Go on?"
    ]
    assert opened.record("case1").state.value == "done"
    np.testing.assert_array_equal(read_mask(opened.label_path("case1"), small.grid), start)
    np.testing.assert_array_equal(flow.workbench.values(), start)


def test_what_was_painted_without_a_journal_goes_only_after_a_question(flow, opened, host, finds, start):
    painted = start.copy()
    painted[PAINTED.slices] = True
    opened.opened.keep(painted, flow.workbench.session.case.grid)
    host.run(flow.worklist.go_to("case3"))
    host.run(flow.worklist.go_to("case1"))
    host.answers.append(False)
    host.run(flow.initial.find())
    assert len(host.questions) == 1
    np.testing.assert_array_equal(flow.workbench.values(), painted)


def test_of_a_case_on_which_nothing_was_done_nobody_asks(flow, opened, host, finds):
    host.run(flow.worklist.go_to("case3"))
    host.run(flow.worklist.go_to("case1"))
    host.run(flow.initial.find())
    assert host.questions == [] and flow.workbench.values().sum() == 5 * 10 * 10


def test_a_damaged_journal_is_set_aside_and_the_mask_kept_last_counts(flow, opened, host, border):
    flow.workbench.correction.place(border[0])
    left = flow.workbench.values()
    host.run(flow.worklist.go_to("case3"))
    damaged = damage(opened).read_bytes()
    host.answers.append(True)
    host.run(flow.worklist.go_to("case1"))
    (question,) = host.questions
    assert str(opened.store.journal_path("case1")) in question and question.startswith("Line 2")
    np.testing.assert_array_equal(flow.workbench.values(), left)
    (aside,) = opened.store.folder.glob("old-*.jsonl")
    assert aside.read_bytes() == damaged
    # It can be worked on, skipped and done as any other.
    flow.workbench.correction.place(border[1])
    host.run(flow.worklist.done())
    assert opened.record("case1").state.value == "done"


def test_a_damaged_journal_stays_if_it_is_to_and_names_its_file(flow, opened, host, border):
    flow.workbench.correction.place(border[0])
    host.run(flow.worklist.go_to("case3"))
    path = damage(opened)
    before = path.read_bytes()
    host.answers.append(False)
    host.run(flow.worklist.previous())
    assert host.status.startswith(f"Line 2 of the journal {path} is not what was written there")
    assert path.read_bytes() == before and opened.current is None
    assert opened.record("case1").state.value == "in work"
    host.run(flow.worklist.go_to("case3"))
    assert opened.current.name == "case3"


def test_without_a_kept_mask_a_damaged_journal_gives_way_to_the_mask_that_the_case_came_with(
    flow, opened, host, border, start
):
    flow.workbench.correction.place(border[0])
    host.run(flow.worklist.go_to("case3"))
    damage(opened)
    for kept in opened.store.folder.glob("sub-case1*_mask.nii.gz"):
        kept.unlink()
    host.answers.append(True)
    host.run(flow.worklist.go_to("case1"))
    np.testing.assert_array_equal(flow.workbench.values(), start)
