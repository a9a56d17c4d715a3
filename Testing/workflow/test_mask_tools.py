"""Brush, eraser and mask tools over a scene, in a window that is none."""

import numpy as np
import pytest
from VSClickCorrectApp.brush import Stroke
from VSClickCorrectApp.mask_tools import MaskTools
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.session.start_mask import restored
from VSClickCorrectLib.worklist.worklist import Worklist


@pytest.fixture
def tools(flow, host):
    return MaskTools(host, flow.workbench)


def stroke_at(grid, index, radius=2.0):
    normal = grid.affine[:3, 2] / np.linalg.norm(grid.affine[:3, 2])
    return Stroke([tuple(grid.index_to_ras(index))], tuple(normal), radius)


def kinds(workbench):
    return [event["event"] for event in workbench.session.journal.events]


def test_without_a_segment_every_verb_says_so(tools, small):
    for verb in (tools.keep_largest, tools.remove_islands, tools.fill_between):
        with pytest.raises(CorrectionError, match="no segment is being corrected"):
            verb()
    with pytest.raises(CorrectionError, match="no segment is being corrected"):
        tools.paint(stroke_at(small.grid, (1, 1, 1)), adds=True)


def test_strokes_are_steps_of_undo_among_clicks(flow, tools, begun, border, small, start):
    begun.correction.place(border[0])
    clicked = begun.values()
    tools.paint(stroke_at(small.grid, (2, 5, 5)), adds=True)
    added = begun.values() & ~clicked
    assert added.sum() > 1 and added.any(axis=(1, 2)).sum() == 1
    assert flow.clicks.next_undo.startswith("brush stroke, round 1 (+")
    tools.paint(stroke_at(small.grid, (2, 5, 5)), adds=False)
    np.testing.assert_array_equal(begun.values(), clicked)
    assert kinds(begun) == ["session", "edit", "tool", "tool"]
    flow.clicks.undo()
    np.testing.assert_array_equal(begun.values(), clicked | added)
    flow.clicks.undo()
    flow.clicks.undo()
    np.testing.assert_array_equal(begun.values(), start)
    flow.clicks.redo()
    flow.clicks.redo()
    np.testing.assert_array_equal(begun.values(), clicked | added)
    events = begun.session.journal.events
    np.testing.assert_array_equal(restored(events, small.grid, start), begun.values())


def test_no_other_segment_is_touched(tools, begun, small):
    segmentation, segment_id = begun.segment
    other = segmentation.GetSegmentation().AddEmptySegment("", "other")
    from VSClickCorrectLib.mrml.segment_mask import SegmentMask

    neighbour = SegmentMask(segmentation, other, begun.reference)
    neighbour.write(small.grid.box, np.ones(small.grid.shape, bool))
    tools.paint(stroke_at(small.grid, (2, 5, 5)), adds=True)
    tools.paint(stroke_at(small.grid, (2, 5, 5)), adds=False)
    assert neighbour.read(small.grid.box).all()


def test_a_stroke_that_changes_nothing_is_said_and_is_no_step(flow, tools, begun, host, small):
    tools.paint(stroke_at(small.grid, (2, 5, 5)), adds=False)
    assert host.status == "The stroke changed nothing." and flow.clicks.next_undo == ""
    outside = Stroke([(9e3, 9e3, 9e3)], (0.0, 0.0, 1.0), 2.0)
    tools.paint(outside, adds=True)
    assert kinds(begun) == ["session"]


def test_each_tool_is_one_step(flow, tools, begun, host, small, start):
    tools.keep_largest()
    assert host.status == "The mask is one part already; nothing was removed."
    tools.paint(stroke_at(small.grid, (2, 5, 5), radius=0.1), adds=True)
    tools.remove_islands()
    np.testing.assert_array_equal(begun.values(), start)
    assert flow.clicks.next_undo == "small islands removed, round 1 (+0 −1 voxels)"
    flow.clicks.undo()
    tools.keep_largest()
    np.testing.assert_array_equal(begun.values(), start)
    assert flow.clicks.next_undo.startswith("largest part kept")
    assert kinds(begun) == ["session", "tool", "tool", "undo", "tool"]


def test_slices_between_are_filled(flow, tools, begun, host, small, start):
    tools.fill_between()
    assert host.status == "No slice between the mask's first and last one is empty; nothing was added."
    carrying = np.flatnonzero(start.any(axis=(1, 2)))
    middle = int(carrying[len(carrying) // 2])
    tools.paint(stroke_at(small.grid, (middle, *np.argwhere(start[middle])[0]), radius=60.0), adds=False)
    assert not begun.values()[middle].any()
    tools.fill_between()
    filled = begun.values()[middle]
    assert filled.any() and (filled & start[middle]).sum() > 0.8 * start[middle].sum()
    assert flow.clicks.next_undo.startswith("filled between slices")


def test_what_was_painted_counts_as_unsaved(flow, tools, begun, small):
    assert not flow.unsaved.there
    tools.paint(stroke_at(small.grid, (2, 5, 5)), adds=True)
    assert flow.unsaved.there and flow.unsaved.work == "what was painted"
    flow.unsaved.note_saved()
    flow.clicks.undo()
    tools.paint(stroke_at(small.grid, (2, 8, 8)), adds=True)
    assert flow.unsaved.there


def test_a_worklist_gives_strokes_back(flow, tools, host, folder, small):
    host.run(flow.worklist.begin(Worklist.open(folder / "cases", folder / "results", "AB")))
    tools.paint(stroke_at(small.grid, (2, 5, 5)), adds=True)
    painted, name = flow.workbench.values(), flow.worklist.current.name
    host.run(flow.worklist.next())
    assert flow.worklist.current.name != name
    host.run(flow.worklist.go_to(name))
    np.testing.assert_array_equal(flow.workbench.values(), painted)
    assert flow.clicks.next_undo.startswith("brush stroke")


def test_a_killed_session_loses_no_stroke(flow, tools, host, folder, small):
    host.run(flow.worklist.begin(Worklist.open(folder / "cases", folder / "results", "AB")))
    tools.paint(stroke_at(small.grid, (2, 5, 5)), adds=True)
    painted, name = flow.workbench.values(), flow.worklist.current.name
    # Nobody closes the case: another program takes over what is on the disk.
    again = Worklist.open(folder / "cases", folder / "results", "CD")
    again.go_to(name, take_over=True)
    np.testing.assert_array_equal(again.opened.saved_mask(small.grid), painted)
    again.close()
