"""Real MRML nodes."""

from importlib.util import find_spec

import numpy as np
import pytest
from scene_fixtures import (
    OBLIQUE,
    SHAPE,
    add_transform,
    headless,
    mask,
    quarter_turn,
    scene,
    segment,
    volume_node,
)

__all__ = ["add_transform", "headless", "mask", "quarter_turn", "scene", "segment", "volume_node"]

collect_ignore_glob = ["test_*.py"] if find_spec("slicer") is None else []


@pytest.fixture
def bent(scene):
    """A parent transform that is not linear."""
    import vtk

    spline = vtk.vtkThinPlateSplineTransform()
    source, target = vtk.vtkPoints(), vtk.vtkPoints()
    for point in [(0, 0, 0), (50, 0, 0), (0, 50, 0), (0, 0, 50), (50, 50, 50)]:
        source.InsertNextPoint(point)
        target.InsertNextPoint(point)
    target.SetPoint(4, 60, 50, 50)
    spline.SetSourceLandmarks(source)
    spline.SetTargetLandmarks(target)
    node = scene.AddNewNodeByClass("vtkMRMLTransformNode")
    node.SetAndObserveTransformToParent(spline)
    return node


@pytest.fixture
def exported(scene):
    """Read a segment on the volume's voxels as Slicer exports it, with none of the library's code."""
    import slicer
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    def export(segmentation_node, segment_id, volume_node):
        labels = scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
        ids = vtk.vtkStringArray()
        ids.InsertNextValue(segment_id)
        slicer.vtkSlicerSegmentationsModuleLogic.ExportSegmentsToLabelmapNode(
            segmentation_node, ids, labels, volume_node
        )
        image = labels.GetImageData()
        scalars = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1]) != 0
        scene.RemoveNode(labels)
        return scalars

    return export


@pytest.fixture
def shared_pair(scene, volume_node):
    """A segmentation of two segments that share one layer: (node, first ID, second ID)."""
    import slicer
    from VSClickCorrectLib.geometry.grid import Grid
    from VSClickCorrectLib.geometry.volume import Volume
    from VSClickCorrectLib.mrml.volumes import add_volume

    values = np.zeros(SHAPE, np.uint8)
    values[2:4, 3:6, 3:6] = 1
    values[3:6, 7:10, 8:12] = 2
    source = add_volume(scene, Volume(values, Grid(SHAPE, OBLIQUE)), "labels")
    labels = scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    labels.CopyOrientation(source)
    labels.SetAndObserveImageData(source.GetImageData())
    labels.CreateDefaultDisplayNodes()
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "shared")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
    slicer.vtkSlicerSegmentationsModuleLogic.ImportLabelmapToSegmentationNode(labels, node)
    return node, *node.GetSegmentation().GetSegmentIDs()


@pytest.fixture
def oracle(volume_node):
    """A corrector that knows a tumour of 18 voxels."""
    from placed_points import TUMOUR
    from VSClickCorrectLib.session.oracle import Oracle

    truth = np.zeros(volume_node.GetImageData().GetDimensions()[::-1], bool)
    truth[TUMOUR.slices] = True
    return Oracle(truth)


@pytest.fixture
def heard():
    from placed_points import Heard

    return Heard()


@pytest.fixture
def correct(volume_node, segment, oracle, heard):
    """Begin a correction of the segment."""
    from VSClickCorrectLib.mrml.begin_correction import correct_segment

    begun = []

    def begin(**options):
        correction = correct_segment(
            (volume_node, None),
            segment,
            oracle,
            on_edit=heard.edits.append,
            on_error=heard.errors.append,
            on_change=heard.changed,
            **options,
        )
        begun.append(correction)
        return correction

    yield begin
    for correction in begun:
        correction.close()
