"""Left stays left in a scene: the head of 48 orientations, read, clicked and saved."""

import numpy as np
import pytest
import vtk
from orientations import CODES, affine_of, head_ras, ras_array, set_ras, stored, write_nifti
from session_doubles import BlockCorrector
from slicer_hand import linear
from VSClickCorrectApp.headless_scene import HeadlessScene
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.io.images import read_volume
from VSClickCorrectLib.mrml.begin_correction import correct_segment
from VSClickCorrectLib.mrml.persistence import save_segmentation
from VSClickCorrectLib.mrml.segment_mask import add_segmentation
from VSClickCorrectLib.mrml.volumes import add_volume, grid_of
from vtk.util.numpy_support import vtk_to_numpy

every_orientation = pytest.mark.parametrize("code", CODES)

MARKER_RAS = (-38.5, 11.25, 0.0)
# Takes (r, a, s) to (100 - a, r, s + 5).
QUARTER_TURN = np.array([[0, -1, 0, 100], [1, 0, 0, 0], [0, 0, 1, 5], [0, 0, 0, 1]])
TURNED_RAS = (88.75, -38.5, 5.0)


@pytest.fixture(scope="module")
def scene():
    with HeadlessScene() as headless:
        yield headless.scene


def voxels_ras(node):
    """Values of a node's voxels and where Slicer says that they lie, shapes (n,) and (n, 3)."""
    matrix, size = vtk.vtkMatrix4x4(), node.GetImageData().GetDimensions()
    node.GetIJKToRASMatrix(matrix)
    k, j, i = np.indices(size[::-1]).reshape(3, -1)
    ijk = np.stack([i, j, k, np.ones_like(i)])
    rows = [[matrix.GetElement(row, column) for column in range(4)] for row in range(3)]
    return vtk_to_numpy(node.GetImageData().GetPointData().GetScalars()), (np.array(rows) @ ijk).T


def as_slicer_reads(scene, path):
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    storage = scene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
    storage.SetFileName(str(path))
    assert storage.ReadData(node)
    return node


@every_orientation
def test_volume_lies_in_the_scene_where_it_lies_in_its_file(scene, tmp_path, code):
    path = write_nifti(tmp_path / "head.nii", stored(code, ras_array()), affine_of(code))
    for node in (as_slicer_reads(scene, path), add_volume(scene, read_volume(path), "head")):
        values, ras = voxels_ras(node)
        np.testing.assert_allclose(ras, head_ras(values), atol=1e-4)
        k, j, i = grid_of(node).ras_to_index(MARKER_RAS)
        assert node.GetImageData().GetScalarComponentAsDouble(i, j, k, 0) == 3 + 12 * 7 + 12 * 10 * 2


@every_orientation
@pytest.mark.parametrize(("matrix", "place"), [(np.eye(4), MARKER_RAS), (QUARTER_TURN, TURNED_RAS)])
def test_click_sets_the_voxels_round_it_and_the_saved_file_says_so(scene, tmp_path, code, matrix, place):
    path = write_nifti(tmp_path / "head.nii", stored(code, ras_array()), affine_of(code))
    volume = as_slicer_reads(scene, path)
    volume.SetAndObserveTransformNodeID(linear(scene, matrix).GetID())
    segmentation, segment_id = add_segmentation(scene, volume, "tumour")
    corrector = BlockCorrector(np.zeros(grid_of(volume).shape))
    correction = correct_segment((volume, None), (segmentation, segment_id), corrector)
    # Against a network that sees nothing the click makes a disc of 1.2 mm.
    assert correction.place(Click(place, ClickKind.INCLUDE)).change.count == (11, 0)
    correction.close()
    assert segmentation.GetSegmentCenterRAS(segment_id) == pytest.approx(place, abs=1e-3)
    save_segmentation(segmentation, tmp_path / "tumour.seg.nrrd")
    # Transforms are kept beside the file, not in it.
    saved = set_ras(tmp_path / "tumour.seg.nrrd")
    assert saved.mean(axis=0) == pytest.approx(MARKER_RAS, abs=1e-4)
