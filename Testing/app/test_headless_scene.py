"""The scene for work without windows."""

import gc
from pathlib import Path

import pytest
import slicer
import vtk
from VSClickCorrectApp.headless_scene import HeadlessScene


@pytest.fixture
def headless():
    with HeadlessScene() as one:
        yield one


def cache_folder(headless):
    return Path(headless.scene.GetDataIOManager().GetCacheManager().GetRemoteCacheDirectory())


def test_segmentations_and_markups_can_be_made_and_converted(headless):
    scene = headless.scene
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    assert node.GetSegmentation().AddEmptySegment("", "tumour")
    markups = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode")
    assert markups.CreateDefaultStorageNode() is not None


def test_application_gives_logics_by_the_names_that_they_have_in_slicer(headless):
    for module, name in (
        ("Segmentations", "vtkSlicerSegmentationsModuleLogic"),
        ("Markups", "vtkSlicerMarkupsLogic"),
    ):
        assert headless.application.GetModuleLogic(module).IsA(name)
    assert headless.application.GetModuleLogic("Colors") is headless.application.GetColorLogic()


def test_dropping_it_frees_scene_and_folder():
    headless = HeadlessScene()
    folder = cache_folder(headless)
    deleted = []
    headless.scene.AddObserver(vtk.vtkCommand.DeleteEvent, lambda *_: deleted.append(True))
    assert folder.is_dir()
    del headless
    gc.collect()
    assert deleted == [True]
    assert not folder.exists()


def test_closing_empties_it():
    with HeadlessScene() as headless:
        folder = cache_folder(headless)
        node = headless.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    assert node.GetScene() is None
    assert not folder.exists()


def test_two_scenes_do_not_meet():
    with HeadlessScene() as first, HeadlessScene() as second:
        first.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
        assert second.scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 0
        assert cache_folder(first) != cache_folder(second)


def test_conversions_of_segments_are_there_once_however_many_scenes_there_were():
    for _ in range(3):
        with HeadlessScene():
            pass
    rules = slicer.vtkSegmentationConverterFactory.GetInstance().GetConverterRules()
    names = [rule.GetClassName() for rule in rules]
    assert "vtkBinaryLabelmapToClosedSurfaceConversionRule" in names
    assert len(names) == len(set(names))
