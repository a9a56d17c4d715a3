"""What a person sees of a mask that is found, or comes with a case."""

from dataclasses import replace

import numpy as np
import pytest
from plain_host import JobByHand
from pythonqt import bare
from VSClickCorrectLib.clicks.click import ClickKind
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.inference.initial_mask import InitialMask
from worklist_panel import open_worklist

FOUND = InitialMask(Box((1, 2, 3), (4, 5, 8)), np.ones((3, 3, 5), bool), 0.9, 1.0, 0.95)
NOTHING = InitialMask(Box((0, 0, 0), (0, 0, 0)), np.zeros((0, 0, 0), bool), 0.0)
# What a pointer may be on while the tumour is looked for.
POINTED_AT = (
    "initialButton",
    "candidateButton",
    "cancelButton",
    "correctButton",
    "boundaryButton",
    "undoButton",
)


@pytest.fixture
def job(monkeypatch):
    """Let the next search give what the test says."""

    def job(outcome):
        job = JobByHand(outcome)
        monkeypatch.setattr("VSClickCorrectLib.jobs.job.Job.start_segmentation", lambda *arguments: job)
        return job

    return job


@pytest.fixture
def find(widget, example, job, wait):
    """Press *Find*, and let the search end."""

    def find(outcome, meanwhile=lambda: None):
        running = job(outcome)
        widget.ui.initialButton.click()
        meanwhile()
        running.done = True
        assert wait(lambda: not widget.panel.flow.jobs.busy)

    return find


@pytest.fixture
def slice_node(headless):
    return headless.scene.AddNewNodeByClass("vtkMRMLSliceNode")


def centre(node):
    return [node.GetSliceToRAS().GetElement(row, 3) for row in range(3)]


def test_views_go_to_what_was_found_and_clicks_are_placed(widget, find, small, slice_node):
    find(FOUND)
    np.testing.assert_allclose(centre(slice_node), small.grid.index_to_ras((2, 3, 5)), atol=1e-3)
    assert widget.ui.boundaryButton.checked
    assert widget.panel.placing.node_id is not None
    assert "click" in widget.ui.statusLabel.text


def test_where_nothing_was_found_include_clicks_are_placed(widget, find, slice_node):
    before = centre(slice_node)
    find(NOTHING)
    assert widget.ui.includeButton.checked and centre(slice_node) == before


def test_what_was_found_while_another_module_was_open_is_there_on_coming_back(
    widget, find, small, slice_node
):
    find(FOUND, widget.exit)
    assert widget.panel.correction is None
    widget.enter()
    assert widget.panel.flow.workbench.values().sum() == 45
    np.testing.assert_allclose(centre(slice_node), small.grid.index_to_ras((2, 3, 5)), atol=1e-3)
    assert widget.ui.segmentSelector.currentNode() is widget.panel.parameters.segmentation
    assert widget.ui.boundaryButton.checked


@pytest.mark.parametrize("clicked", [False, True])
def test_a_mask_that_is_found_anew_is_not_drawn_over(widget, find, headless, clicked, border):
    find(FOUND)
    before = widget.panel.parameters.segmentation
    if clicked:
        widget.panel.correction.place(replace(border[0], kind=ClickKind.INCLUDE))
        node = widget.panel.correction.click_node(ClickKind.INCLUDE)
    find(FOUND)
    assert widget.panel.parameters.segmentation is not before
    assert (before.GetScene() is not None) is clicked
    if clicked:
        assert not before.GetDisplayVisibility() and not node.GetDisplayVisibility()
    assert widget.panel.parameters.segmentation.GetDisplayVisibility()


def places(widget):
    return {
        name: bare(getattr(widget.ui, name)).mapTo(
            widget.host, bare(getattr(widget.ui, name)).rect().center()
        )
        for name in POINTED_AT
    }


def test_nothing_moves_under_the_pointer(widget, find, wait):
    widget.host.resize(440, 700)
    widget.host.show()
    wait(lambda: widget.ui.agreementLabel.text != "", 5.0)
    before, during = places(widget), {}
    find(FOUND, lambda: (wait(seconds=0.1), during.update(places(widget))))
    wait(seconds=0.5)
    assert during == places(widget) == before


def test_a_case_of_a_worklist_is_led_to(widget, opened, small, spoiled, slice_node):
    widget.ui.nextCaseButton.click()
    widget.ui.startCollapsibleButton.collapsed = True
    widget.ui.previousCaseButton.click()
    where = np.argwhere(spoiled)
    middle = (where.min(axis=0) + where.max(axis=0)) / 2
    np.testing.assert_allclose(centre(slice_node), small.grid.index_to_ras(middle), atol=1e-3)
    assert widget.ui.boundaryButton.checked
    assert widget.ui.statusLabel.text == "Case case1 is ready; click where its border is wrong."
    widget.ui.nextCaseButton.click()
    assert not widget.ui.startCollapsibleButton.collapsed
    assert widget.ui.statusLabel.text == "Case case2 is ready; find the tumour."


def test_what_a_case_needs_fits_a_small_screen(widget, folder, small, wait):
    from VSClickCorrectLib.session.oracle import Oracle

    widget.panel.flow.networks.corrector = Oracle(small.truth)
    widget.host.show()
    open_worklist(widget, folder)
    widget.host.resize(400, 443)
    wait(seconds=0.2)
    assert widget.host.height() == 443
    for name in (
        "statusLabel",
        "boundaryButton",
        "excludeButton",
        "undoButton",
        "nextCaseButton",
        "doneCaseButton",
    ):
        shown = bare(getattr(widget.ui, name))
        assert shown.visibleRegion().boundingRect() == shown.rect(), name
    widget.panel.say("A long sentence. " * 30)
    wait(seconds=0.1)
    assert (
        bare(widget.ui.doneCaseButton).visibleRegion().boundingRect() == bare(widget.ui.doneCaseButton).rect()
    )
    assert widget.ui.statusLabel.toolTip == "A long sentence. " * 30


def test_keys_typed_after_a_case_go_to_the_view_and_not_into_the_comment(widget, opened, desktop, wait):
    from PySide6 import QtWidgets
    from PySide6.QtTest import QTest

    window = desktop.window
    layout = QtWidgets.QHBoxLayout()
    for part in (widget.host, desktop.app.view):
        layout.addWidget(part)
    holder = QtWidgets.QWidget()
    holder.setLayout(layout)
    window.setCentralWidget(holder)
    window.show()
    window.activateWindow()
    assert wait(window.isActiveWindow)
    bare(widget.ui.doneCaseButton).setFocus()
    widget.ui.doneCaseButton.click()
    assert opened.current.name == "case2"
    assert QtWidgets.QApplication.focusWidget() is desktop.app.view
    QTest.keyClicks(QtWidgets.QApplication.focusWidget(), "bix")
    assert widget.ui.commentEdit.text == ""
    bare(widget.ui.commentEdit).setFocus()
    QTest.keyClicks(bare(widget.ui.commentEdit), "sharp\r")
    assert QtWidgets.QApplication.focusWidget() is desktop.app.view
    assert opened.record("case2").comment == "sharp"
