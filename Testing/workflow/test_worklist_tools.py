"""A worklist, worked through without a window."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.errors import WorklistError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.io.images import read_mask
from VSClickCorrectLib.worklist.worklist import Worklist

PAINTED = Box((0, 0, 0), (1, 2, 3))


@pytest.fixture
def colleague(folder):
    return Worklist.open(folder / "cases", folder / "results", "CD")


def states(worklist):
    return [row.record.state.value for row in worklist.rows()]


def paint(flow):
    flow.workbench.session.mask.write(PAINTED, np.ones(PAINTED.shape, bool))


def test_first_case_is_ready(flow, opened, host, start):
    assert flow.worklist.current.name == "case1" and not flow.worklist.busy
    assert host.status == "Case case1 is ready; click where its border is wrong."
    np.testing.assert_array_equal(flow.workbench.values(), start)
    assert str(flow.worklist.progress) == "0 of 4 done, 1 in work"


@pytest.mark.parametrize("verb", ["next", "previous", "done", "skip"])
def test_without_a_worklist_every_verb_says_so(flow, verb):
    with pytest.raises(WorklistError, match="no worklist is open"):
        flow.host.start(getattr(flow.worklist, verb)())
    with pytest.raises(WorklistError):
        flow.host.start(flow.worklist.go_to("case1"))


@pytest.mark.parametrize(
    ("begins", "verb", "ends"), [("case1", "next", "case3"), ("case3", "previous", "case1")]
)
def test_unreadable_case_is_failed_and_passed_over_in_both_directions(flow, opened, host, begins, verb, ends):
    host.run(flow.worklist.go_to(begins))
    host.run(getattr(flow.worklist, verb)())
    assert opened.current.name == flow.workbench.nodes.name == ends
    assert opened.record("case2").state.value == "failed"
    assert "T1ce.nii.gz" in opened.record("case2").comment
    assert "T1ce.nii.gz" in host.status and "Case case2 was passed over." in host.status
    assert host.status.endswith(f"Case {ends} is ready; click where its border is wrong.")


def test_where_only_the_unreadable_is_left_the_case_before_is_shown_again(flow, opened, host, folder):
    (folder / "cases" / "case1" / "T1ce.nii.gz").write_bytes(b"broken")
    host.run(flow.worklist.go_to("case3"))
    paint(flow)
    host.run(flow.worklist.previous())
    assert opened.current.name == flow.workbench.nodes.name == "case3"
    assert flow.workbench.values()[PAINTED.slices].all()
    assert host.status.endswith("There is no other case in that direction.")
    assert states(opened) == ["failed", "failed", "in work", "todo"]


def test_unreadable_case_that_is_chosen_is_told_and_nothing_else_opened(flow, opened, host):
    host.run(flow.worklist.go_to("case2"))
    assert "T1ce.nii.gz" in host.status
    assert (opened.current, flow.workbench.nodes) == (None, None)
    assert opened.record("case2").state.value == "failed"


def test_case_with_work_that_cannot_be_read_stays_as_it_was(flow, opened, host, folder, border):
    flow.workbench.correction.place(border[0])
    host.run(flow.worklist.go_to("case3"))
    host.run(flow.worklist.done())
    host.run(flow.worklist.done())
    (folder / "cases" / "case1" / "T1ce.nii.gz").write_bytes(b"broken")
    host.run(flow.worklist.next())
    assert opened.current is None and not flow.worklist.busy
    assert states(opened) == ["in work", "failed", "done", "done"]


def test_full_disk_passes_no_case_over(flow, opened, host, monkeypatch):
    from VSClickCorrectLib.errors import ImageError
    from VSClickCorrectLib.session.journal import Journal

    def full(*_):
        raise ImageError("the disk is full; make room.")

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "append", full)
        host.run(flow.worklist.go_to("case3"))
        host.run(flow.worklist.next())
    assert host.status == "The disk is full; make room."
    assert opened.current.name == flow.workbench.nodes.name == "case4"
    assert states(opened) == ["todo", "todo", "todo", "in work"]


def test_done_writes_the_label_comment_and_clicks(flow, opened, host, border, small):
    flow.workbench.correction.place(border[0])
    corrected, flow.worklist.comment = flow.workbench.values(), "sharp border"
    host.run(flow.worklist.done())
    np.testing.assert_array_equal(read_mask(opened.label_path("case1"), small.grid), corrected)
    record = opened.record("case1")
    assert (record.state.value, record.comment, record.clicks) == ("done", "sharp border", 1)
    assert record.models == (flow.networks.corrector.identity,)
    assert opened.current.name == "case3"


def test_volume_and_clicks_are_recorded_after_each_click(flow, opened, host, border, small):
    for count, click in enumerate(border[:2], start=1):
        flow.workbench.correction.place(click)
        host.pass_time()
        record = opened.record("case1")
        assert record.clicks == count
        voxels = np.count_nonzero(flow.workbench.values())
        assert record.volume_mm3 == pytest.approx(voxels * small.grid.voxel_volume)


def test_to_look_at_a_done_case_is_no_work_and_a_click_is(flow, opened, host, border):
    host.run(flow.worklist.done())
    before = opened.record("case1")
    host.run(flow.worklist.go_to("case1"))
    host.pass_time()
    assert opened.record("case1").changed == before.changed and opened.record("case1").models == before.models
    flow.workbench.correction.place(border[0])
    assert opened.record("case1").state.value == "in work"


def told(opened, flow, name):
    """The state of a case by record, list, table and the label's sidecar."""
    with (opened.store.output / "summary.csv").open(encoding="utf-8") as stream:
        summary = {row["case"]: row["state"] for row in csv.DictReader(stream)}
    listed = {row.case.name: row.record.state.value for row in flow.worklist.rows}
    return {opened.record(name).state.value, listed[name], summary[name]}


def test_a_click_that_changes_nothing_leaves_a_done_case_done_and_so_does_its_undo(flow, opened, host, small):
    host.run(flow.worklist.done())
    host.run(flow.worklist.go_to("case1"))
    outside = tuple(small.grid.index_to_ras((2, 2, 2)))
    flow.workbench.correction.place(Click(outside, ClickKind.EXCLUDE))
    assert "nothing was changed" in host.status
    assert told(opened, flow, "case1") == {"done"}
    host.pass_time()
    assert (told(opened, flow, "case1"), opened.record("case1").clicks) == ({"done"}, 1)
    flow.clicks.undo()
    host.pass_time()
    assert (told(opened, flow, "case1"), opened.record("case1").clicks) == ({"done"}, 0)
    host.run(flow.worklist.next())
    assert told(opened, flow, "case1") == {"done"}


def test_a_done_case_is_in_work_from_a_change_to_its_undo_by_list_table_and_record(
    flow, opened, host, border
):
    host.run(flow.worklist.done())
    host.run(flow.worklist.go_to("case1"))
    flow.workbench.correction.place(border[0])
    assert told(opened, flow, "case1") == {"in work"}
    host.pass_time()
    flow.clicks.undo()
    host.pass_time()
    assert told(opened, flow, "case1") == {"done"}
    paint(flow)
    flow.workbench.correction.note_painting()
    flow.workbench.settle()
    flow.workbench.correction.place(border[0])
    assert told(opened, flow, "case1") == {"in work"}


@pytest.mark.parametrize("back", ["go_to", "resume"])
def test_the_mask_at_the_start_is_known_of_a_case_that_one_comes_back_to(
    flow, opened, host, border, start, folder, headless, back
):
    from VSClickCorrectLib.mrml.start_segment import start_of

    flow.clicks.show_start(True)
    flow.workbench.correction.place(border[0])
    corrected = flow.workbench.values()
    host.run(flow.worklist.next())
    host.run(flow.worklist.go_to("case1"))
    if back == "resume":
        host.run(flow.worklist.leave())
        flow.worklist.close()
        host.run(flow.worklist.begin(Worklist.open(folder / "cases", folder / "results", "AB")))
    assert flow.worklist.current.name == "case1"
    host.pass_time()
    both = np.count_nonzero(corrected & start)
    dice = 2 * both / (np.count_nonzero(corrected) + np.count_nonzero(start))
    assert flow.measurer.measured.change.dice == pytest.approx(dice)
    box, values = start_of(*flow.workbench.segment, flow.workbench.reference)
    np.testing.assert_array_equal(values, start[box.slices])
    assert values.sum() == start.sum()
    assert headless.scene.GetFirstNodeByName("case1 start").GetDisplayNode().GetVisibility()


def test_painting_is_kept_between_cases(flow, opened, host):
    paint(flow)
    host.run(flow.worklist.next())
    host.run(flow.worklist.go_to("case1"))
    assert flow.workbench.values()[PAINTED.slices].all()


def test_skipped_case_keeps_its_mask_and_reason(flow, opened, host):
    paint(flow)
    flow.worklist.comment = "motion"
    host.run(flow.worklist.skip())
    assert (opened.record("case1").state.value, opened.record("case1").comment) == ("skipped", "motion")
    host.run(flow.worklist.go_to("case1"))
    assert flow.worklist.comment == "motion"
    assert flow.workbench.values()[PAINTED.slices].all()


def test_when_none_is_left_it_is_said_and_nothing_shown(flow, opened, host):
    for _ in range(3):
        host.run(flow.worklist.done())
    assert host.status == "No case waits any more: 3 of 4 done, 1 failed."
    assert (opened.current, flow.workbench.nodes) == (None, None)
    with pytest.raises(WorklistError, match="no case is open"):
        host.start(flow.worklist.done())


def test_verb_while_a_case_is_being_opened_does_nothing(flow, opened, host):
    def next_again():
        host.while_waiting = lambda: None
        host.start(flow.worklist.next())

    host.while_waiting = next_again
    host.run(flow.worklist.go_to("case3"))
    assert opened.current.name == flow.workbench.nodes.name == "case3"


@pytest.mark.parametrize("verb", ["done", "no_tumour", "skip"])
def test_what_was_pressed_while_a_case_came_decides_nothing_about_it(flow, opened, host, monkeypatch, verb):
    from VSClickCorrectLib.workflow import just_shown

    times = [1e9]
    monkeypatch.setattr(just_shown, "monotonic", lambda: times[0])
    monkeypatch.setattr(just_shown, "SEEN_S", 0.5)
    host.run(flow.worklist.done())
    assert (opened.current.name, opened.record("case1").state.value) == ("case3", "done")
    times[0] += 0.4
    host.answers = [True]
    host.run(getattr(flow.worklist, verb)())
    assert host.status == "Case case3 has just come; look at it first."
    assert (opened.current.name, opened.record("case3").state.value, host.questions) == (
        "case3",
        "in work",
        [],
    )
    times[0] += 0.2
    host.run(getattr(flow.worklist, verb)())
    ends = {"done": "done", "no_tumour": "no tumour", "skip": "skipped"}
    assert (opened.current.name, opened.record("case3").state.value) == ("case4", ends[verb])


def test_case_of_somebody_else_is_taken_over_only_if_confirmed(flow, opened, host, colleague):
    colleague.go_to("case3")
    host.answers = [False, True]
    host.run(flow.worklist.go_to("case3"))
    assert host.questions[0].startswith("Case case3 is open with CD on ")
    assert opened.current.name == flow.workbench.nodes.name == "case1"
    assert flow.worklist.rows[2].holder.startswith("CD on ")
    host.run(flow.worklist.go_to("case3"))
    assert opened.current.name == flow.workbench.nodes.name == "case3"


@pytest.mark.parametrize("verb", ["next", "previous", "done", "skip", "leave"])
def test_lost_case_is_left_only_if_confirmed(flow, opened, host, colleague, border, verb):
    flow.workbench.correction.place(border[0])
    colleague.go_to("case1", take_over=True)
    before, text = flow.workbench.values(), colleague.opened.journal_path.read_text()
    host.answers = [False, True]
    host.run(getattr(flow.worklist, verb)())
    assert host.questions[0].startswith("Case case1 was taken over by CD on ")
    assert "save the segment to a file first" in host.questions[0]
    assert flow.workbench.nodes.name == "case1"
    np.testing.assert_array_equal(flow.workbench.values(), before)
    host.run(getattr(flow.worklist, verb)())
    shown = flow.workbench.nodes.name if flow.workbench.nodes else None
    assert shown == {"next": "case3", "done": "case3", "skip": "case3"}.get(verb, shown)
    assert colleague.opened.journal_path.read_text() == text
    assert colleague.record("case1").state.value == "in work"


def test_memory_that_runs_out_is_not_blamed_on_the_case(flow, opened, host, monkeypatch):
    from VSClickCorrectLib.worklist.work_case import WorkCase

    def fail(*_):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(WorkCase, "load", fail)
        host.run(flow.worklist.go_to("case3"))
    assert "not enough memory" in host.status
    assert (opened.record("case3").state.value, opened.current) == ("todo", None)


def test_heart_beats_as_long_as_the_worklist_is_open(flow, opened, host, monkeypatch):
    beats = []
    monkeypatch.setattr(Worklist, "heartbeat", lambda worklist: beats.append(worklist.annotator))
    host.pass_time(60, turns=2)
    assert beats == ["AB", "AB"]
    flow.worklist.close()
    host.pass_time(60, turns=2)
    assert beats == ["AB", "AB"]
    assert (flow.worklist.worklist, flow.worklist.rows) == (None, [])


def test_comment_is_kept_at_once_and_a_sign_of_work_counted(flow, opened, host):
    flow.worklist.comment = "sharp border"
    flow.worklist.keep_comment()
    assert opened.record("case1").comment == "sharp border"
    before = opened.record("case1")
    flow.worklist.work()
    assert opened.record("case1") is not before
    flow.worklist.close()
    flow.worklist.keep_comment()
    flow.worklist.work()


def test_close_keeps_the_mask_and_gives_the_case_back(flow, opened, colleague, small):
    paint(flow)
    flow.worklist.close()
    case = colleague.go_to("case1")
    assert colleague.opened.saved_mask(small.grid, case.load())[PAINTED.slices].all()


def test_mask_that_is_begun_anew_begins_a_journal(flow, opened, host, small, border):
    flow.workbench.correction.place(border[0])
    flow.workbench.restart(small.truth)
    host.run(flow.workbench.begin())
    assert [event["event"] for event in opened.opened.journal().events] == ["session"]
    assert opened.record("case1").clicks == 0


def empty(flow):
    grid = flow.workbench.session.case.grid
    flow.workbench.session.mask.write(grid.box, np.zeros(grid.shape, bool))


def test_done_with_an_empty_mask_asks_and_says_that_there_is_no_tumour(flow, opened, host, small):
    empty(flow)
    host.answers = [False, True]
    host.run(flow.worklist.done())
    assert host.questions == [
        "The mask of case case1 is empty. Is there no tumour? Then OK labels the case so."
    ]
    assert opened.current.name == "case1" and not opened.label_path("case1").exists()
    host.run(flow.worklist.done())
    assert opened.record("case1").state.value == "no tumour"
    assert not read_mask(opened.label_path("case1"), small.grid).any()
    assert str(flow.worklist.progress).startswith("1 of 4 done, 1 without tumour")


def test_done_with_a_stray_part_asks(flow, opened, host):
    paint(flow)
    host.answers = [False]
    host.run(flow.worklist.done())
    assert "has 2 parts" in host.questions[0]
    assert opened.current.name == "case1" and not opened.label_path("case1").exists()


def test_case_is_labelled_as_one_without_a_tumour_whatever_the_mask(flow, opened, host, small, border):
    flow.workbench.correction.place(border[0])
    host.answers = [False, True]
    host.run(flow.worklist.no_tumour())
    assert "which the label will not hold" in host.questions[0] and opened.current.name == "case1"
    host.run(flow.worklist.no_tumour())
    assert opened.record("case1").state.value == "no tumour"
    assert not read_mask(opened.label_path("case1"), small.grid).any()
    # It can be opened again, and a click makes it one in work.
    host.run(flow.worklist.go_to("case1"))
    assert not flow.workbench.values().any()
    assert host.status.endswith("its mask is empty: find the tumour, or place an include click in it.")
    flow.workbench.correction.place(replace(border[0], kind=ClickKind.INCLUDE))
    assert opened.record("case1").state.value == "in work"


def test_kind_of_click_does_not_carry_over_to_the_next_case(flow, opened, host):
    flow.workbench.mode.kind = ClickKind.EXCLUDE
    host.run(flow.worklist.next())
    assert flow.workbench.mode.kind is ClickKind.BOUNDARY
