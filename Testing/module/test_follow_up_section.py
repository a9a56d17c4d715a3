"""Comparing the segment with the mask of an earlier examination, on the panel."""

import numpy as np
import pytest
from VSClickCorrectLib.clicks.click import ClickKind
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.io.images import write_mask, write_volume


@pytest.fixture
def earlier(small, tmp_path):
    """The true mask and its scan, which was made with the head 5 mm aside."""
    affine = small.grid.affine.copy()
    affine[:3, 3] += (3.0, -4.0, 0.0)
    grid = Grid(small.grid.shape, affine)
    write_mask(tmp_path / "earlier.nii.gz", small.truth, grid)
    write_volume(tmp_path / "scan.nii.gz", Volume(small.t1ce.array, grid))
    return tmp_path


def test_a_mask_without_its_scan_is_compared_in_its_own_slices(
    widget, begun, desktop, earlier, small, spoiled
):
    desktop.answers += [str(earlier / "earlier.nii.gz"), ""]
    widget.ui.compareButton.click()
    assert desktop.faults == []
    lines = widget.ui.followUpLabel.text.split("\n")
    mm3 = [np.count_nonzero(mask) * small.grid.voxel_volume for mask in (small.truth, spoiled)]
    assert lines[0] == f"Volume: {mm3[0]:.1f} mm³ before, {mm3[1]:.1f} mm³ after"
    assert "Name both scans" in lines[-1]


def test_what_was_told_of_a_mask_that_has_changed_since_is_told_no_more(
    widget, begun, desktop, earlier, small, wait
):
    desktop.answers += [str(earlier / "earlier.nii.gz"), ""]
    widget.ui.compareButton.click()
    text = widget.ui.followUpLabel.text
    widget.panel.refresh()
    assert text.startswith("Volume: ")
    bench = widget.panel.flow.workbench
    inside = tuple(small.grid.index_to_ras(np.argwhere(small.truth & ~bench.values())[0]))
    bench.mode.kind = ClickKind.INCLUDE
    widget.panel.flow.clicks.place(inside)
    assert wait(lambda: widget.ui.followUpLabel.text == "")
    bench.correction.undo()
    desktop.answers += [str(earlier / "earlier.nii.gz"), ""]
    widget.ui.compareButton.click()
    assert widget.ui.followUpLabel.text == text


def test_with_its_scan_both_are_registered_beside_the_program(widget, begun, desktop, earlier, wait):
    desktop.answers += [str(earlier / "earlier.nii.gz"), str(earlier / "scan.nii.gz")]
    widget.ui.compareButton.click()
    assert not widget.ui.compareButton.enabled
    assert wait(lambda: "The scans were registered rigidly" in widget.ui.followUpLabel.text)
    assert "Threshold of growth (20 % of the volume)" in widget.ui.followUpLabel.text
    assert widget.ui.compareButton.enabled


def test_a_question_that_is_not_answered_and_a_bad_file_change_nothing(widget, begun, desktop, tmp_path):
    desktop.answers.append("")
    widget.ui.compareButton.click()
    (tmp_path / "letter.nii.gz").write_text("Dear colleague")
    desktop.answers += [str(tmp_path / "letter.nii.gz"), ""]
    widget.ui.compareButton.click()
    assert widget.ui.followUpLabel.text == ""
    assert "is not an image that can be read" in widget.ui.statusLabel.text
