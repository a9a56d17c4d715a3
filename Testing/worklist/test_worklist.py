"""A day with a worklist: going on, going back, deciding, and what is written each time."""

import csv

import numpy as np
import pytest
from volume_files import PLAIN, SHAPE, blob
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.errors import CorrectionError, ImageError, WorklistError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.io.images import read_mask
from VSClickCorrectLib.session.edit import Change, Edit
from VSClickCorrectLib.session.journal import Journal, edit_event, session_event
from VSClickCorrectLib.session.start_mask import fingerprint_of, start_json
from VSClickCorrectLib.worklist.records import CaseState

MASK = blob()


def states(worklist):
    return {row.case.name: row.record.state.value for row in worklist.rows()}


def summary(worklist):
    with (worklist.store.output / "summary.csv").open(encoding="utf-8") as stream:
        return {row["case"]: row for row in csv.DictReader(stream)}


def clicked(journal, voxel, clicks=1):
    """Record an edit of so many clicks that adds one voxel."""
    if not journal.events:
        journal.append(session_event(PLAIN, "model@1", "progressive", start_json(ArrayMask(PLAIN, START))))
    edit = Edit(
        tuple(Click((float(n), 1.0, 1.0)) for n in range(clicks)),
        1,
        Change.of(Box.of_voxel(voxel), np.ones((1, 1, 1), bool), np.zeros((1, 1, 1), bool)),
        1.0,
    )
    journal.append(edit_event(edit, "model@1", "progressive"))


def with_voxel(values, *voxels):
    values = values.copy()
    for voxel in voxels:
        values[voxel] = True
    return values


START = with_voxel(np.zeros(SHAPE, bool), (1, 1, 1))


def test_cases_come_in_natural_order_all_to_do(open_list):
    worklist = open_list()
    assert states(worklist) == {"VS-2": "todo", "VS-9": "todo", "VS-10": "todo"}
    assert list(states(worklist)) == ["VS-2", "VS-9", "VS-10"]
    assert str(worklist.progress()) == "0 of 3 done"
    assert worklist.current is None


def test_a_whole_list_is_worked_off_and_leaves_labels_and_a_table(open_list):
    worklist = open_list()
    worklist.next()
    worklist.update(clicks=5, rounds=2, comment="clear", models=["a@1"])
    worklist.update(models=["a@1", "b@2"])
    path = worklist.done(MASK, PLAIN)
    assert worklist.current is None
    assert worklist.next().name == "VS-9"
    worklist.skip("motion, blurred")
    assert worklist.next().name == "VS-10"
    worklist.give_up(ImageError("the image cannot be read."))
    assert worklist.next() is None
    assert str(worklist.progress()) == "1 of 3 done, 1 skipped, 1 failed"
    np.testing.assert_array_equal(read_mask(path, PLAIN), MASK)
    rows = summary(worklist)
    assert rows["VS-2"]["volume_mm3"] == f"{MASK.sum():.1f}"
    assert [
        rows["VS-2"][n] for n in ("participant_id", "state", "annotator", "clicks", "rounds", "comment")
    ] == [
        "sub-VS2",
        "done",
        "AB",
        "5",
        "2",
        "clear",
    ]
    assert (rows["VS-9"]["state"], rows["VS-9"]["comment"]) == ("skipped", "motion, blurred")
    assert rows["VS-10"]["state"] == "failed"
    assert worklist.record("VS-2").models == ("a@1", "b@2")


def test_next_goes_round_and_passes_over_what_is_decided(open_list):
    worklist = open_list()
    worklist.go_to("VS-9")
    worklist.done(MASK, PLAIN)
    assert worklist.next().name == "VS-10"
    worklist.update(clicks=1)
    assert worklist.next().name == "VS-2"
    assert worklist.next().name == "VS-10"


def test_previous_goes_back_to_a_case_that_is_done(open_list):
    worklist = open_list()
    worklist.next()
    worklist.done(MASK, PLAIN)
    worklist.next()
    assert worklist.previous().name == "VS-2"
    assert states(worklist)["VS-2"] == "done"
    assert worklist.previous() is None
    assert worklist.current.name == "VS-2"


def test_a_new_day_begins_where_the_last_one_stopped(open_list):
    worklist = open_list()
    worklist.go_to("VS-9")
    worklist.update(clicks=2)
    worklist.close()
    assert open_list().resume().name == "VS-9"


def test_of_several_begun_cases_the_last_one_is_resumed(open_list, monkeypatch):
    stamps = iter(f"2026-01-01T00:00:{n:02d}+00:00" for n in range(60))
    monkeypatch.setattr("VSClickCorrectLib.worklist.open_case.now", lambda: next(stamps))
    worklist = open_list()
    for name in ("VS-2", "VS-10", "VS-9", "VS-10"):
        worklist.go_to(name)
        worklist.update(clicks=worklist.record(name).clicks + 1)
    worklist.close()
    assert open_list().resume().name == "VS-10"


def test_what_a_colleague_has_begun_is_neither_resumed_nor_next(open_list):
    theirs = open_list("CD")
    theirs.go_to("VS-2")
    theirs.update(clicks=1)
    theirs.close()
    assert open_list("AB").resume().name == "VS-9"
    assert open_list("CD").resume().name == "VS-2"


def test_looking_at_a_case_leaves_it_to_do(open_list):
    worklist = open_list()
    worklist.next()
    assert states(worklist)["VS-2"] == "in work"
    worklist.next()
    assert states(worklist)["VS-2"] == "todo"


@pytest.mark.parametrize("work", [{"clicks": 1}, {"comment": "large"}])
def test_what_was_done_for_a_case_keeps_it_in_work(open_list, work):
    worklist = open_list()
    worklist.next()
    worklist.update(**work)
    worklist.close()
    assert states(worklist)["VS-2"] == "in work"


def test_only_time_at_work_counts_and_a_break_counts_two_minutes(open_list, clock):
    worklist = open_list()
    worklist.next()
    for _ in range(3):
        clock.now += 40
        worklist.work()
    clock.now += 3600  # lunch
    worklist.update(clicks=1)
    assert worklist.record("VS-2").seconds == 240
    clock.now += 10
    worklist.close()
    clock.now += 500
    worklist.work()
    worklist.go_to("VS-2")
    clock.now += 5
    worklist.done(MASK, PLAIN)
    assert worklist.record("VS-2").seconds == 255
    assert summary(worklist)["VS-2"]["seconds"] == "255"


def test_a_beat_writes_the_time_but_is_no_work(open_list, clock):
    worklist = open_list()
    worklist.heartbeat()
    worklist.next()
    clock.now += 20
    worklist.work()
    worklist.heartbeat()
    assert open_list().record("VS-2").seconds == 0
    clock.now += 20
    worklist.heartbeat()
    assert open_list().record("VS-2").seconds == 20


def test_a_done_case_that_is_looked_at_stays_done_and_one_that_is_changed_does_not(open_list):
    worklist = open_list()
    worklist.next()
    worklist.update(clicks=3)
    label = worklist.done(MASK, PLAIN)
    worklist.go_to("VS-2")
    worklist.update(comment="looked at it again", clicks=3, rounds=1)
    worklist.opened.keep(worklist.opened.saved_mask(PLAIN), PLAIN)
    worklist.close()
    assert states(worklist)["VS-2"] == "done"
    worklist.go_to("VS-2")
    worklist.opened.saved_mask(PLAIN)
    worklist.update(clicks=4, mask=fingerprint_of(ArrayMask(PLAIN, with_voxel(MASK, (0, 0, 0)))))
    worklist.close()
    assert states(worklist)["VS-2"] == "in work"
    assert label.exists()  # the earlier one, until there is a better one
    worklist.go_to("VS-2")
    worklist.done(with_voxel(MASK, (0, 0, 0)), PLAIN)
    assert read_mask(label, PLAIN).sum() == MASK.sum() + 1


def test_a_skipped_case_that_is_looked_at_stays_skipped(open_list):
    worklist = open_list()
    worklist.next()
    worklist.skip("motion")
    worklist.go_to("VS-2")
    values = worklist.opened.saved_mask(PLAIN)
    Journal(worklist.opened.journal_path).append(session_event(PLAIN, "model@1", "progressive", {}))
    worklist.update(clicks=0, rounds=1, volume_mm3=float(values.sum()))
    worklist.opened.keep(values, PLAIN)
    worklist.close()
    assert states(worklist)["VS-2"] == "skipped"


def test_a_case_to_do_whose_own_mask_is_looked_at_stays_to_do(open_list):
    worklist = open_list()
    worklist.next()
    worklist.opened.keep(worklist.opened.saved_mask(PLAIN), PLAIN)
    worklist.close()
    assert states(worklist)["VS-2"] == "todo"
    worklist.go_to("VS-2")
    worklist.opened.keep(with_voxel(worklist.opened.saved_mask(PLAIN), (0, 0, 0)), PLAIN)
    worklist.close()
    assert states(worklist)["VS-2"] == "in work"


def test_painting_on_a_done_case_reopens_it(open_list):
    worklist = open_list()
    worklist.next()
    worklist.done(MASK, PLAIN)
    worklist.go_to("VS-2")
    worklist.opened.keep(with_voxel(MASK, (0, 0, 0)), PLAIN)
    assert states(worklist)["VS-2"] == "in work"
    assert worklist.opened.saved_mask(PLAIN)[0, 0, 0]


def test_a_case_that_is_skipped_after_all_leaves_the_label_set_but_not_the_disk(open_list):
    worklist = open_list()
    worklist.next()
    label = worklist.done(MASK, PLAIN)
    worklist.go_to("VS-2")
    worklist.skip("not a schwannoma")
    assert not label.exists()
    assert not label.with_name("sub-VS2_dseg.json").exists()
    assert not label.parents[1].exists()
    worklist.go_to("VS-2")
    np.testing.assert_array_equal(worklist.opened.saved_mask(PLAIN), MASK)
    assert worklist.done(MASK, PLAIN) == label
    assert label.exists()


def test_a_case_is_begun_with_its_own_mask_or_with_none(open_list):
    worklist = open_list()
    worklist.go_to("VS-2")
    np.testing.assert_array_equal(worklist.opened.saved_mask(PLAIN), START)
    worklist.go_to("VS-9")
    assert worklist.opened.saved_mask(PLAIN) is None


def test_the_clicks_of_the_journal_come_back_even_if_nothing_else_was_written(open_list):
    worklist = open_list()
    worklist.go_to("VS-2")
    clicked(Journal(worklist.opened.journal_path), (2, 2, 2), clicks=2)
    again = open_list()  # the first one is still open in a window that froze
    again.go_to("VS-2", take_over=True)
    assert again.record("VS-2").clicks == 2
    np.testing.assert_array_equal(again.opened.saved_mask(PLAIN), with_voxel(START, (2, 2, 2)))


def test_painting_that_was_kept_and_clicks_after_it_come_back(open_list):
    worklist = open_list()
    worklist.go_to("VS-2")
    journal = Journal(worklist.opened.journal_path)
    clicked(journal, (2, 2, 2))
    # Painted over the click's voxel, and elsewhere.
    painted = with_voxel(START, (4, 4, 4))
    worklist.opened.keep(painted, PLAIN)
    clicked(journal, (3, 3, 3))
    worklist.close()
    worklist.go_to("VS-2")
    np.testing.assert_array_equal(worklist.opened.saved_mask(PLAIN), with_voxel(painted, (3, 3, 3)))
    # What is kept later takes the place of what was kept before.
    worklist.opened.keep(MASK, PLAIN)
    np.testing.assert_array_equal(worklist.opened.saved_mask(PLAIN), MASK)
    assert len(list(worklist.store.output.glob("sourcedata/worklist/*_mask.nii.gz"))) == 1


def test_a_label_and_clicks_after_it_come_back(open_list):
    worklist = open_list()
    worklist.go_to("VS-2")
    clicked(Journal(worklist.opened.journal_path), (2, 2, 2))
    worklist.done(MASK, PLAIN)
    worklist.go_to("VS-2")
    np.testing.assert_array_equal(worklist.opened.saved_mask(PLAIN), MASK)
    clicked(Journal(worklist.opened.journal_path), (0, 0, 0))
    np.testing.assert_array_equal(worklist.opened.saved_mask(PLAIN), with_voxel(MASK, (0, 0, 0)))


def test_starting_over_gives_the_first_mask_back_and_deletes_nothing(open_list):
    worklist = open_list()
    worklist.go_to("VS-2")
    clicked(Journal(worklist.opened.journal_path), (2, 2, 2))
    worklist.done(MASK, PLAIN)
    worklist.go_to("VS-2")
    worklist.opened.start_over()
    np.testing.assert_array_equal(worklist.opened.saved_mask(PLAIN), START)
    record = worklist.record("VS-2")
    assert (record.state, record.clicks, record.finished) == (CaseState.IN_WORK, 0, "")
    aside = sorted(p.name.split("_", 1)[1] for p in worklist.store.output.glob("sourcedata/worklist/old-*"))
    assert aside == ["sub-VS2.jsonl", "sub-VS2_dseg.nii.gz"]


def test_a_damaged_journal_is_told_and_the_case_can_be_started_over(open_list):
    worklist = open_list()
    worklist.go_to("VS-2")
    worklist.opened.journal_path.write_text("no event\nnor this\n", encoding="utf-8")
    worklist.close()
    worklist.go_to("VS-2")
    with pytest.raises(CorrectionError, match="line 1 of the journal"):
        worklist.opened.saved_mask(PLAIN)
    worklist.opened.start_over()
    np.testing.assert_array_equal(worklist.opened.saved_mask(PLAIN), START)


def test_nothing_can_be_told_of_no_case(open_list):
    worklist = open_list()
    for call in (
        lambda: worklist.update(clicks=1),
        lambda: worklist.done(MASK, PLAIN),
        worklist.skip,
        lambda: worklist.opened.journal_path,
        lambda: worklist.opened.saved_mask(PLAIN),
    ):
        with pytest.raises(WorklistError, match="no case is open"):
            call()
    worklist.close()
    with pytest.raises(WorklistError, match="no case 'VS-3'"):
        worklist.go_to("VS-3")


def test_cases_that_are_added_later_join_the_list_and_those_that_vanish_stay_with_a_word(
    open_list, folder, tmp_path
):
    worklist = open_list()
    worklist.go_to("VS-9")
    worklist.done(MASK, PLAIN)
    worklist.go_to("VS-10")
    worklist.update(clicks=1)
    worklist.close()
    (folder / "VS-9").rename(tmp_path / "away")
    (folder / "VS-2").rename(folder / "VS-1")
    worklist = open_list()
    assert states(worklist) == {"VS-1": "todo", "VS-10": "in work", "VS-9": "done"}
    assert "not there any more" in worklist.case("VS-9").problem
    assert worklist.label_path("VS-9").exists()
    (tmp_path / "away").rename(folder / "VS-9")
    worklist = open_list()
    assert list(states(worklist)) == ["VS-1", "VS-9", "VS-10"]
    assert worklist.case("VS-9").problem == ""


def test_a_case_whose_files_vanish_while_the_list_is_open_is_passed_over(open_list, folder):
    worklist = open_list()
    (folder / "VS-2" / "T1ce.nii.gz").unlink()
    assert worklist.next().name == "VS-9"
    case = worklist.go_to("VS-2")
    assert "T1ce.nii.gz does not exist any more" in case.problem
    worklist.give_up(ImageError(case.problem))
    assert states(worklist)["VS-2"] == "failed"


def test_a_table_that_a_spreadsheet_has_locked_stops_nobody(open_list):
    worklist = open_list()
    worklist.go_to("VS-2")
    (worklist.store.output / "summary.csv").unlink()
    (
        worklist.store.output / "summary.csv"
    ).mkdir()  # cannot be written over, as little as a file that is locked
    worklist.done(MASK, PLAIN)
    assert states(worklist)["VS-2"] == "done"
    (worklist.store.output / "summary.csv").rmdir()
    worklist.next()
    assert summary(worklist)["VS-2"]["state"] == "done"
