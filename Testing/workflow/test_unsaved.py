"""Work that stands in the window alone: known, asked about, and gone only then."""

import numpy as np
import pytest
from plain_host import JobByHand
from VSClickCorrectLib.inference.initial_mask import NOTHING
from VSClickCorrectLib.session.edit import Change
from VSClickCorrectLib.worklist.worklist import Worklist


def test_clicks_are_unsaved_until_they_are_saved_or_undone(flow, begun, border):
    told = []
    flow.unsaved.changed.connect(lambda: told.append(flow.unsaved.there))
    assert not flow.unsaved.there
    begun.correction.place(border[0])
    assert flow.unsaved.there and flow.unsaved.work == "1 click"
    flow.clicks.undo()
    assert not flow.unsaved.there
    flow.clicks.redo()
    flow.unsaved.note_saved()
    assert not flow.unsaved.there
    begun.correction.place(border[1])
    assert flow.unsaved.there and flow.unsaved.work == "2 clicks"
    assert told == [True, False, True, False, True]
    flow.clicks.undo()
    assert not flow.unsaved.there
    flow.clicks.undo()
    # Nothing stands, so nothing can be lost; another click in the place of the one that was saved can.
    assert not flow.unsaved.there
    begun.correction.place(border[2])
    assert flow.unsaved.there


def test_waiting_clicks_and_painting_are_work_too(flow, begun, host, border):
    begun.mode.collecting = True
    begun.correction.place(border[0])
    assert flow.unsaved.there and flow.unsaved.work == "1 click"
    flow.clicks.remove(1)
    assert not flow.unsaved.there
    box = begun.session.mask.extent()
    Change.between(box, begun.session.mask.read(box), np.zeros(box.shape, bool)).apply(begun.session.mask)
    begun.correction.note_painting()
    begun.changed.emit()
    assert flow.unsaved.there and flow.unsaved.work == "what was painted"


def test_other_networks_do_not_save_what_was_done(flow, begun, host, border):
    begun.correction.place(border[0])
    host.run(begun.choose(begun.volumes, begun.segment, begun.settings._replace(merge="replace")))
    assert begun.session.merge == "replace" and flow.unsaved.there


def test_another_case_begins_with_nothing_unsaved(flow, begun, host, case, border):
    begun.correction.place(border[0])
    begun.open(case)
    host.run(begun.begin())
    assert not flow.unsaved.there and flow.unsaved.work == ""


def test_work_in_a_worklist_is_on_the_disk(flow, host, folder, border):
    host.run(flow.worklist.begin(Worklist.open(folder / "cases", folder / "results", "AB")))
    flow.workbench.correction.place(border[0])
    assert not flow.unsaved.there and flow.unsaved.work == "1 click"


@pytest.mark.parametrize("yes", [False, True])
def test_finding_the_tumour_anew_asks_before_clicks_go(flow, begun, host, border, monkeypatch, yes):
    job = JobByHand(NOTHING)
    monkeypatch.setattr("VSClickCorrectLib.jobs.job.Job.start_segmentation", lambda *_: job)
    begun.correction.place(border[0])
    clicked = begun.values()
    host.answers.append(yes)
    host.run(flow.initial.find())
    assert host.questions == [
        "Another mask takes the place of this one, and its work goes with it: 1 click. Go on?"
    ]
    assert flow.jobs.busy is yes
    np.testing.assert_array_equal(begun.values(), clicked)


def test_finding_the_tumour_without_clicks_asks_nothing(flow, begun, host, monkeypatch):
    job = JobByHand(NOTHING)
    monkeypatch.setattr("VSClickCorrectLib.jobs.job.Job.start_segmentation", lambda *_: job)
    host.run(flow.initial.find())
    assert flow.jobs.busy and host.questions == []
