"""What the sections of the panel do and show."""

import json

import numpy as np
import pytest
from plain_host import JobByHand
from pythonqt import bare
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.errors import ImageError, ModelError

FINDING = "VSClickCorrectLib.workflow.initial_mask.Job.start_segmentation"
REGISTERING = "VSClickCorrectLib.workflow.t2_registration.Job.start_registration"


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


def test_result_is_measured_and_copied(widget, begun, small, spoiled, wait, desktop):
    assert wait(lambda: widget.ui.volumeLabel.text != "–")
    mm3 = np.count_nonzero(spoiled) * np.prod(small.grid.spacing)
    assert widget.ui.volumeLabel.text == f"{mm3:.0f} mm³ ({mm3 / 1000:.2f} cm³)"
    assert "axial slice" in widget.ui.diameterLabel.text
    assert "DSC to the mask at the start: 1.000" in widget.ui.changeLabel.text
    widget.ui.copyButton.click()
    assert f"Volume: {mm3:.1f} mm³" in desktop.app.texts[0]


def test_side_is_not_told_of_part_of_a_head(widget, begun, wait, desktop, small, monkeypatch):
    """The small case is 76 mm wide."""
    assert wait(lambda: widget.ui.sideLabel.text.startswith("not told"))
    widget.ui.copyButton.click()
    assert "Side: not told" in desktop.app.texts[-1]
    monkeypatch.setattr("VSClickCorrectLib.measure.measurements.HEAD_MM", 70.0)
    widget.panel.flow.measurer.follow()
    assert not widget.ui.sideLabel.text.startswith("not told")
    widget.ui.copyButton.click()
    assert "Side: not told" not in desktop.app.texts[-1]


@pytest.mark.parametrize("suffix", [".seg.nrrd", ".nii.gz"])
def test_segment_is_saved_with_its_journal(widget, begun, desktop, small, spoiled, border, tmp_path, suffix):
    from VSClickCorrectLib.io.images import read_mask

    widget.panel.correction.place(border[0])
    desktop.answers.append(str(tmp_path / f"case{suffix}"))
    widget.ui.saveButton.click()
    saved = read_mask(tmp_path / f"case{suffix}", small.grid)
    np.testing.assert_array_equal(saved, begun.mask.read(small.grid.box))
    events = (tmp_path / "case.journal.jsonl").read_text().splitlines()
    assert [json.loads(line)["event"] for line in events] == ["session", "edit"]


@pytest.mark.parametrize("there", [False, True])
def test_a_name_without_a_suffix_is_offered_one(widget, begun, desktop, small, tmp_path, there):
    from VSClickCorrectLib.io.images import read_mask

    if there:
        (tmp_path / "patient 1.2.seg.nrrd").write_text("older")
    desktop.answers += [str(tmp_path / "patient 1.2"), False, str(tmp_path / "patient 1.2"), True]
    widget.ui.saveButton.click()
    what = "Replace the file patient 1.2.seg.nrrd?" if there else "Save the segment as patient 1.2.seg.nrrd?"
    assert what in desktop.questions[0]
    assert widget.ui.statusLabel.text == "Nothing was saved."
    widget.ui.saveButton.click()
    saved = read_mask(tmp_path / "patient 1.2.seg.nrrd", small.grid)
    np.testing.assert_array_equal(saved, begun.mask.read(small.grid.box))
    names = ["patient 1.2.journal.jsonl", "patient 1.2.seg.nrrd"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    for said in (str(tmp_path), *names):
        assert said in widget.ui.statusLabel.text


class Database:
    """Slicer's database of DICOM: which file holds an instance."""

    def __init__(self, folder):
        from source_series import headers

        self.files = {uid: dataset.filename for uid, dataset in headers(folder).items()}

    def fileForInstance(self, uid):  # noqa: N802
        return self.files.get(uid, "")


@pytest.fixture
def dicom(begun, small, tmp_path, monkeypatch):
    """The example's T1, as Slicer's DICOM module loads it."""
    import slicer
    from source_series import write_slices

    database = Database(write_slices(tmp_path / "t1", small.t1ce))
    monkeypatch.setattr(slicer, "dicomDatabase", database, raising=False)
    begun.t1ce.SetAttribute("DICOM.instanceUIDs", " ".join(database.files))
    return database


def test_segment_of_a_dicom_volume_is_saved_as_dicom(widget, begun, desktop, small, tmp_path, dicom):
    from VSClickCorrectLib.io.images import read_mask

    (tmp_path / "out").mkdir()
    desktop.answers.append(str(tmp_path / "out" / "case.dcm"))
    widget.ui.saveButton.click()
    assert desktop.faults == []
    names = ["case.dcm", "case.journal.jsonl", "case.report.dcm", "case.rtstruct.dcm"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    saved = read_mask(tmp_path / "out" / "case.dcm", small.grid)
    np.testing.assert_array_equal(saved, begun.mask.read(small.grid.box))


@pytest.mark.parametrize(
    "spoil, said",
    [
        (lambda database, node: node.RemoveAttribute("DICOM.instanceUIDs"), "did not come as DICOM"),
        (lambda database, node: database.files.clear(), "are not in Slicer's database any more"),
    ],
)
def test_what_cannot_be_saved_as_dicom_says_why(widget, begun, tmp_path, desktop, dicom, spoil, said):
    spoil(dicom, begun.t1ce)
    (tmp_path / "out").mkdir()
    desktop.answers.append(str(tmp_path / "out" / "case.dcm"))
    widget.ui.saveButton.click()
    assert said in widget.ui.statusLabel.text
    assert list((tmp_path / "out").iterdir()) == []


def test_save_that_is_thought_better_of_writes_nothing(widget, begun, desktop, tmp_path):
    desktop.answers.append("")
    widget.ui.saveButton.click()
    assert (list(tmp_path.iterdir()), desktop.faults) == ([], [])


def test_accepted_segment_is_marked_as_completed(widget, begun):
    import slicer

    logic = slicer.vtkSlicerSegmentationsModuleLogic
    segment = begun.segmentation.GetSegmentation().GetSegment(begun.segment_id)
    assert widget.ui.boundaryButton.checked
    widget.ui.acceptButton.click()
    assert logic.GetSegmentStatus(segment) == logic.Completed
    assert not widget.ui.boundaryButton.checked


def test_agreement_of_the_volumes_is_shown(widget, example, wait):
    assert wait(lambda: "100%" in widget.ui.agreementLabel.text)
    widget.ui.t2Selector.setCurrentNode(None)
    assert widget.ui.agreementLabel.text == ""
    assert not widget.ui.registerButton.enabled


def test_what_is_to_be_known_of_a_volumes_place_is_shown(widget, example, wait, monkeypatch):
    read = "VSClickCorrectLib.workflow.t2_registration.remarks_of"
    monkeypatch.setattr(read, lambda node: (f"{node.GetName()} lies twice.",))
    widget.ui.t2Selector.setCurrentNode(None)
    assert wait(lambda: widget.ui.agreementLabel.text.endswith(" lies twice."))


def test_registered_t2_gets_a_transform(widget, example, wait, headless, monkeypatch, small):
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


def test_folder_without_models_is_said_to_hold_none(widget, begun, tmp_path):
    widget.ui.modelsFolderPath.currentPath = str(tmp_path)
    assert "no manifest.json" in widget.ui.statusLabel.text


def test_models_of_ones_own_are_offered_and_kept_for_the_next_time(widget, bright_models, desktop):
    from pythonqt import Settings

    widget.ui.modelsFolderPath.currentPath = str(bright_models)
    names = [bare(widget.ui.modelSelector).itemText(i) for i in range(widget.ui.modelSelector.count)]
    assert widget.panel.advanced.choice.folder == str(bright_models)
    assert widget.panel.advanced.choice.corrector in names
    assert Settings.values["VSClickCorrect/ModelsFolder"] == str(bright_models)


def test_learning_is_switched_on_by_the_user_and_stays_so(widget, bright_models, user_data):
    from pythonqt import Settings
    from VSClickCorrectLib.inference.adapted_models import keep_adapted
    from VSClickCorrectLib.inference.manifest import ModelFolder

    flow = widget.panel.flow
    assert not flow.learning.on and not widget.ui.learnCheckBox.checked
    widget.ui.learnCheckBox.click()
    assert flow.learning.on and Settings.values["VSClickCorrect/Learn"] == "yes"
    widget.ui.modelsFolderPath.currentPath = str(bright_models)
    models = ModelFolder(bright_models)
    tensors = {n: t.half() for n, t in models.load_as_trained(models.entry("corrector")).state_dict().items()}
    told = {"cases": 5, "own": [0.1, 0.2], "builtin": [0.3, 0.3]}
    kept = keep_adapted(models.entry("corrector"), tensors, told)
    flow.networks.choice = flow.networks.choice._replace(corrector=kept.name)
    flow.learning.changed.emit()
    section = widget.panel.advanced
    assert section.choice.corrector == kept.name and section.choice.correctors() == ["mend", kept.name]
    widget.ui.modelSelector.currentIndex = 0
    assert flow.networks.choice.corrector == "mend"
    widget.ui.learnCheckBox.click()
    assert not flow.learning.on and Settings.values["VSClickCorrect/Learn"] == ""


def test_models_are_listed_once_the_packages_that_read_them_are_installed(widget, bright_models, monkeypatch):
    from VSClickCorrectLib.panel import advanced

    section = widget.panel.advanced
    monkeypatch.setattr(advanced, "unfit_packages", lambda: {"fastjsonschema": ""})
    widget.ui.modelsFolderPath.currentPath = str(bright_models)
    assert (widget.ui.modelSelector.count, section.choice.corrector) == (0, "")
    section.warm_up()
    assert widget.ui.modelSelector.count == 0
    monkeypatch.setattr(advanced, "unfit_packages", dict)
    section.warm_up()
    names = [bare(widget.ui.modelSelector).itemText(i) for i in range(widget.ui.modelSelector.count)]
    assert names == section.choice.correctors()
    assert section.choice.corrector == names[0]


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
