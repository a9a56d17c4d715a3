"""Tools that change the whole mask: one step of undo, in the journal, told in words."""

import numpy as np
import pytest
from VSClickCorrectLib.clicks.click import ClickKind
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.session.journal import Journal
from VSClickCorrectLib.session.start_mask import restored
from VSClickCorrectLib.worklist.worklist import Worklist


@pytest.fixture
def speck(flow, begun):
    """One voxel far from the tumour, painted by hand."""
    mask = begun.session.mask
    values = begun.values()
    values[0, 0, 0] = True
    mask.write(begun.grid.box, values)
    return values


def test_the_largest_part_is_kept_in_one_step_and_undone_in_one(flow, begun, host, speck):
    flow.mask_tools.keep_largest()
    assert host.status == "Done: largest part kept, round 1 (+0 −1 voxels)."
    assert begun.values().sum() == speck.sum() - 1 and not begun.values()[0, 0, 0]
    assert flow.clicks.next_undo == "largest part kept, round 1 (+0 −1 voxels)"
    flow.clicks.undo()
    np.testing.assert_array_equal(begun.values(), speck)
    flow.clicks.redo()
    assert not begun.values()[0, 0, 0]


def test_its_journal_gives_the_mask_back_with_undo(flow, begun, host, border, speck, small):
    begun.correction.place(border[0])
    flow.mask_tools.remove_islands()
    begun.correction.place(border[1])
    text = begun.session.journal.text
    events = Journal(text=text).events
    assert [e["event"] for e in events] == ["session", "paint", "edit", "tool", "edit"]
    np.testing.assert_array_equal(restored(events, small.grid), begun.values())
    # A click before it can be taken back; what the tool removed stays away.
    flow.clicks.remove(1)
    assert not begun.values()[0, 0, 0]


def test_a_tool_with_nothing_to_do_says_so_and_is_no_step(flow, begun, host):
    for verb in (flow.mask_tools.remove_islands, flow.mask_tools.fill_between):
        with pytest.raises(CorrectionError, match="nothing was changed"):
            verb()
    assert flow.clicks.next_undo == ""


def test_a_case_on_which_a_tool_was_used_is_in_work(flow, host, folder, small):
    host.run(flow.worklist.begin(Worklist.open(folder / "cases", folder / "results", "AB")))
    workbench, values = flow.workbench, flow.workbench.values()
    gap = int(np.flatnonzero(values.any(axis=(1, 2)))[2])
    values[gap] = False
    workbench.session.mask.write(workbench.grid.box, values)
    flow.mask_tools.fill_between()
    assert workbench.values()[gap].any() and flow.unsaved.work == "what was painted"
    left = workbench.values()
    host.run(flow.worklist.next())
    assert flow.worklist.worklist.record("case1").state.value == "in work"
    host.run(flow.worklist.go_to("case1"))
    np.testing.assert_array_equal(flow.workbench.values(), left)
    assert flow.clicks.next_undo.startswith("filled between slices")
    assert flow.workbench.kind is ClickKind.BOUNDARY
