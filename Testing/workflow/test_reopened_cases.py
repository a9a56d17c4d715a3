"""Cases that somebody looked at or decided upon, opened again after files or the drive changed."""

import json
import shutil
import time
from dataclasses import replace

import numpy as np
import pytest
from VSClickCorrectLib.errors import StorageError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.inference.initial_mask import InitialMask
from VSClickCorrectLib.inference.manifest import Choice
from VSClickCorrectLib.io.images import read_mask, write_mask, write_volume
from VSClickCorrectLib.worklist.worklist import Worklist


def begin(flow, host, folder):
    host.run(flow.worklist.begin(Worklist.open(folder / "cases", folder / "results", "AB")))
    return flow.worklist.worklist


@pytest.fixture
def full(monkeypatch):
    """Records of a state find no room; returns what makes it so."""

    def full_for(state):
        from VSClickCorrectLib.worklist import store

        write = store.write_json

        def write_json(path, values):
            if values["state"] == state:
                raise StorageError(f"cannot write {path}: no space left on device.")
            write(path, values)

        monkeypatch.setattr(store, "write_json", write_json)
        return lambda: monkeypatch.setattr(store, "write_json", write)

    return full_for


@pytest.mark.parametrize(("skipped", "state"), [(False, "todo"), (True, "skipped")])
def test_of_a_case_that_was_only_looked_at_the_mask_that_it_has_now_is_shown(
    flow, opened, host, folder, small, start, skipped, state
):
    if skipped:
        flow.worklist.comment = "its mask is on the other side"
        host.run(flow.worklist.skip())
    host.run(flow.worklist.go_to("case3"))
    assert opened.record("case1").state.value == state
    better = np.zeros(small.grid.shape, bool)
    better[3:6, 5:9, 5:9] = True
    write_mask(folder / "cases" / "case1" / "mask.nii.gz", better, small.grid)
    host.run(flow.worklist.go_to("case1"))
    np.testing.assert_array_equal(flow.workbench.values(), better)
    assert opened.opened.journal().events[0]["start"]["voxels"] == 3 * 4 * 4
    # It is no painting over the earlier one.
    assert [event["event"] for event in opened.opened.journal().events] == ["session"]
    # With work on it the files count no more.
    flow.workbench.session.mask.write(small.grid.box, small.truth)
    host.run(flow.worklist.go_to("case3"))
    write_mask(folder / "cases" / "case1" / "mask.nii.gz", start, small.grid)
    host.run(flow.worklist.go_to("case1"))
    np.testing.assert_array_equal(flow.workbench.values(), small.truth)


@pytest.mark.parametrize("slices", [0, 2])
def test_a_case_that_was_only_looked_at_opens_with_the_images_that_it_has_now(
    flow, opened, host, folder, small, start, border, slices
):
    host.run(flow.worklist.go_to("case3"))
    # Another export of the scan, with so many slices less at its lower end.
    box = Box((slices, 0, 0), small.grid.shape)
    other = replace(small.t1ce, array=small.t1ce.array[slices:] + 1, grid=small.grid.cropped(box))
    write_volume(folder / "cases" / "case1" / "T1ce.nii.gz", other)
    write_mask(folder / "cases" / "case1" / "mask.nii.gz", start[slices:], other.grid)
    host.run(flow.worklist.go_to("case1"))
    assert host.status == "Case case1 is ready; click where its border is wrong."
    assert flow.workbench.session.case.t1ce.fingerprint == other.fingerprint
    np.testing.assert_array_equal(flow.workbench.values(), start[slices:])
    flow.workbench.under_way.place(border[0])
    # With work on it other images are refused.
    host.run(flow.worklist.go_to("case3"))
    write_volume(folder / "cases" / "case1" / "T1ce.nii.gz", small.t1ce)
    host.run(flow.worklist.go_to("case1"))
    assert host.status.startswith("The journal belongs to another image")


def test_a_case_that_failed_and_was_repaired_is_as_any_other(flow, opened, host, folder):
    host.run(flow.worklist.next())
    assert opened.record("case2").state.value == "failed" and opened.record("case2").comment
    shutil.copy(folder / "cases" / "case1" / "T1ce.nii.gz", folder / "cases" / "case2" / "T1ce.nii.gz")
    host.run(flow.worklist.go_to("case2"))
    assert (host.status, flow.worklist.comment) == (
        "Case case2 is ready; click where its border is wrong.",
        "",
    )
    host.run(flow.worklist.go_to("case1"))
    assert opened.record("case2").state.value == "todo"
    host.run(flow.worklist.go_to("case2"))
    host.run(flow.worklist.done())
    label = opened.label_path("case2")
    told = json.loads(label.with_suffix("").with_suffix(".json").read_text())["VSClickCorrect"]
    assert (told["state"], told["comment"]) == ("done", "")


def test_a_done_case_that_cannot_be_skipped_for_a_full_disk_keeps_its_label_or_waits_again(
    flow, opened, host, full, start
):
    host.run(flow.worklist.done())
    host.run(flow.worklist.go_to("case1"))
    empty_disk = full("in work")
    host.run(flow.worklist.skip())
    assert "no space left" in host.status
    assert opened.record("case1").state.value == "done" and opened.label_path("case1").exists()
    empty_disk()
    full("skipped")
    host.run(flow.worklist.skip())
    assert opened.record("case1").state.value == "in work" and not opened.label_path("case1").exists()
    np.testing.assert_array_equal(flow.workbench.values(), start)
    assert opened.rows()[0].record.state.value == "in work"


def test_no_undo_calls_a_case_done_whose_label_holds_what_was_undone(flow, opened, host, full, border, small):
    host.run(flow.worklist.done())
    host.run(flow.worklist.go_to("case1"))
    before = flow.workbench.values()
    flow.workbench.under_way.place(border[0])
    empty_disk = full("done")
    host.run(flow.worklist.done())
    assert "no space left" in host.status
    empty_disk()
    flow.clicks.undo()
    host.pass_time()
    np.testing.assert_array_equal(flow.workbench.values(), before)
    assert not np.array_equal(read_mask(opened.label_path("case1"), small.grid), before)
    assert opened.record("case1").state.value == "in work"
    host.run(flow.worklist.done())
    assert opened.record("case1").state.value == "done"
    np.testing.assert_array_equal(read_mask(opened.label_path("case1"), small.grid), before)


@pytest.mark.parametrize("way", [["case3", "case1"], ["case1"], "killed"])
def test_a_mask_that_was_found_and_is_accepted_when_it_is_opened_again_names_its_networks(
    flow, host, folder, bright_models, way
):
    (folder / "cases" / "case1" / "mask.nii.gz").unlink()
    flow.networks.choice = Choice(str(bright_models), "", "cpu")
    worklist = begin(flow, host, folder)
    host.run(flow.initial.find())
    for _ in range(1200):
        host.pass_time()
        if flow.initial.found.found:
            break
        time.sleep(0.05)
    models = flow.initial.found.models
    assert len(models) == 2
    if way == "killed":
        worklist = Worklist.open(folder / "cases", folder / "results", "AB")
        worklist.go_to("case1", take_over=True)
        flow.worklist.worklist, way = worklist, ["case1"]
    for name in way:
        host.run(flow.worklist.go_to(name))
    host.run(flow.worklist.done())
    assert (worklist.record("case1").state.value, worklist.record("case1").models) == ("done", models)


@pytest.mark.parametrize("found", [True, False])
def test_a_done_case_in_which_the_same_is_found_again_does_not_wait_as_one_that_nobody_looked_at(
    flow, host, folder, small, job, found
):
    (folder / "cases" / "case1" / "mask.nii.gz").unlink()
    worklist, box = begin(flow, host, folder), Box((5, 20, 20), (10, 30, 30))
    job(InitialMask(box, np.full(box.shape, found), 0.9)).done = True
    host.run(flow.initial.find())
    host.run(flow.worklist.done() if found else flow.worklist.no_tumour())
    host.run(flow.worklist.go_to("case1"))
    label = flow.workbench.values()
    host.answers.append(True)
    host.run(flow.initial.find())
    host.run(flow.worklist.next())
    assert worklist.record("case1").state.value == "in work"
    host.run(flow.worklist.go_to("case1"))
    np.testing.assert_array_equal(flow.workbench.values(), label)
    assert label.sum() == (5 * 10 * 10 if found else 0)


def test_a_case_to_do_in_which_nothing_is_found_is_left_to_do(flow, host, folder, job):
    (folder / "cases" / "case1" / "mask.nii.gz").unlink()
    worklist, box = begin(flow, host, folder), Box((5, 20, 20), (10, 30, 30))
    job(InitialMask(box, np.zeros(box.shape, bool), 0.0)).done = True
    host.run(flow.initial.find())
    host.run(flow.worklist.next())
    assert worklist.record("case1").state.value == "todo"
    assert worklist.store.kept_mask("case1") is None
