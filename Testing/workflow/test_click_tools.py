"""What a person does with clicks."""

import numpy as np
import pytest
from VSClickCorrectLib.clicks.click import ClickKind
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.session.edit import Change


@pytest.mark.parametrize("verb", ["apply", "next_round", "undo", "redo"])
def test_without_a_segment_every_verb_says_so(flow, verb):
    with pytest.raises(CorrectionError, match="no segment is being corrected"):
        getattr(flow.clicks, verb)()
    with pytest.raises(CorrectionError):
        flow.clicks.remove(1)
    with pytest.raises(CorrectionError):
        flow.clicks.place((0.0, 0.0, 0.0))
    assert (flow.clicks.rows, flow.clicks.waiting, flow.clicks.round) == ([], 0, 1)
    assert (flow.clicks.next_undo, flow.clicks.next_redo) == ("", "")


def test_clicks_of_the_chosen_kind_are_placed_listed_and_found(flow, begun, small):
    inside = tuple(small.grid.index_to_ras(np.argwhere(begun.values())[0]))
    begun.mode.kind = ClickKind.EXCLUDE
    flow.clicks.place(inside)
    assert [row.kind for row in flow.clicks.rows] == [ClickKind.EXCLUDE]
    assert not begun.values()[small.grid.ras_to_index(inside)]
    assert flow.clicks.position(1) == pytest.approx(inside)


def test_undo_and_redo_say_what_they_did(flow, begun, host, border, start):
    begun.correction.place(border[0])
    corrected, done = begun.values(), flow.clicks.next_undo
    flow.clicks.undo()
    assert host.status == f"Undone: {done}." and begun.last_edit is None
    np.testing.assert_array_equal(begun.values(), start)
    assert (flow.clicks.next_undo, flow.clicks.next_redo) == ("", done)
    flow.clicks.redo()
    assert host.status == f"Done again: {done}."
    np.testing.assert_array_equal(begun.values(), corrected)


def test_next_round_applies_what_waits_first(flow, begun, host, border):
    begun.mode.collecting = True
    for click in border[:2]:
        begun.correction.place(click)
    assert flow.clicks.waiting == 2
    flow.clicks.next_round()
    assert host.status == "Round 2 begins."
    assert [row.round for row in flow.clicks.rows] == [1, 1]
    assert (flow.clicks.waiting, flow.clicks.round) == (0, 2)


def test_next_round_says_what_the_clicks_that_waited_did_not_do(flow, begun, host, small):
    begun.mode.kind, begun.mode.collecting = ClickKind.EXCLUDE, True
    flow.clicks.place(tuple(small.grid.index_to_ras((0, 0, 0))))
    flow.clicks.next_round()
    said = "The exclude click lies outside the mask already; nothing was changed."
    assert host.status == f"Round 2 begins. {said}"


def test_undo_takes_back_what_was_done_last_be_it_before_or_after_a_click_waits(flow, begun, border):
    begun.mode.collecting = True
    begun.correction.place(border[0])
    begun.mode.collecting = False
    begun.correction.place(border[1])
    applied = begun.values()
    begun.mode.collecting = True
    begun.correction.place(border[2])
    box = Box((0, 0, 0), (1, 1, 1))
    one = np.ones(box.shape, bool)
    begun.correction.edit_by_hand("brush stroke", Change.of(box, one, ~one))
    assert flow.clicks.next_undo.startswith("brush stroke")
    flow.clicks.undo()
    np.testing.assert_array_equal(begun.values(), applied)
    assert (flow.clicks.waiting, flow.clicks.next_undo) == (2, "the last click that waits")
    flow.clicks.undo()
    assert flow.clicks.waiting == 1 and flow.clicks.next_undo.startswith("boundary click")
    flow.clicks.undo()
    assert [row.position_ras for row in flow.clicks.rows] == [border[0].position_ras]
    assert flow.clicks.next_undo == "the last click that waits"
    flow.clicks.undo()
    assert flow.clicks.rows == [] and flow.clicks.next_undo == ""


@pytest.mark.parametrize("together", [False, True])
def test_of_two_clicks_in_one_place_the_row_tells_which_is_meant(flow, begun, small, together):
    begun.mode.kind, begun.mode.collecting = ClickKind.INCLUDE, together
    inside = tuple(small.grid.index_to_ras(np.argwhere(begun.values())[0]))
    for _ in range(2):
        flow.clicks.place(inside)
    before = flow.clicks.rows
    if together:
        flow.clicks.apply()
    first, second = flow.clicks.rows
    assert first.is_same(before[0]) and second.is_same(before[1])
    assert not first.is_same(before[1]) and not second.is_same(before[0])
    flow.clicks.remove(1)
    (left,) = flow.clicks.rows
    assert left.is_same(before[1]) == (not together) and not left.is_same(first) and left.is_same(second)


def test_waiting_clicks_are_applied_together_and_taken_back_singly(flow, begun, host, border, start):
    begun.mode.collecting = True
    for click in border[:3]:
        begun.correction.place(click)
    flow.clicks.remove(3)
    assert host.status == "The waiting click was taken back."
    np.testing.assert_array_equal(begun.values(), start)
    flow.clicks.apply()
    assert len(begun.session.history.done) == 1 and len(flow.clicks.rows) == 2
    flow.clicks.remove(1)
    assert len(flow.clicks.rows) == 1


def test_each_click_that_waits_is_told(flow, begun, host, border):
    begun.correction.place(border[0])
    assert host.status.startswith("boundary click")
    begun.mode.collecting = True
    for count in (1, 2):
        begun.correction.place(border[count])
        assert host.status == f"Clicks that wait: {count}; apply them together, or take them back."
    flow.clicks.undo()
    assert host.status == "The waiting click was taken back."
    flow.clicks.apply()
    assert host.status.startswith("boundary click") and flow.clicks.waiting == 0


def visible(headless, name):
    node = headless.scene.GetFirstNodeByName(name)
    return node is not None and bool(node.GetDisplayNode().GetVisibility())


def test_outlines_and_markers_are_shown_as_long_as_they_are_wanted(flow, begun, host, border, headless):
    flow.clicks.show_last_change(True)
    begun.correction.place(border[0])
    assert visible(headless, "last change")
    flow.clicks.undo()
    assert not visible(headless, "last change")
    assert not visible(headless, "the case start")
    flow.clicks.show_start(True)
    flow.clicks.show_markers(False)
    begun.stop()
    assert headless.scene.GetFirstNodeByName("last change") is None
    host.run(begun.begin())
    assert visible(headless, "the case start")
    assert not begun.correction.markers_visible


def test_the_start_of_a_segment_goes_with_it_where_another_one_is_chosen(flow, begun, host, headless, start):
    """As by a scene that is added, which brings what was chosen in it."""
    flow.clicks.show_start(True)
    segmentation, segment_id, _mask = begun.nodes.add_mask(start, "another")
    host.run(begun.choose(begun.volumes, (segmentation, segment_id), begun.settings))
    assert begun.correction is not None
    assert visible(headless, "another start") and not visible(headless, "the case start")


def test_undo_takes_back_what_waits_first_and_the_beginning_of_a_round(flow, begun, host, border, start):
    begun.correction.place(border[0])
    corrected = begun.values()
    flow.clicks.next_round()
    begun.mode.collecting = True
    begun.correction.place(border[1])
    assert flow.clicks.next_undo == "the last click that waits"
    flow.clicks.undo()
    assert host.status == "The waiting click was taken back." and flow.clicks.waiting == 0
    np.testing.assert_array_equal(begun.values(), corrected)
    assert flow.clicks.next_undo == "the beginning of round 2"
    flow.clicks.undo()
    assert host.status == "Round 1 goes on." and flow.clicks.round == 1
    flow.clicks.undo()
    np.testing.assert_array_equal(begun.values(), start)
    assert flow.clicks.next_undo == ""


def test_a_round_in_which_nothing_was_done_goes_on(flow, begun, host, border):
    flow.clicks.next_round()
    assert host.status == "Nothing was done in round 1 yet, so it goes on." and flow.clicks.round == 1
    begun.correction.place(border[0])
    for _ in range(2):
        flow.clicks.next_round()
    assert flow.clicks.round == 2
    flow.clicks.undo()
    flow.clicks.undo()
    assert flow.clicks.round == 1
    flow.clicks.next_round()
    assert flow.clicks.round == 1


def test_what_is_done_again_is_done_in_its_round(flow, begun, border):
    begun.correction.place(border[0])
    flow.clicks.next_round()
    begun.correction.place(border[1])
    flow.clicks.undo()
    flow.clicks.undo()
    assert flow.clicks.round == 1
    flow.clicks.redo()
    assert (flow.clicks.round, [row.round for row in flow.clicks.rows]) == (2, [1, 2])
    from VSClickCorrectLib.session.journal import history_of

    assert history_of(begun.session.journal.events)[1] == 2


def test_what_to_do_is_said_of_the_mask_that_there_is(flow, begun, host):
    assert begun.what_to_do.startswith("Ready; click where")
    begun.session.mask.write(begun.session.case.grid.box, np.zeros(begun.session.case.grid.shape, bool))
    assert begun.what_to_do.startswith("Ready; the mask is empty: find the tumour")
