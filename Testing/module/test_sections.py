"""What the sections of the panel do and show."""

import numpy as np
import pytest
from plain_host import JobByHand
from pythonqt import bare
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.errors import ImageError, ModelError

FINDING = "VSClickCorrectLib.jobs.job.Job.start_segmentation"
REGISTERING = "VSClickCorrectLib.jobs.job.Job.start_registration"


@pytest.fixture
def found():
    from VSClickCorrectLib.geometry.box import Box
    from VSClickCorrectLib.inference.initial_mask import InitialMask

    return InitialMask(Box((1, 2, 3), (3, 5, 7)), np.ones((2, 3, 4), bool), 0.9)


@pytest.fixture
def segmenting(monkeypatch):
    """Let the next search give what the test says."""

    def segmenting(outcome):
        job = JobByHand(outcome)
        monkeypatch.setattr(FINDING, lambda *arguments: job)
        return job

    return segmenting


def segmentations(headless):
    return headless.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode")


def test_found_tumour_becomes_the_segment_to_correct(widget, example, segmenting, found, wait, small):
    job = segmenting(found)
    widget.ui.initialButton.click()
    assert widget.ui.progressWidget.enabled
    assert not widget.ui.initialButton.enabled
    assert wait(lambda: widget.ui.progressBar.value == 25)
    job.done = True
    assert wait(lambda: widget.panel.correction is not None)
    assert widget.panel.parameters.segmentation is not example.segmentation
    assert widget.panel.flow.workbench.values().sum() == 24
    assert widget.ui.segmentSelector.currentNode() is widget.panel.parameters.segmentation
    assert not widget.ui.progressWidget.enabled


def test_cancelled_search_leaves_everything_as_it_was(widget, example, segmenting, found, wait, headless):
    job = segmenting(found)
    before = segmentations(headless)
    widget.ui.initialButton.click()
    widget.ui.cancelButton.click()
    job.done = True
    wait(seconds=0.3)
    assert job.cancelled
    assert (widget.panel.correction, segmentations(headless)) == (None, before)
    assert "Cancelled" in widget.ui.statusLabel.text
    assert widget.ui.initialButton.enabled


def test_failed_search_is_told_in_the_status_line(widget, example, segmenting, wait, desktop):
    job = segmenting(ModelError("the weights are gone; install the models again."))
    widget.ui.initialButton.click()
    job.done = True
    assert wait(lambda: "The weights are gone" in widget.ui.statusLabel.text)
    assert desktop.faults == []
    assert widget.ui.initialButton.enabled


def test_mask_of_volumes_that_were_changed_meanwhile_is_not_used(widget, example, segmenting, found, wait):
    job = segmenting(found)
    widget.ui.initialButton.click()
    widget.ui.t2Selector.setCurrentNode(None)
    job.done = True
    assert wait(lambda: "Other volumes" in widget.ui.statusLabel.text)
    assert widget.panel.correction is None


def test_click_while_something_is_computed_is_refused(widget, begun, segmenting, found, border, small):
    segmenting(found)
    before = begun.mask.read(small.grid.box)
    widget.panel.start.find_tumour()
    widget.panel.correction.place(border[0])
    assert "wait" in widget.ui.statusLabel.text
    np.testing.assert_array_equal(begun.mask.read(small.grid.box), before)
    assert widget.panel.correction.rows == []


def test_clicks_are_listed_selected_and_taken_back(widget, begun, border, small, spoiled, headless):
    for click in border[:2]:
        widget.panel.correction.place(click)
    table = bare(widget.ui.clickTable)
    texts = [[table.item(r, c).text() for c in range(5)] for r in range(2)]
    slices = [str(small.grid.ras_to_index(click.position_ras)[0] + 1) for click in border[:2]]
    assert [row[:4] for row in texts] == [[str(n + 1), "boundary", slices[n], "1"] for n in range(2)]
    assert not widget.ui.removeButton.enabled
    view = headless.scene.AddNewNodeByClass("vtkMRMLSliceNode")
    table.selectRow(0)
    offset = view.GetSliceToRAS().GetElement(2, 3)
    assert offset == pytest.approx(border[0].position_ras[2])
    widget.ui.removeButton.click()
    assert table.rowCount() == 1
    assert widget.ui.undoButton.toolTip.startswith("Undo, Ctrl+Z: boundary click taken back")
    widget.ui.undoButton.click()
    assert table.rowCount() == 2


def test_a_second_press_takes_no_other_click_back(widget, begun, border):
    for click in border[:3]:
        widget.panel.correction.place(click)
    table = bare(widget.ui.clickTable)
    table.selectRow(1)
    widget.ui.removeButton.click()
    assert (table.selectedItems(), widget.ui.removeButton.enabled) == ([], False)
    widget.ui.removeButton.click()
    assert len(widget.panel.correction.rows) == 2
    table.selectRow(1)
    widget.panel.correction.remove(1)
    assert [item.row() for item in table.selectedItems()][:1] == [0]


def test_of_two_clicks_in_one_place_the_one_that_was_chosen_stays_chosen(widget, begun, border):
    for _ in range(2):
        widget.panel.correction.place(border[0])
    table = bare(widget.ui.clickTable)
    table.selectRow(1)
    widget.panel.correction.place(border[1])
    assert [item.row() for item in table.selectedItems()][:1] == [1]
    widget.ui.removeButton.click()
    assert [one.number for one in widget.panel.correction.session.standing] == [1, 3]


def test_waiting_clicks_are_applied_together(widget, begun, border, small, spoiled):
    bare(widget.ui.collectCheckBox).setChecked(True)
    for click in border[:2]:
        widget.panel.correction.place(click)
    np.testing.assert_array_equal(begun.mask.read(small.grid.box), spoiled)
    assert widget.ui.applyButton.text == "Apply 2"
    assert bare(widget.ui.clickTable).item(1, 4).text() == "waits"
    widget.ui.applyButton.click()
    assert not np.array_equal(begun.mask.read(small.grid.box), spoiled)
    assert len(widget.panel.correction.session.history.done) == 1
    assert not widget.ui.applyButton.enabled


def test_one_click_alone_or_many(widget, begun, headless):
    interaction = headless.scene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
    widget.ui.includeButton.click()
    assert interaction.GetPlaceModePersistence() == 1
    widget.ui.includeButton.click()
    bare(widget.ui.keepPlacingCheckBox).setChecked(False)
    widget.ui.includeButton.click()
    assert interaction.GetPlaceModePersistence() == 0
    interaction.SetCurrentInteractionMode(interaction.ViewTransform)
    assert not widget.ui.includeButton.checked


def test_threshold_merge_and_carry_reach_the_session(widget, begun, border, small, spoiled):
    bare(widget.ui.carrySpinBox).setValue(0)
    assert widget.panel.correction.session.corrector.identity == "oracle, carry 0"
    bare(widget.ui.thresholdSpinBox).setValue(0.7)
    assert widget.panel.correction.session.corrector.identity == "oracle, threshold 0.7, carry 0"
    bare(widget.ui.mergeSelector).setCurrentIndex(2)
    assert widget.panel.correction.session.merge == "replace"
    widget.panel.correction.place(border[0])
    changed = np.flatnonzero((begun.mask.read(small.grid.box) != spoiled).any(axis=(1, 2)))
    assert changed.tolist() == [small.grid.ras_to_index(border[0].position_ras)[0]]


def test_last_change_is_outlined_as_long_as_it_is_wanted(widget, begun, border, headless):
    widget.panel.correction.place(border[0])
    outline = headless.scene.GetFirstNodeByName("last change")
    assert outline.GetDisplayNode().GetVisibility()
    widget.ui.lastChangeCheckBox.click()
    assert not outline.GetDisplayNode().GetVisibility()
    widget.exit()
    assert headless.scene.GetFirstNodeByName("last change") is None


def test_mask_of_the_start_is_shown_on_request(widget, begun, headless):
    start = headless.scene.GetFirstNodeByName("tumour start")
    assert not start.GetDisplayNode().GetVisibility()
    widget.ui.startOutlineCheckBox.click()
    assert start.GetDisplayNode().GetVisibility()


def test_agreement_of_the_volumes_is_shown(widget, example, wait):
    assert wait(lambda: "100%" in widget.ui.agreementLabel.text)
    widget.ui.t2Selector.setCurrentNode(None)
    assert widget.ui.agreementLabel.text == ""
    assert not widget.ui.registerButton.enabled
    assert widget.ui.registeredCheckBox.isHidden()


def test_what_is_to_be_known_of_a_volumes_place_is_shown(widget, example, wait, monkeypatch):
    read = "VSClickCorrectLib.mrml.volume_files.remarks_of"
    monkeypatch.setattr(read, lambda node: (f"{node.GetName()} lies twice.",))
    widget.ui.t2Selector.setCurrentNode(None)
    assert wait(lambda: widget.ui.agreementLabel.text.endswith(" lies twice."))


def place_of(volume):
    from VSClickCorrectLib.mrml.volumes import grid_of

    return grid_of(volume).affine


def test_registered_t2_gets_a_transform_and_can_lie_as_it_came(
    widget, example, wait, headless, monkeypatch, small
):
    import vtk
    from VSClickCorrectLib.io.registration import register
    from VSClickCorrectLib.mrml.volumes import volume_of

    moved = vtk.vtkMatrix4x4()
    moved.SetElement(0, 3, 6.0)
    transform = headless.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(moved)
    example.t2.SetAndObserveTransformNodeID(transform.GetID())
    job = JobByHand(register(volume_of(example.t1ce), volume_of(example.t2)))
    job.done = True
    monkeypatch.setattr(REGISTERING, lambda *volumes: job)
    widget.ui.registerButton.click()
    assert wait(lambda: "lies on the T1ce now" in widget.ui.statusLabel.text)
    assert example.t2.GetParentTransformNode() is not transform
    box = widget.ui.registeredCheckBox
    assert (box.isHidden(), box.checked) == (False, True)
    found = place_of(example.t2)
    assert found[0, 3] == pytest.approx(place_of(example.t1ce)[0, 3], abs=0.5)
    box.click()
    np.testing.assert_allclose(place_of(example.t2) - place_of(example.t1ce), np.eye(4, k=3) * 6.0)
    assert (box.isHidden(), box.checked) == (False, False)
    box.click()
    np.testing.assert_array_equal(place_of(example.t2), found)


def test_what_is_going_on_is_said_with_its_capitals(widget, example, wait, monkeypatch):
    from VSClickCorrectLib.jobs.job import JobState

    job = JobByHand(None)
    monkeypatch.setattr(job, "poll", lambda: JobState(0.3, "registering the T2 to the T1ce", False))
    monkeypatch.setattr(REGISTERING, lambda *volumes: job)
    widget.ui.registerButton.click()
    assert wait(lambda: widget.ui.statusLabel.text == "Registering the T2 to the T1ce")


def test_registration_of_a_t2_that_was_removed_moves_nothing(
    widget, example, wait, headless, monkeypatch, desktop
):
    job = JobByHand("a registration")
    monkeypatch.setattr(REGISTERING, lambda *volumes: job)
    widget.ui.registerButton.click()
    headless.scene.RemoveNode(example.t2)
    job.done = True
    assert wait(lambda: "Another T2" in widget.ui.statusLabel.text)
    assert desktop.faults == []
    assert headless.scene.GetNumberOfNodesByClass("vtkMRMLLinearTransformNode") == 0


def test_nothing_found_asks_for_an_include_click(widget, example, segmenting, wait):
    from VSClickCorrectLib.geometry.box import Box
    from VSClickCorrectLib.inference.initial_mask import InitialMask

    segmenting(InitialMask(Box((0, 0, 0), (0, 0, 0)), np.zeros((0, 0, 0), bool), 0.0)).done = True
    widget.ui.initialButton.click()
    assert wait(lambda: "include click" in widget.ui.statusLabel.text)
    assert widget.panel.correction is not None


def test_click_outside_is_answered_in_the_status_line(widget, begun, desktop):
    widget.panel.correction.place(Click((1e4, 0.0, 0.0), ClickKind.INCLUDE))
    assert "outside" in widget.ui.statusLabel.text
    assert (desktop.faults, widget.panel.correction.rows) == ([], [])


def test_volume_that_cannot_be_used_is_said_so(widget, example, headless):
    empty = headless.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    widget.ui.t1ceSelector.setCurrentNode(empty)
    with pytest.raises(ImageError):
        widget.panel.start.correct_segment()
    widget.ui.correctButton.click()
    assert "empty" in widget.ui.statusLabel.text


def test_click_in_a_view_of_another_volume_is_refused(widget, begun, headless, desktop, small, spoiled, wait):
    """As a slice view does it: the point under the pointer knows the volume, then becomes a click."""
    other = headless.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "FLAIR")
    node = widget.panel.correction.click_node(ClickKind.INCLUDE)
    for shown in (other, begun.t2):
        widget.exit()
        index = node.AddControlPoint(0, 0, 0)
        node.UnsetNthControlPointPosition(index)
        widget.enter()
        assert widget.panel.correction.rows == []
        node.SetNthControlPointAssociatedNodeID(index, shown.GetID())
        node.SetNthControlPointPositionWorld(index, *small.site_ras)
        wait(seconds=0.05)
        if shown is other:
            assert "That view shows 'FLAIR'" in widget.ui.statusLabel.text
            np.testing.assert_array_equal(begun.mask.read(small.grid.box), spoiled)
            assert node.GetNumberOfControlPoints() == 0
    assert len(widget.panel.correction.rows) == 1
