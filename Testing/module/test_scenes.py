"""Scenes that are saved in the middle of a correction, and read again."""

import numpy as np
import pytest
from VSClickCorrectLib.mrml.persistence import save_scene


@pytest.fixture
def saved(widget, begun, border, headless, tmp_path):
    """The example with two clicks as a file, its scene closed; the mask that was left."""
    for click in border[:2]:
        widget.panel.correction.place(click)
    mask = widget.panel.flow.workbench.values()
    save_scene(headless.scene, tmp_path / "scene.mrb")
    headless.scene.Clear(False)
    return tmp_path / "scene.mrb", mask


def read(widget, headless, path, entered):
    """Read a scene as Slicer does, before or after the module is entered."""
    if not entered:
        widget.exit()
        widget.parent.isEntered = False
    assert headless.scene.ReadFromMRB(str(path), True)
    if not entered:
        widget.parent.isEntered = True
        widget.enter()


@pytest.mark.parametrize("entered", [True, False])
def test_scene_goes_on_where_it_was_saved(widget, saved, small, headless, wait, desktop, entered):
    from VSClickCorrectLib.session.oracle import Oracle

    path, mask = saved
    widget.panel.flow.networks.corrector = Oracle(small.truth)
    read(widget, headless, path, entered)
    assert wait(lambda: widget.panel.correction is not None), widget.ui.statusLabel.text
    scene = headless.scene
    assert widget.ui.t1ceSelector.currentNode() is scene.GetFirstNodeByName("T1ce")
    assert widget.ui.t2Selector.currentNode() is scene.GetFirstNodeByName("T2")
    assert widget.ui.segmentSelector.currentNode() is scene.GetFirstNodeByName("tumour")
    assert widget.ui.correctButton.enabled
    np.testing.assert_array_equal(widget.panel.flow.workbench.values(), mask)
    assert len(widget.panel.correction.rows) == 2
    assert "click where" in widget.ui.statusLabel.text
    assert desktop.faults == []


@pytest.mark.parametrize("entered", [True, False])
def test_scene_without_clicks_is_ready_to_be_begun(widget, example, headless, wait, tmp_path, entered):
    widget.panel.parameters.segmentation = example.segmentation
    widget.panel.parameters.segmentId = example.segment_id
    save_scene(headless.scene, tmp_path / "scene.mrb")
    headless.scene.Clear(False)
    read(widget, headless, tmp_path / "scene.mrb", entered)
    assert wait(lambda: widget.ui.correctButton.enabled)
    assert widget.ui.t1ceSelector.currentNode() is headless.scene.GetFirstNodeByName("T1ce")
    assert widget.ui.segmentSelector.currentNode() is headless.scene.GetFirstNodeByName("tumour")
    assert widget.panel.correction is None


def test_scene_that_is_added_takes_nothing_from_what_is_corrected(
    widget, begun, border, headless, wait, tmp_path, desktop
):
    from VSClickCorrectApp.headless_scene import HeadlessScene

    with HeadlessScene() as other:
        other.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "another")
        save_scene(other.scene, tmp_path / "other.mrb")
    widget.panel.correction.place(border[0])
    assert headless.scene.ReadFromMRB(str(tmp_path / "other.mrb"), False)
    wait(seconds=0.5)
    assert len(widget.panel.correction.rows) == 1
    assert widget.panel.parameters.t1ce is begun.t1ce
    assert widget.ui.segmentSelector.currentNode() is begun.segmentation
    assert desktop.faults == []
