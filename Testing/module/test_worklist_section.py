"""A day's work on the panel: three cases from a folder."""

import shutil
from contextlib import contextmanager

import numpy as np
import pytest
from bright_ball import ball, ball_volume
from pythonqt import bare
from source_series import write_slices
from VSClickCorrectLib.io.images import read_mask
from worklist_panel import choose, open_worklist, summary


def test_first_case_is_shown_and_can_be_corrected_at_once(widget, opened, small, spoiled, desktop):
    assert opened.current.name == "case1"
    assert "case1" in widget.ui.caseLabel.text
    assert widget.ui.t1ceSelector.currentNode().GetName() == "case1 T1ce"
    np.testing.assert_array_equal(widget.panel.flow.workbench.values(), spoiled)
    assert desktop.layers[-1]["background"] is widget.panel.parameters.t1ce
    assert widget.ui.worklistProgress.maximum == 3
    assert desktop.faults == []


def test_moving_over_a_view_counts_as_work_while_the_worklist_is_open(widget, folder, small, monkeypatch):
    from VSClickCorrectLib.session.oracle import Oracle
    from VSClickCorrectLib.worklist.worklist import Worklist

    signs = []
    monkeypatch.setattr(Worklist, "work", lambda worklist: signs.append(worklist.annotator))
    widget.panel.flow.networks.corrector = Oracle(small.truth)
    crosshair = widget.panel.scene.AddNewNodeByClass("vtkMRMLCrosshairNode")
    open_worklist(widget, folder)
    signs.clear()
    crosshair.SetCursorPositionRAS((1.0, 2.0, 3.0))
    assert signs == ["AB"]
    widget.panel.worklist.close()
    crosshair.SetCursorPositionRAS((2.0, 2.0, 3.0))
    assert signs == ["AB"]


def test_done_case_is_in_the_label_set_and_the_next_is_shown(widget, opened, folder, small, border):
    widget.panel.correction.place(border[0])
    corrected = widget.panel.flow.workbench.values()
    widget.ui.commentEdit.text = "sharp border"
    widget.ui.doneCaseButton.click()
    (label,) = (folder / "results").rglob("*_dseg.nii.gz")
    np.testing.assert_array_equal(read_mask(label, small.grid), corrected)
    assert list((folder / "results").rglob("dataset_description.json"))
    row = summary(folder)["case1"]
    told = [row[name] for name in ("state", "annotator", "clicks", "comment")]
    assert told == ["done", "AB", "1", "sharp border"]
    assert opened.current.name == "case2"
    assert widget.panel.correction is None
    assert not widget.ui.doneCaseButton.enabled


def test_a_double_click_calls_one_case_done_and_not_the_next(
    widget, folder, small, desktop, wait, monkeypatch
):
    from PySide6 import QtCore, QtGui, QtWidgets
    from VSClickCorrectLib.session.oracle import Oracle

    monkeypatch.setattr("VSClickCorrectLib.workflow.just_shown.SEEN_S", 60.0)
    shutil.rmtree(folder / "cases" / "case2")
    shutil.copytree(folder / "cases" / "case1", folder / "cases" / "case2")
    widget.panel.flow.networks.corrector = Oracle(small.truth)
    opened = open_worklist(widget, folder)
    monkeypatch.setattr("VSClickCorrectLib.workflow.just_shown.monotonic", lambda: 1e9)
    desktop.window.setCentralWidget(widget.host)
    desktop.window.show()
    button, kinds, left = bare(widget.ui.doneCaseButton), QtCore.QEvent.Type, QtCore.Qt.MouseButton.LeftButton
    assert wait(button.isVisible)
    middle, none = QtCore.QPointF(button.rect().center()), QtCore.Qt.KeyboardModifier.NoModifier
    for kind in ("MouseButtonPress", "MouseButtonRelease", "MouseButtonDblClick", "MouseButtonRelease"):
        event = QtGui.QMouseEvent(kinds[kind], middle, button.mapToGlobal(middle), left, left, none)
        QtWidgets.QApplication.postEvent(button, event)
    assert wait(lambda: "has just come" in widget.ui.statusLabel.text)
    assert opened.current.name == "case2"
    assert [summary(folder)[name]["state"] for name in ("case1", "case2")] == ["done", "in work"]


def test_a_case_without_a_mask_can_be_called_one_without_a_tumour(widget, opened, folder, small, desktop):
    widget.ui.nextCaseButton.click()
    assert opened.current.name == "case2" and widget.panel.correction is None
    widget.ui.noTumourButton.click()
    assert summary(folder)["case2"]["state"] == "no tumour"
    assert not read_mask(opened.label_path("case2"), small.grid).any()
    assert desktop.questions == [] and desktop.faults == []


def test_images_of_the_case_before_leave_the_scene(widget, opened, headless):
    mine = headless.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "somebody's own")
    widget.ui.skipCaseButton.click()
    names = {
        headless.scene.GetNthNodeByClass(n, "vtkMRMLDisplayableNode").GetName()
        for n in range(headless.scene.GetNumberOfNodesByClass("vtkMRMLDisplayableNode"))
    }
    assert not any("case1" in name for name in names)
    assert {"case2 T1ce", "case2 T2", mine.GetName()} <= names
    assert headless.scene.GetNumberOfNodesByClass("vtkMRMLTextNode") == 0


def test_case_that_cannot_be_read_is_called_failed_and_passed_over(widget, opened, folder, desktop):
    widget.ui.skipCaseButton.click()
    widget.ui.nextCaseButton.click()
    assert "case3" in widget.ui.statusLabel.text
    assert summary(folder)["case3"]["state"] == "failed"
    assert opened.current.name == "case2"
    assert widget.panel.parameters.t1ce.GetName() == "case2 T1ce"
    assert desktop.faults == []


def test_memory_that_runs_out_is_not_blamed_on_the_case(widget, opened, folder, desktop, monkeypatch):
    from VSClickCorrectLib.worklist.work_case import WorkCase

    def fail(*_):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(WorkCase, "load", fail)
        widget.ui.nextCaseButton.click()
    assert "not enough memory" in widget.ui.statusLabel.text
    assert summary(folder)["case2"]["state"] == "todo"
    assert (desktop.faults, opened.current) == ([], None)


def test_work_is_there_again_after_a_crash(widget, opened, folder, module, small, border):
    from VSClickCorrectLib.session.oracle import Oracle

    widget.panel.correction.place(border[0])
    widget.panel.flow.clicks.next_round()
    corrected = widget.panel.flow.workbench.values()
    opened._open = None  # gone without a word, as after a crash
    widget.panel.flow.worklist.worklist = None
    widget.panel.flow.workbench.close()
    for lock in (folder / "results").rglob("*.lock"):
        lock.unlink()
    widget.panel.flow.networks.corrector = Oracle(small.truth)
    assert open_worklist(widget, folder).current.name == "case1"
    np.testing.assert_array_equal(widget.panel.flow.workbench.values(), corrected)
    assert [row.round for row in widget.panel.correction.rows] == [1]
    assert widget.panel.correction.session.round == 2


def test_painted_voxels_are_kept_between_cases(widget, opened, small):
    from VSClickCorrectLib.geometry.box import Box

    painted = Box((0, 0, 0), (1, 2, 3))
    widget.panel.flow.workbench.session.mask.write(painted, np.ones(painted.shape, bool))
    widget.ui.nextCaseButton.click()
    widget.ui.previousCaseButton.click()
    assert opened.current.name == "case1"
    assert widget.panel.flow.workbench.values()[painted.slices].all()


def test_second_click_on_next_while_a_case_is_loading_mixes_nothing_up(widget, opened, folder, monkeypatch):
    clicks = [widget.panel.worklist.next]

    @contextmanager
    def waiting():
        if clicks:
            clicks.pop()()
        yield

    monkeypatch.setattr(widget.panel.desktop, "waiting", waiting)
    (folder / "cases" / "case3" / "T1ce.nii.gz").unlink()
    widget.ui.nextCaseButton.click()
    shown = widget.panel.parameters.t1ce or widget.panel.parameters.t2
    assert shown.GetName().startswith(opened.current.name)


def test_worklist_without_initials_is_not_opened(widget, folder):
    widget.ui.worklistSourcePath.currentPath = str(folder / "cases")
    widget.ui.worklistOutputPath.currentPath = str(folder / "results")
    widget.ui.annotatorEdit.text = ""
    widget.ui.openWorklistButton.click()
    assert "initials" in widget.ui.statusLabel.text
    assert not (folder / "results").exists()


def test_tumour_found_in_a_case_begins_its_journal(widget, opened, small):
    from VSClickCorrectLib.clicks.click import Click
    from VSClickCorrectLib.geometry.box import Box
    from VSClickCorrectLib.inference.initial_mask import InitialMask

    widget.ui.skipCaseButton.click()
    parameters = widget.panel.parameters
    initial = InitialMask(Box((1, 2, 3), (3, 5, 7)), np.ones((2, 3, 4), bool), 0.9)
    widget.panel.flow.host.start(widget.panel.flow.initial.use(initial, (parameters.t1ce, parameters.t2)))
    widget.panel.correction.place(Click(tuple(small.grid.index_to_ras((2, 4, 6)))))
    assert len(opened.opened.journal().events) == 2
    assert bare(widget.ui.clickTable).rowCount() == 1


@pytest.fixture
def colleague(folder):
    """Somebody else on the same folder."""
    from VSClickCorrectLib.worklist.worklist import Worklist

    return Worklist.open(folder / "cases", folder / "results", "CD")


def listed(widget):
    box = bare(widget.ui.caseSelector)
    return [box.itemText(n) for n in range(box.count())]


def test_any_case_can_be_chosen_from_the_list(widget, opened, small):
    from VSClickCorrectLib.geometry.box import Box

    assert listed(widget) == ["case1, in work", "case2, todo", "case3, todo"]
    painted = Box((0, 0, 0), (1, 2, 3))
    widget.panel.flow.workbench.session.mask.write(painted, np.ones(painted.shape, bool))
    choose(widget, 1)
    assert opened.current.name == "case2"
    assert widget.ui.caseSelector.currentIndex == 1
    choose(widget, 0)
    assert widget.panel.flow.workbench.values()[painted.slices].all()


def test_a_label_that_lacks_its_dicom_is_told_in_the_list(widget, tmp_path, desktop):
    from VSClickCorrectLib.worklist.worklist import Worklist

    for name in ("VS-1", "VS-2"):
        write_slices(tmp_path / "cases" / name / "t1_mpr", ball_volume(), patient=name)
    earlier = Worklist.open(tmp_path / "cases", tmp_path / "results", "AB")
    earlier.go_to("VS-1")
    earlier.done(ball(), ball_volume().grid, "VS-1")
    (tmp_path / "results" / "dicom" / "sub-VS1" / "report.dcm").unlink()
    open_worklist(widget, tmp_path)
    told = "VS-1, done; its DICOM objects are missing; open it to write them"
    assert listed(widget) == [told, "VS-2, in work"]


def test_case_of_somebody_else_is_taken_over_only_if_confirmed(widget, opened, colleague, desktop):
    colleague.go_to("case2")
    desktop.answers.append(False)
    choose(widget, 1)
    assert desktop.questions[0].startswith("Case case2 is open with CD on ")
    assert "Take it over?" in desktop.questions[0]
    assert (opened.current.name, widget.ui.caseSelector.currentIndex) == ("case1", 0)
    assert listed(widget)[1].startswith("case2, in work, open with CD on ")
    assert "1 open with others" in widget.ui.caseLabel.text
    desktop.answers.append(True)
    choose(widget, 1)
    assert opened.current.name == "case2"
    assert listed(widget)[1] == "case2, in work"
    assert desktop.faults == []


def test_a_module_that_is_reloaded_after_a_case_was_lost_leaves_nothing_behind(
    widget, opened, colleague, desktop
):
    bare(widget.ui.commentEdit).setText("blurred")
    colleague.go_to("case1", take_over=True)
    widget.cleanup()
    assert "was taken over by CD on " in widget.ui.statusLabel.text
    assert (widget.Observations, widget.panel.flow.worklist.worklist, desktop.faults) == ([], None, [])


def test_who_lost_a_case_can_leave_it(widget, opened, colleague, desktop):
    colleague.go_to("case1", take_over=True)
    desktop.answers.append(False)
    widget.ui.nextCaseButton.click()
    assert desktop.questions[0].startswith("Case case1 was taken over by CD on ")
    assert opened.current.name == "case1"
    desktop.answers.append(True)
    widget.ui.nextCaseButton.click()
    assert opened.current.name == "case2"
    assert colleague.current.name == "case1"
    assert desktop.faults == []


def test_list_of_cases_is_found_by_a_button(widget, folder, small, desktop):
    from VSClickCorrectLib.session.oracle import Oracle

    widget.panel.flow.networks.corrector = Oracle(small.truth)
    path = folder / "cases" / "list.csv"
    path.write_text("case,t1ce\nthe only one,case1/T1ce.nii.gz\n")
    desktop.answers += ["", str(path)]
    widget.ui.worklistSourcePath.currentPath = "before"
    widget.ui.worklistFileButton.click()
    assert widget.ui.worklistSourcePath.currentPath == "before"
    widget.ui.worklistFileButton.click()
    widget.ui.worklistOutputPath.currentPath = str(folder / "results")
    widget.ui.annotatorEdit.text = "AB"
    widget.ui.openWorklistButton.click()
    assert widget.panel.flow.worklist.worklist.current.name == "the only one"


@pytest.fixture
def hand(widget):
    """Paint six voxels; nobody has noted it until the event loop turns."""
    from VSClickCorrectLib.geometry.box import Box

    painted = Box((0, 0, 0), (1, 2, 3))
    return lambda: widget.panel.flow.workbench.session.mask.write(painted, np.ones(painted.shape, bool))


@pytest.mark.parametrize("leave", ["next", "done", "skip", "leave", "scene"])
def test_painting_not_yet_noted_is_written_down_while_the_case_is_ours(
    widget, opened, headless, hand, monkeypatch, desktop, leave
):
    from VSClickCorrectLib.session.journal import Journal
    from VSClickCorrectLib.worklist.locks import holder_of
    from VSClickCorrectLib.worklist.store import Store

    lock, path = Store(opened.store.output).lock_path("case1"), opened.opened.journal_path
    append, written = Journal.append, []

    def watched(journal, event):
        append(journal, event)
        written.append((event["event"], holder_of(lock) is not None))

    monkeypatch.setattr(Journal, "append", watched)
    # What was painted is a part of its own, about which is asked.
    desktop.answers += [True] if leave == "done" else []
    hand()
    if leave == "scene":
        headless.scene.Clear()
    else:
        widget.panel.flow.host.start(getattr(widget.panel.flow.worklist, leave)())
    assert written == [("paint", True)]
    assert [event["event"] for event in Journal(path).events] == ["session", "paint"]
    assert holder_of(lock) is None


def test_who_lost_a_case_writes_nothing_into_its_journal_any_more(
    widget, opened, colleague, desktop, hand, wait, border
):
    colleague.go_to("case1", take_over=True)
    path = colleague.opened.journal_path
    text = path.read_text()
    before = widget.panel.flow.workbench.values()
    widget.panel.correction.place(border[0])
    assert widget.ui.statusLabel.text.startswith("Case case1 was taken over by CD on ")
    np.testing.assert_array_equal(widget.panel.flow.workbench.values(), before)
    hand()
    wait(seconds=0.1)
    assert widget.ui.statusLabel.text.startswith("Case case1 was taken over by CD on ")
    widget.exit()
    widget.enter()
    assert widget.ui.statusLabel.text.startswith("Case case1 was taken over by CD on ")
    desktop.answers.append(True)
    widget.ui.nextCaseButton.click()
    assert (opened.current.name, path.read_text()) == ("case2", text)
    assert desktop.faults == []


def test_a_mask_that_is_found_begins_a_journal_in_which_nothing_of_the_one_before_stands(
    widget, opened, hand
):
    from VSClickCorrectLib.geometry.box import Box
    from VSClickCorrectLib.inference.initial_mask import InitialMask

    parameters = widget.panel.parameters
    initial = InitialMask(Box((1, 2, 3), (3, 5, 7)), np.ones((2, 3, 4), bool), 0.9)
    hand()
    widget.panel.flow.host.start(widget.panel.flow.initial.use(initial, (parameters.t1ce, parameters.t2)))
    (event,) = opened.opened.journal().events
    assert event["start"]["voxels"] == 24


def test_a_comment_that_cannot_be_kept_when_the_scene_is_closed_is_told(
    widget, opened, colleague, headless, desktop
):
    colleague.go_to("case1", take_over=True)
    widget.ui.commentEdit.text = "sharp border"
    headless.scene.Clear(False)
    assert widget.ui.statusLabel.text.startswith("Case case1 was taken over by CD on ")
    assert (widget.panel.parameters, desktop.faults) == (None, [])


def test_what_was_painted_while_nothing_corrects_it_is_kept_when_the_module_goes(
    widget, opened, folder, small
):
    from VSClickCorrectLib.mrml.segment_mask import SegmentMask
    from VSClickCorrectLib.worklist.worklist import Worklist

    bench = widget.panel.flow.workbench
    segment = bench.segment
    bench.stop()
    SegmentMask(*segment, bench.reference).write(small.grid.box, small.truth)
    widget.panel.close()
    again = Worklist.open(folder / "cases", folder / "results", "AB")
    again.go_to("case1")
    np.testing.assert_array_equal(again.opened.saved_mask(small.grid), small.truth)
    again.close()
