"""The section Result: what the segment measures, and saving it."""

import json
from pathlib import Path

import numpy as np
import pytest


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


def test_the_mask_of_an_image_of_no_place_names_none_either(
    widget, headless, desktop, small, spoiled, tmp_path
):
    import nibabel as nib
    from VSClickCorrectLib.geometry.grid import Grid
    from VSClickCorrectLib.geometry.volume import Case, Volume
    from VSClickCorrectLib.mrml.examples import add_example
    from VSClickCorrectLib.session.oracle import Oracle

    grid = Grid(small.grid.shape, np.diag([-0.8, -0.8, 1.5, 1.0]))
    case = Case(Volume(small.t1ce.array, grid, sides_known=False), None)
    example = add_example(headless.scene, case, spoiled)
    widget.panel.flow.networks.corrector = Oracle(small.truth)
    widget.ui.t1ceSelector.setCurrentNode(example.t1ce)
    widget.ui.t2Selector.setCurrentNode(None)
    widget.ui.segmentSelector.setCurrentNode(example.segmentation)
    widget.ui.correctButton.click()
    desktop.answers.append(str(tmp_path / "case.nii.gz"))
    widget.ui.saveButton.click()
    saved = nib.load(tmp_path / "case.nii.gz")
    assert (saved.header["qform_code"], saved.header["sform_code"]) == (0, 0)
    np.testing.assert_array_equal(np.asarray(saved.dataobj).transpose(), spoiled)


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


def test_another_mask_s_journal_goes_only_if_that_is_confirmed(widget, begun, desktop, border, tmp_path):
    journal, chosen = tmp_path / "case.journal.jsonl", str(tmp_path / "case.nii.gz")
    journal.write_text("another mask's clicks")
    desktop.answers += [chosen, False]
    widget.ui.saveButton.click()
    asked = "These files beside it are of another mask: case.journal.jsonl. Replace them?"
    assert desktop.questions == [asked]
    assert widget.ui.statusLabel.text == "Nothing was saved."
    assert [path.name for path in tmp_path.iterdir()] == [journal.name]
    assert journal.read_text() == "another mask's clicks"
    desktop.answers += [chosen, True]
    widget.ui.saveButton.click()
    assert journal.read_text() == widget.panel.flow.workbench.session.journal.text
    # Its own journal grows, and goes with a mask in another format, too.
    widget.panel.correction.place(border[0])
    for suffix in (".seg.nrrd", ".nii.gz"):
        desktop.answers.append(str(tmp_path / f"case{suffix}"))
        widget.ui.saveButton.click()
    assert desktop.questions == [asked, asked]
    assert journal.read_text() == widget.panel.flow.workbench.session.journal.text


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


def test_no_image_of_the_patient_is_replaced_even_if_the_dialog_is_told_to(
    widget, begun, desktop, headless, tmp_path, dicom
):
    one = next(iter(dicom.files))
    slice_file = Path(dicom.files[one]).rename(tmp_path / "t1" / "IM1.dcm")
    dicom.files[one] = str(slice_file)
    image = tmp_path / "t2.nii.gz"
    image.write_bytes(b"the T2 that Slicer loaded")
    storage = headless.scene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
    storage.SetFileName(str(image))
    begun.t2.SetAndObserveStorageNodeID(storage.GetID())
    kept = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for path, said in (
        (slice_file, "is DICOM and no segmentation"),
        (image, "is one of the files to be read"),
    ):
        desktop.answers.append(str(path))
        widget.ui.saveButton.click()
        assert said in widget.ui.statusLabel.text
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == kept


def test_another_mask_s_report_goes_only_if_that_is_confirmed(widget, begun, desktop, tmp_path, dicom):
    report = tmp_path / "out" / "case.report.dcm"
    report.parent.mkdir()
    report.write_text("another mask's report")
    desktop.answers += [str(report.with_name("case.dcm")), False]
    widget.ui.saveButton.click()
    asked = "These files beside it are of another mask: case.report.dcm. Replace them?"
    assert desktop.questions == [asked]
    assert [path.name for path in report.parent.iterdir()] == [report.name]


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


@pytest.mark.parametrize("suffix", [".seg.nrrd", ".dcm"])
@pytest.mark.parametrize("alone, shift", [(False, 7.3), (True, None)])
def test_segment_of_an_image_that_was_moved_is_not_saved_where_it_lay(
    widget, begun, desktop, headless, small, tmp_path, suffix, alone, shift
):
    import vtk

    matrix = vtk.vtkMatrix4x4()
    # By a whole voxel: the segment's voxels fall onto those beside.
    matrix.SetElement(0, 3, small.grid.spacing[0] if shift is None else shift)
    transform = headless.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(matrix)
    for node in (begun.t1ce,) if alone else (begun.t1ce, begun.segmentation):
        node.SetAndObserveTransformNodeID(transform.GetID())
    desktop.answers.append(str(tmp_path / f"case{suffix}"))
    widget.ui.saveButton.click()
    assert "the image was moved since the correction began" in widget.ui.statusLabel.text.lower()
    assert (list(tmp_path.iterdir()), desktop.faults) == ([], [])
    for node in (begun.t1ce, begun.segmentation):
        node.SetAndObserveTransformNodeID(None)
    if suffix != ".dcm":
        desktop.answers.append(str(tmp_path / f"case{suffix}"))
        widget.ui.saveButton.click()
        assert len(list(tmp_path.iterdir())) == 2


def test_save_that_is_thought_better_of_writes_nothing(widget, begun, desktop, tmp_path):
    desktop.answers.append("")
    widget.ui.saveButton.click()
    assert (list(tmp_path.iterdir()), desktop.faults) == ([], [])


def test_clicks_that_wait_are_told_with_what_they_are_not_in(widget, begun, desktop, border, tmp_path):
    begun_with = begun.mask.read(begun.mask.grid.box)
    widget.panel.flow.workbench.mode.collecting = True
    for click in border[:2]:
        widget.panel.correction.place(click)
    note = " Clicks that wait are not in it: 2; apply them first."

    def is_told(button):
        button.click()
        return widget.ui.statusLabel.text.endswith(note)

    buttons = widget.ui.saveButton, widget.ui.copyButton, widget.ui.acceptButton
    desktop.answers.append(str(tmp_path / "case.seg.nrrd"))
    assert [is_told(button) for button in buttons] == [True] * 3
    np.testing.assert_array_equal(begun.mask.read(begun.mask.grid.box), begun_with)
    widget.ui.applyButton.click()
    desktop.answers.append(str(tmp_path / "case.seg.nrrd"))
    assert [is_told(button) for button in buttons] == [False] * 3


def test_accepted_segment_is_marked_as_completed(widget, begun):
    import slicer

    logic = slicer.vtkSlicerSegmentationsModuleLogic
    segment = begun.segmentation.GetSegmentation().GetSegment(begun.segment_id)
    assert widget.ui.boundaryButton.checked
    widget.ui.acceptButton.click()
    assert logic.GetSegmentStatus(segment) == logic.Completed
    assert not widget.ui.boundaryButton.checked


def test_a_part_is_saved_as_what_it_is_and_not_as_the_tumour(
    widget, begun, desktop, tmp_path, dicom, monkeypatch
):
    from VSClickCorrectLib.geometry.box import Box
    from VSClickCorrectLib.inference.parts import FoundParts
    from VSClickCorrectLib.measure.tumour_parts import PARTS
    from VSClickCorrectLib.mrml.part_segments import put_parts

    found = FoundParts(PARTS, Box((2, 2, 2), (3, 3, 5)), np.array([[[1, 2, 3]]], np.uint8))
    segmentation = widget.panel.flow.workbench.segment[0]
    ids = put_parts(segmentation, widget.panel.flow.workbench.reference, found)
    widget.ui.segmentSelector.setCurrentSegmentID(ids["cochlea"])
    widget.ui.correctButton.click()
    folder, offered = tmp_path / "out", []
    folder.mkdir()

    def ask(_title, path, _filters):
        offered.append(path)
        return str(folder / f"case{suffix}")

    monkeypatch.setattr(widget.panel.desktop, "ask_to_save", ask)
    for suffix in (".dcm", ".seg.nrrd"):
        widget.ui.saveButton.click()
        if suffix == ".dcm":
            assert "DICOM objects are of the whole tumour" in widget.ui.statusLabel.text
            assert list(folder.iterdir()) == []
    assert offered == [f"{segmentation.GetName()} cochlea.seg.nrrd"] * 2
    header = (folder / "case.seg.nrrd").read_bytes().partition(b"\n\n")[0].decode()
    assert f"Segment0_Name:={segmentation.GetName()} cochlea" in header
