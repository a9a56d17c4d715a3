"""A case's work stays its own: other patients' volumes and segments in the scene do not get into it."""

import numpy as np
import pytest
from VSClickCorrectLib.errors import WorklistError
from VSClickCorrectLib.io.images import read_mask
from worklist_panel import choose, summary


@pytest.fixture
def stranger(headless, small):
    """Another patient's images and segment in the scene, on the very grid of the first case."""
    from VSClickCorrectLib.mrml.examples import add_example

    return add_example(headless.scene, small.case, np.roll(small.truth, 4, axis=2))


def test_other_volumes_that_are_chosen_are_not_corrected_in_the_case_s_name(
    widget, opened, stranger, folder, desktop
):
    before = opened.opened.journal_path.read_bytes()
    widget.ui.t1ceSelector.setCurrentNode(stranger.t1ce)
    assert widget.panel.correction is None
    assert "other volumes than those of case case1" in widget.ui.statusLabel.text.lower()
    widget.ui.segmentSelector.setCurrentNode(stranger.segmentation)
    widget.ui.correctButton.click()
    widget.ui.doneCaseButton.click()
    assert (widget.panel.correction, opened.current.name) == (None, "case1")
    assert opened.opened.journal_path.read_bytes() == before
    assert not list((folder / "results").rglob("*_dseg.nii.gz"))
    assert desktop.faults == []


def test_a_segment_that_was_made_on_other_images_is_not_corrected_and_stays_in_the_scene(
    widget, opened, stranger, folder, headless, desktop, spoiled
):
    before = opened.opened.journal_path.read_bytes()
    widget.ui.segmentSelector.setCurrentNode(stranger.segmentation)
    widget.ui.correctButton.click()
    assert "was not made on the images of case case1" in widget.ui.statusLabel.text
    assert opened.opened.journal_path.read_bytes() == before
    widget.ui.nextCaseButton.click()
    assert stranger.segmentation.GetScene() is headless.scene
    assert not list((folder / "results").rglob("*_dseg.nii.gz"))
    widget.ui.previousCaseButton.click()
    np.testing.assert_array_equal(widget.panel.flow.workbench.values(), spoiled)
    assert desktop.faults == []


def test_a_segmentation_that_was_made_on_the_case_s_images_may_take_its_place(
    widget, opened, folder, headless, small, desktop
):
    from VSClickCorrectLib.mrml.segment_mask import SegmentMask, add_segmentation

    images = widget.panel.parameters.t1ce
    segmentation, segment_id = add_segmentation(headless.scene, images, "mine")
    SegmentMask(segmentation, segment_id, images).fill(small.truth)
    widget.ui.segmentSelector.setCurrentNode(segmentation)
    widget.ui.segmentSelector.setCurrentSegmentID(segment_id)
    desktop.answers.append(True)
    widget.ui.correctButton.click()
    assert "'mine'" in desktop.questions[-1]
    widget.ui.doneCaseButton.click()
    (label,) = (folder / "results").rglob("*_dseg.nii.gz")
    np.testing.assert_array_equal(read_mask(label, small.grid), small.truth)


def test_looking_at_a_done_case_that_cannot_be_read_keeps_its_label(widget, opened, folder, desktop):
    widget.ui.doneCaseButton.click()
    (label,) = (folder / "results").rglob("*_dseg.nii.gz")
    before = label.read_bytes()
    (folder / "cases" / "case1" / "T1ce.nii.gz").write_bytes(b"broken")
    choose(widget, 0)
    assert "T1ce.nii.gz" in widget.ui.statusLabel.text
    assert opened.current is None
    assert summary(folder)["case1"]["state"] == "done"
    assert label.read_bytes() == before
    assert desktop.faults == []


def test_a_tumour_that_is_found_on_other_images_does_not_set_the_case_s_work_aside(
    widget, opened, stranger, folder, border, desktop
):
    from VSClickCorrectLib.geometry.box import Box
    from VSClickCorrectLib.inference.initial_mask import InitialMask

    widget.panel.correction.place(border[0])
    before = opened.opened.journal_path.read_bytes()
    widget.ui.t1ceSelector.setCurrentNode(stranger.t1ce)
    widget.ui.t2Selector.setCurrentNode(stranger.t2)
    widget.ui.initialButton.click()
    assert not widget.panel.flow.jobs.busy
    assert "ther volumes than those of case case1" in widget.ui.statusLabel.text
    initial = InitialMask(Box((1, 2, 3), (3, 5, 7)), np.ones((2, 3, 4), bool), 0.9)
    with pytest.raises(WorklistError, match="other volumes than those of case case1"):
        widget.panel.flow.host.start(widget.panel.flow.initial.use(initial, (stranger.t1ce, stranger.t2)))
    assert opened.opened.journal_path.read_bytes() == before
    assert not list((folder / "results").rglob("old-*"))
