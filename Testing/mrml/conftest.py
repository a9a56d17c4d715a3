"""Real MRML nodes with a geometry whose numbers can be worked out on paper."""

from importlib.util import find_spec

import numpy as np
import pytest

collect_ignore_glob = ["test_*.py"] if find_spec("slicer") is None else []

# Spacing 0.5 × 0.5 × 1.5 mm, turned by the angle of the 3-4-5 triangle; its voxel (i, j, k) lies at
# (10 - 0.4 i + 0.3 j, 20 - 0.3 i - 0.4 j, -30 + 1.5 k).
OBLIQUE = np.array(
    [[-0.4, 0.3, 0.0, 10.0], [-0.3, -0.4, 0.0, 20.0], [0.0, 0.0, 1.5, -30.0], [0.0, 0.0, 0.0, 1.0]]
)
SHAPE = (8, 12, 16)


@pytest.fixture
def headless():
    from VSClickCorrectLib.mrml.scene import HeadlessScene

    with HeadlessScene() as headless:
        yield headless


@pytest.fixture
def scene(headless):
    return headless.scene


@pytest.fixture
def volume_node(scene):
    """An oblique volume of (K, J, I) = (8, 12, 16) whose voxels count upward."""
    from VSClickCorrectLib.geometry.grid import Grid
    from VSClickCorrectLib.geometry.volume import Volume
    from VSClickCorrectLib.mrml.volumes import add_volume

    values = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)
    return add_volume(scene, Volume(values, Grid(SHAPE, OBLIQUE)), "T1ce")


@pytest.fixture
def segment(scene, volume_node):
    """A segmentation node and the ID of its only segment, empty."""
    from VSClickCorrectLib.mrml.segment_mask import add_segmentation

    return add_segmentation(scene, volume_node, "tumour")


@pytest.fixture
def mask(segment, volume_node):
    from VSClickCorrectLib.mrml.segment_mask import SegmentMask

    return SegmentMask(*segment, volume_node)


@pytest.fixture
def add_transform(scene):
    """Make a linear transform node from a 4 × 4 list."""
    import vtk

    def add(rows):
        matrix = vtk.vtkMatrix4x4()
        matrix.DeepCopy([float(value) for row in rows for value in row])
        node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
        node.SetMatrixTransformToParent(matrix)
        return node

    return add


@pytest.fixture
def quarter_turn(add_transform):
    """A parent transform that takes (r, a, s) to (100 - a, r, s + 5)."""
    return add_transform([[0, -1, 0, 100], [1, 0, 0, 0], [0, 0, 1, 5], [0, 0, 0, 1]])


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
