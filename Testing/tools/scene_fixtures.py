"""A scene of real MRML nodes with a geometry whose numbers can be worked out on paper."""

import numpy as np
import pytest

# Spacing 0.5 × 0.5 × 1.5 mm, turned by the angle of the 3-4-5 triangle; its voxel (i, j, k) lies at
# (10 - 0.4 i + 0.3 j, 20 - 0.3 i - 0.4 j, -30 + 1.5 k).
OBLIQUE = np.array(
    [[-0.4, 0.3, 0.0, 10.0], [-0.3, -0.4, 0.0, 20.0], [0.0, 0.0, 1.5, -30.0], [0.0, 0.0, 0.0, 1.0]]
)
SHAPE = (8, 12, 16)


@pytest.fixture
def headless():
    from VSClickCorrectApp.headless_scene import HeadlessScene

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
