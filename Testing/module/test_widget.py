"""The widget: what is said, when the module is entered and left, what becomes of nodes that go."""

import gc
import re
import weakref

import numpy as np
import pytest
from module_files import MODULE
from PySide6 import QtGui
from pythonqt import bare
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.mrml.persistence import stored_journal
from VSClickCorrectLib.mrml.segment_mask import SegmentMask, refresh_surface
from VSClickCorrectLib.session.journal import Journal


def shortcuts(desktop):
    keys = [s.key().toString() for s in desktop.window.findChildren(QtGui.QShortcut) if s.isEnabled()]
    return sorted(keys)


def test_shortcuts_exist_while_the_module_is_entered(widget, desktop):
    cases = ["Shift+D", "Shift+N", "Shift+P", "Shift+R", "Shift+S"]
    everything = ["1", "2", "3", "?", "B", "Ctrl+Y", "Ctrl+Z", "Esc", "F", "H", "I", "M", "N", *cases, "X"]
    assert shortcuts(desktop) == everything
    widget.exit()
    assert shortcuts(desktop) == []
    widget.enter()
    widget.enter()
    assert shortcuts(desktop) == everything


def test_a_key_that_rests_under_a_finger_repeats_undo_and_redo_alone(widget, desktop):
    repeats = {s.key().toString() for s in desktop.window.findChildren(QtGui.QShortcut) if s.autoRepeat()}
    assert repeats == {"Ctrl+Z", "Ctrl+Y"}


def test_keys_are_there_after_the_module_was_reloaded(widget, module, desktop):
    everything = shortcuts(desktop)
    widget.cleanup()
    reloaded = module.VSClickCorrectWidget(widget.parent)
    reloaded.setup()
    assert shortcuts(desktop) == everything
    assert reloaded.panel.parameters is not None
    reloaded.cleanup()


def test_a_key_shows_the_list_of_keys(widget, desktop):
    press(desktop, "?")
    (shown,) = desktop.informed
    assert "Shift+S: case skipped, the comment says why" in shown.splitlines()


def press(desktop, keys):
    for shortcut in desktop.window.findChildren(QtGui.QShortcut):
        if shortcut.key().toString() == keys and shortcut.isEnabled():
            shortcut.activated.emit()


def test_keys_do_what_the_buttons_do(widget, begun, desktop, border, spoiled, small):
    assert widget.ui.boundaryButton.checked
    press(desktop, "I")
    assert widget.ui.includeButton.checked
    assert not widget.ui.boundaryButton.checked
    press(desktop, "I")
    assert not widget.ui.includeButton.checked
    widget.panel.correction.place(border[0])
    press(desktop, "Ctrl+Z")
    np.testing.assert_array_equal(begun.mask.read(small.grid.box), spoiled)
    press(desktop, "Ctrl+Y")
    assert not np.array_equal(begun.mask.read(small.grid.box), spoiled)
    press(desktop, "Shift+R")
    assert widget.panel.correction.session.round == 2
    press(desktop, "H")
    assert not widget.panel.correction.markers_visible
    assert not widget.ui.markersCheckBox.checked


def test_escape_ends_placing_and_a_key_fills_the_segment(widget, begun, desktop):
    display = begun.segmentation.GetDisplayNode()
    assert widget.ui.boundaryButton.checked
    press(desktop, "Esc")
    assert widget.panel.placing.node_id is None and not widget.ui.boundaryButton.checked
    assert not display.GetSegmentVisibility2DFill(begun.segment_id)
    assert display.GetSegmentVisibility2DOutline(begun.segment_id)
    assert display.GetSliceIntersectionThickness() == 2
    press(desktop, "F")
    assert display.GetSegmentVisibility2DFill(begun.segment_id) and widget.ui.fillCheckBox.checked
    press(desktop, "F")
    assert not display.GetSegmentVisibility2DFill(begun.segment_id)
    widget.exit()
    assert display.GetSegmentVisibility2DFill(begun.segment_id)
    assert display.GetSliceIntersectionThickness() == 1


@pytest.mark.parametrize("keys", ["B", "I", "X", "N", "Ctrl+Z", "Ctrl+Y"])
def test_key_without_a_segment_is_answered_in_the_status_line(widget, desktop, keys):
    press(desktop, keys)
    assert "No segment is being corrected" in widget.ui.statusLabel.text
    assert desktop.status[-1] == widget.ui.statusLabel.text
    assert desktop.faults == []


def test_undo_with_nothing_done_is_answered_in_the_status_line(widget, begun, desktop):
    press(desktop, "Ctrl+Z")
    assert "undo" in widget.ui.statusLabel.text
    assert desktop.faults == []


def test_fault_of_the_program_is_shown_as_slicer_shows_it(widget, begun, desktop, monkeypatch):
    def broken(self):
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr(type(widget.panel.correction), "undo", broken)
    with pytest.raises(ZeroDivisionError):
        widget._reported(widget.panel.flow.clicks.undo)()
    assert "a fault" in desktop.faults[0]


def test_left_and_entered_again_the_correction_goes_on(widget, begun, border):
    widget.panel.correction.place(border[0])
    widget.exit()
    assert widget.panel.correction is None
    widget.enter()
    assert len(widget.panel.correction.rows) == 1
    assert bare(widget.ui.clickTable).rowCount() == 1


@pytest.mark.parametrize("leave", ["the module", "for another segment"])
def test_surfaces_of_3d_views_come_back_though_the_segment_is_left_at_once(
    widget, begun, border, wait, leave, monkeypatch
):
    monkeypatch.setattr("VSClickCorrectLib.panel.clicks.SURFACE_S", 0.1)
    other = begun.segmentation.GetSegmentation().AddEmptySegment("", "nerve")
    nerve = SegmentMask(begun.segmentation, other, begun.t1ce)
    nerve.write(Box((0, 0, 0), (2, 3, 4)), np.ones((2, 3, 4), bool))
    refresh_surface(begun.segmentation)
    widget.panel.correction.place(border[0])
    assert surfaces(begun.segmentation) == [0, 0]
    if leave == "the module":
        widget.exit()
    else:
        widget.ui.segmentSelector.setCurrentSegmentID(other)
        widget.ui.correctButton.click()
        assert widget.panel.flow.workbench.segment[1] == other
    assert wait(lambda: min(surfaces(begun.segmentation)) > 0, seconds=20)


def surfaces(segmentation):
    """The number of triangles' corners that 3D views show of each segment."""
    segments = segmentation.GetSegmentation()
    shown = [segments.GetNthSegment(n).GetRepresentation("Closed surface") for n in range(2)]
    return [0 if surface is None else surface.GetNumberOfPoints() for surface in shown]


def test_point_placed_after_leaving_corrects_nothing(widget, begun, small, border):
    node = widget.panel.correction.click_node()
    widget.exit()
    before = begun.mask.read(small.grid.box)
    node.AddControlPointWorld(*border[0].position_ras)
    np.testing.assert_array_equal(begun.mask.read(small.grid.box), before)


def test_what_another_module_paints_is_in_the_journal_at_once(widget, begun, wait):
    widget.exit()
    begun.mask.write(Box((0, 0, 0), (1, 1, 2)), np.ones((1, 1, 2), bool))
    wait(seconds=0.1)
    segment = begun.segmentation, begun.mask.segment_id
    assert [event["event"] for event in Journal(text=stored_journal(*segment)).events] == ["session", "paint"]
    widget.enter()
    assert widget.panel.correction.session.journal.text == stored_journal(*segment)


def test_nothing_is_watched_any_more_once_the_segment_went_while_another_module_was_open(
    widget, begun, headless, desktop
):
    correction = weakref.ref(widget.panel.correction)
    widget.exit()
    headless.scene.RemoveNode(begun.segmentation)
    assert correction() is not None
    widget.enter()
    gc.collect()
    assert correction() is None
    assert desktop.faults == []


def own_nodes(scene):
    """Names of the points, texts and helper segmentations that are shown or kept in a scene."""
    kinds = ("vtkMRMLMarkupsNode", "vtkMRMLTextNode", "vtkMRMLSegmentationNode", "vtkMRMLMarkupsDisplayNode")
    nodes = [
        scene.GetNthNodeByClass(n, kind) for kind in kinds for n in range(scene.GetNumberOfNodesByClass(kind))
    ]
    return [node.GetName() for node in nodes if node.GetHideFromEditors() or node.IsA("vtkMRMLMarkupsNode")]


@pytest.mark.parametrize("entered", [True, False])
@pytest.mark.parametrize("gone", ["segmentation", "segment"])
def test_what_belongs_to_a_segment_goes_with_it(
    widget, begun, headless, desktop, wait, border, gone, entered
):
    widget.panel.correction.place(border[0])
    assert len(own_nodes(headless.scene)) > 4
    if not entered:
        widget.exit()
    if gone == "segment":
        begun.segmentation.GetSegmentation().RemoveSegment(begun.segment_id)
    else:
        headless.scene.RemoveNode(begun.segmentation)
    wait(seconds=0.2)
    assert own_nodes(headless.scene) == []
    assert widget.panel.correction is None and desktop.faults == []


def test_markers_on_volumes_that_were_deleted_are_hidden(widget, begun, headless, desktop, wait, border):
    widget.panel.correction.place(border[0])
    node = widget.panel.correction.click_node(border[0].kind)
    for volume in (begun.t1ce, begun.t2):
        headless.scene.RemoveNode(volume)
    wait(seconds=0.2)
    assert not node.GetDisplayVisibility() and desktop.faults == []
    assert headless.scene.GetFirstNodeByName("last change") is None


@pytest.mark.parametrize("gone", ["segmentation", "t1ce", "t2"])
def test_node_removed_while_correcting_ends_or_follows_without_a_fault(
    widget, begun, headless, desktop, wait, border, gone
):
    widget.panel.correction.place(border[0])
    headless.scene.RemoveNode(getattr(begun, gone))
    wait(seconds=0.1)
    assert desktop.faults == []
    if gone == "segmentation":
        assert widget.panel.correction is None
        assert "segmentation" in widget.ui.statusLabel.text


def test_point_list_removed_while_correcting_is_made_again(widget, begun, headless, desktop, wait, border):
    widget.panel.correction.place(border[0])
    headless.scene.RemoveNode(widget.panel.correction.click_node(border[0].kind))
    wait(seconds=0.1)
    widget.ui.boundaryButton.click()
    assert desktop.faults == []
    assert widget.ui.boundaryButton.checked


def test_closed_scene_ends_everything_and_the_module_goes_on(widget, begun, headless, desktop, wait):
    widget.ui.includeButton.click()
    headless.scene.Clear()
    wait(seconds=0.2)
    assert widget.panel.correction is None
    assert desktop.faults == []
    assert not widget.ui.initialButton.enabled
    assert widget.panel.parameters is not None


def test_widget_that_was_cleaned_up_takes_up_no_scene(widget, headless, wait):
    headless.scene.Clear()
    widget.cleanup()
    wait(seconds=0.1)
    assert widget.panel.parameters is None and widget.Observations == []


def test_cleaned_up_widget_observes_nothing(module, desktop, headless):
    widget = module.VSClickCorrectWidget()
    widget.setup()
    widget.parent.isEntered = True
    widget.enter()
    widget.cleanup()
    headless.scene.Clear()
    assert widget.Observations == []
    assert widget.panel.parameters is None
    assert shortcuts(desktop) == []


def test_module_that_could_not_be_set_up_is_entered_left_and_cleaned_up(module, desktop, tmp_path):
    module.VSClickCorrectWidget.folder = str(tmp_path)  # without the panel's file
    widget = module.VSClickCorrectWidget()
    with pytest.raises(RuntimeError, match="ui device"):
        widget.setup()
    widget.enter()
    widget.exit()
    widget.cleanup()
    assert widget.Observations == [] and desktop.faults == []


def test_first_use_warms_the_models(widget, desktop, wait, shipped_models):
    assert wait(lambda: widget.panel.flow.networks.corrector is not None)
    assert widget.panel.flow.networks.is_loaded()
    assert widget.panel.flow.networks.segmenter is not None


def test_first_click_finds_everything_prepared(widget, example, small, border):
    """The network has seen the image when the first click comes, and the mask is as it was."""

    class Counting:
        identity, seen = "counting", []

        def propose(self, case, mask, clicks):
            self.seen.append(clicks)
            return []

    before = example.mask.read(small.grid.box)
    widget.panel.flow.networks.corrector = Counting()
    widget.ui.correctButton.click()
    assert len(Counting.seen) == 1
    assert widget.panel.correction.rows == []
    np.testing.assert_array_equal(example.mask.read(small.grid.box), before)


def test_module_says_what_slicer_wants_to_know(module, desktop):
    from types import SimpleNamespace

    parent = SimpleNamespace()
    module.VSClickCorrect(parent)
    assert (parent.categories, parent.dependencies) == (["Segmentation"], [])
    assert "VS-SEG" in parent.acknowledgementText
    assert "user-guide.md" in parent.helpText
    controls = re.findall("<i>(.*?)</i>", parent.helpText)
    assert len(controls) == 9
    shown = (MODULE / "Resources" / "UI" / "VSClickCorrect.ui").read_text(encoding="utf-8")
    panel = MODULE / "VSClickCorrectLib" / "panel"
    offered = "".join(
        (panel / name).read_text(encoding="utf-8") for name in ("sample_sources.py", "samples.py")
    )
    assert [n for n in controls if not re.search(f">{re.escape(n)}:?<", shown) and n not in offered] == []
    assert len(desktop.app.started) == 1
