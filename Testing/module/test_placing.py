"""What other modules do with the pointer while the panel is left, a case accepted or a segment deleted."""

import pytest
import slicer

Interaction = slicer.vtkMRMLInteractionNode


@pytest.fixture
def pointer(headless):
    """Which list points are placed in, and what else the pointer does."""
    scene = headless.scene
    interaction = scene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
    selection = scene.GetNodeByID("vtkMRMLSelectionNodeSingleton")
    return interaction, selection


def measure(scene, pointer):
    """Begin to place a line, as the button of Slicer's toolbar does."""
    interaction, selection = pointer
    line = scene.AddNewNodeByClass("vtkMRMLMarkupsLineNode")
    selection.SetReferenceActivePlaceNodeClassName(line.GetClassName())
    selection.SetReferenceActivePlaceNodeID(line.GetID())
    interaction.SetCurrentInteractionMode(Interaction.Place)
    return line


@pytest.mark.parametrize("leave", ["exit", "accept", "other volumes"])
def test_a_line_that_somebody_is_placing_is_placed_on(widget, begun, headless, pointer, desktop, leave):
    line = measure(headless.scene, pointer)
    if leave == "exit":
        widget.exit()
    elif leave == "accept":
        widget.ui.acceptButton.click()
    else:
        widget.ui.t1ceSelector.setCurrentNode(None)
    interaction, selection = pointer
    assert interaction.GetCurrentInteractionMode() == Interaction.Place
    assert selection.GetActivePlaceNodeID() == line.GetID() and desktop.faults == []


def test_a_line_that_is_not_begun_yet_is_placed_on(widget, begun, pointer):
    interaction, selection = pointer
    selection.SetReferenceActivePlaceNodeClassName("vtkMRMLMarkupsLineNode")
    selection.SetReferenceActivePlaceNodeID(None)
    interaction.SetCurrentInteractionMode(Interaction.Place)
    widget.exit()
    assert interaction.GetCurrentInteractionMode() == Interaction.Place


def test_whoever_sets_the_window_by_the_pointer_goes_on(widget, begun, pointer):
    interaction, _selection = pointer
    interaction.SetCurrentInteractionMode(Interaction.AdjustWindowLevel)
    widget.exit()
    assert interaction.GetCurrentInteractionMode() == Interaction.AdjustWindowLevel


@pytest.mark.parametrize("end", ["exit", "accept", "segmentation", "segment"])
def test_no_point_is_placed_any_more_in_a_list_that_nobody_hears(
    widget, begun, headless, pointer, wait, desktop, end
):
    interaction, _selection = pointer
    assert interaction.GetCurrentInteractionMode() == Interaction.Place
    if end == "exit":
        widget.exit()
    elif end == "accept":
        widget.ui.acceptButton.click()
    elif end == "segment":
        begun.segmentation.GetSegmentation().RemoveSegment(begun.segment_id)
    else:
        headless.scene.RemoveNode(begun.segmentation)
    assert wait(lambda: interaction.GetCurrentInteractionMode() == Interaction.ViewTransform, seconds=1)
    assert desktop.faults == []
