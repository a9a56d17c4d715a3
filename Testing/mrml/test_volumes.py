"""Volume nodes: geometry in the world, views without copies, cases."""

from itertools import product

import nibabel as nib
import numpy as np
import pytest
import slicer
import vtk
from dicom_scans import stack, write_slices
from VSClickCorrectApp.reading.saved_scenes import load_scene
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.io.images import read_volume
from VSClickCorrectLib.io.shipped import T1CE, sample_folder
from VSClickCorrectLib.mrml.persistence import save_scene
from VSClickCorrectLib.mrml.volume_files import remarks_of, sides_known
from VSClickCorrectLib.mrml.volumes import add_volume, case_of, grid_of, load_volume, volume_of


def test_voxel_of_an_oblique_volume_lies_where_geometry_says(volume_node):
    grid = grid_of(volume_node)
    assert grid.shape == (8, 12, 16)
    # 10 - 1.6 + 0.6, 20 - 1.2 - 0.8, -30 + 4.5
    assert grid.index_to_ras((3, 2, 4)) == pytest.approx((9.0, 18.0, -25.5))


def test_parent_transform_is_part_of_the_grid(volume_node, quarter_turn):
    volume_node.SetAndObserveTransformNodeID(quarter_turn.GetID())
    # (9, 18, -25.5) becomes (100 - 18, 9, -25.5 + 5)
    assert grid_of(volume_node).index_to_ras((3, 2, 4)) == pytest.approx((82.0, 9.0, -20.5))
    assert grid_of(volume_node).ras_to_index((82.0, 9.0, -20.5)) == (3, 2, 4)


def test_grid_is_worked_out_again_only_where_the_volume_has_moved(volume_node, quarter_turn):
    first = grid_of(volume_node)
    assert grid_of(volume_node) is first
    volume_node.SetAndObserveTransformNodeID(quarter_turn.GetID())
    assert not grid_of(volume_node).matches(first)
    volume_node.SetAndObserveTransformNodeID(None)
    volume_node.SetOrigin(1.0, 2.0, 3.0)
    assert np.allclose(grid_of(volume_node).index_to_ras((0, 0, 0)), (1.0, 2.0, 3.0))


def test_nested_parents_are_composed(volume_node, quarter_turn, add_transform):
    lift = add_transform([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1000], [0, 0, 0, 1]])
    quarter_turn.SetAndObserveTransformNodeID(lift.GetID())
    volume_node.SetAndObserveTransformNodeID(quarter_turn.GetID())
    assert grid_of(volume_node).index_to_ras((3, 2, 4)) == pytest.approx((82.0, 9.0, 979.5))


def test_bent_parent_is_refused(volume_node, bent):
    volume_node.SetAndObserveTransformNodeID(bent.GetID())
    with pytest.raises(ImageError, match="harden the transform first"):
        grid_of(volume_node)


def test_shearing_parent_is_refused(volume_node, add_transform):
    shear = add_transform([[1, 0.3, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    volume_node.SetAndObserveTransformNodeID(shear.GetID())
    with pytest.raises(ImageError, match="right angles"):
        grid_of(volume_node)


def test_empty_volume_is_refused(scene):
    with pytest.raises(ImageError, match="holds no image"):
        grid_of(scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty"))


def test_array_is_a_view_of_the_nodes_own_voxels(volume_node):
    array = volume_of(volume_node).array
    assert array.shape == (8, 12, 16)
    assert array[3, 2, 4] == 3 * 192 + 2 * 16 + 4
    volume_node.GetImageData().SetScalarComponentFromDouble(4, 2, 3, 0, -7)
    assert array[3, 2, 4] == -7


def test_view_outlives_its_node(scene, volume_node):
    array = volume_of(volume_node).array
    scene.RemoveNode(volume_node)
    volume_node.SetAndObserveImageData(None)
    assert array[3, 2, 4] == 612


def test_colour_volume_is_refused(scene):
    image = vtk.vtkImageData()
    image.SetDimensions(4, 4, 4)
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 3)
    node = scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "photo")
    node.SetAndObserveImageData(image)
    with pytest.raises(ImageError, match="'photo' is not plain greyscale"):
        volume_of(node)


def test_nan_is_refused_by_name(scene):
    node = add_volume(scene, Volume(np.zeros((3, 3, 3), np.float32), Grid((3, 3, 3), np.eye(4))), "broken")
    node.GetImageData().SetScalarComponentFromDouble(1, 1, 1, 0, float("nan"))
    with pytest.raises(ImageError, match="'broken'.*NaN"):
        volume_of(node)


@pytest.mark.parametrize(
    ("dtype", "stored"),
    [("bool", "uint8"), ("float16", "float32"), (">i2", "int16"), ("uint16", "uint16"), ("int64", "int64")],
)
def test_added_volume_keeps_values_and_geometry(scene, dtype, stored):
    values = (np.arange(24).reshape(2, 3, 4) % 2).astype(dtype)
    affine = np.array([[0, 0, 2, 5], [-0.5, 0, 0, 6], [0, 0.7, 0, 7], [0, 0, 0, 1.0]])
    node = add_volume(scene, Volume(values, Grid((2, 3, 4), affine)), "added")
    back = volume_of(node)
    assert back.array.dtype == np.dtype(stored)
    assert back.array.tolist() == values.tolist()
    assert back.grid.affine == pytest.approx(affine)
    assert node.GetDisplayNode() is not None


def test_added_volume_does_not_share_memory(scene):
    values = np.zeros((2, 3, 4), np.int16)
    node = add_volume(scene, Volume(values, Grid((2, 3, 4), np.eye(4))), "added")
    values[...] = 5
    assert not volume_of(node).array.any()


def test_t2_on_the_same_grid_is_not_resampled(scene, volume_node):
    t2 = slicer.vtkMRMLScalarVolumeNode.SafeDownCast(scene.CopyNode(volume_node))
    t2.SetAndObserveImageData(volume_node.GetImageData())
    case = case_of(volume_node, t2)
    assert np.shares_memory(case.t2.array, volume_of(t2).array)


def test_t2_elsewhere_is_brought_onto_the_t1ce(scene):
    ramp = np.broadcast_to(np.arange(6.0)[None, None, :], (4, 4, 6)).astype(np.float32)
    t1ce = add_volume(scene, Volume(np.zeros((4, 4, 6), np.int16), Grid((4, 4, 6), np.eye(4))), "T1ce")
    moved = np.eye(4)
    moved[0, 3] = 0.5
    t2 = add_volume(scene, Volume(ramp, Grid((4, 4, 6), moved)), "T2")
    case = case_of(t1ce, t2)
    assert case.t2.grid.matches(case.t1ce.grid)
    # Half a voxel to the left of i = 3 of the T2, a ramp along i.
    assert case.t2.array[2, 2, 3] == pytest.approx(2.5)


def test_t2_under_a_transform_that_lays_it_on_the_t1ce_matches(
    scene, volume_node, quarter_turn, add_transform
):
    t2 = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "T2")
    t2.SetAndObserveImageData(volume_node.GetImageData())
    # Where quarter_turn takes the T1ce, written into the T2's own geometry.
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy([0.3, 0.4, 0, 80, -0.4, 0.3, 0, 10, 0, 0, 1.5, -25, 0, 0, 0, 1])
    t2.SetIJKToRASMatrix(matrix)
    volume_node.SetAndObserveTransformNodeID(quarter_turn.GetID())
    case = case_of(volume_node, t2)
    assert np.shares_memory(case.t2.array, case.t1ce.array)


def test_one_sequence_may_be_missing(volume_node):
    assert case_of(None, volume_node).t1ce is None
    assert case_of(volume_node, None).t2 is None
    with pytest.raises(ImageError, match="no image was given"):
        case_of(None, None)


@pytest.mark.parametrize("kind", ["?", "u1", "<i2", ">i2", "<i4", "e", "<f4", ">f8"])
def test_an_image_is_the_same_to_a_journal_in_a_scene_and_in_a_saved_one(scene, tmp_path, kind):
    values = (np.arange(24) % 3).reshape(2, 3, 4).astype(kind)
    volume = Volume(values, Grid(values.shape, np.diag([-0.3, 0.7, 1.1, 1.0])))
    node = add_volume(scene, volume, "T1ce")
    assert volume_of(node).fingerprint == volume.fingerprint
    save_scene(scene, tmp_path / "scene.mrb")
    with load_scene(tmp_path / "scene.mrb") as loaded:
        back = loaded.scene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
        assert volume_of(back).fingerprint == volume.fingerprint


@pytest.mark.parametrize(("q", "s"), list(product((0, 1, 2, 4), repeat=2)))
def test_a_nifti_of_two_places_lies_in_ours_where_slicer_reads_it(scene, tmp_path, q, s):
    image = nib.Nifti1Image(np.zeros((4, 5, 6), np.int16), None)
    turn, move = np.diag([2.0, 2.0, 3.0, 1.0]), np.eye(4)
    turn[:2, :2] = [[1.2, -1.6], [1.6, 1.2]]
    move[:3, 3] = (10.0, -20.0, 30.0)
    image.set_qform(turn, 1, update_affine=False)
    image.set_sform(move @ turn, 1, update_affine=False)
    image.header["qform_code"], image.header["sform_code"] = q, s
    nib.save(image, tmp_path / "t1.nii")
    volume = read_volume(tmp_path / "t1.nii")
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    storage = scene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
    node.SetAndObserveStorageNodeID(storage.GetID())
    storage.SetFileName(str(tmp_path / "t1.nii"))
    assert storage.ReadData(node)
    assert grid_of(node).matches(volume.grid)
    # Slicer's own reading leaves no word of it, so the file is asked.
    assert sides_known(node) is sides_known(add_volume(scene, volume, "t1")) is volume.sides_known
    assert volume.sides_known is ((q, s) != (0, 0))
    assert remarks_of(node) == volume.remarks
    assert bool(volume.remarks) is not (0 in (q, s) and q != s)


def test_a_left_handed_nifti_of_two_places_is_told_though_slicer_turns_its_slices_round(scene, tmp_path):
    image = nib.Nifti1Image(np.zeros((4, 5, 6), np.int16), None)
    image.header.set_zooms((2.0, 2.0, 3.0))
    for form, x in ((image.set_qform, 5.0), (image.set_sform, -5.0)):
        affine = np.diag([-2.0, 2.0, 3.0, 1.0])
        affine[0, 3] = x
        form(affine, 1, update_affine=False)
    nib.save(image, tmp_path / "t1.nii")
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    storage = scene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
    node.SetAndObserveStorageNodeID(storage.GetID())
    storage.SetFileName(str(tmp_path / "t1.nii"))
    assert storage.ReadData(node)
    (remark,) = remarks_of(node)
    assert "lies where the sform says, as in Slicer, up to 10.0 mm from where the qform says" in remark
    node.SetOrigin(100.0, 0.0, 0.0)
    assert remarks_of(node) == ()


def test_sides_stay_unknown_in_a_saved_scene(scene, tmp_path):
    grid = Grid((3, 4, 5), np.diag([-1.0, -1.0, 1.0, 1.0]))
    add_volume(scene, Volume(np.zeros(grid.shape, np.int16), grid, sides_known=False), "head")
    save_scene(scene, tmp_path / "scene.mrb")
    with load_scene(tmp_path / "scene.mrb") as loaded:
        assert not sides_known(loaded.scene.GetFirstNodeByName("head"))


def test_slicer_loads_the_sample_case_as_it_is_read(scene):
    loaded = volume_of(load_volume(scene, "T1ce", sample_folder() / T1CE))
    read = read_volume(sample_folder() / T1CE)
    np.testing.assert_array_equal(loaded.array, read.array)
    assert loaded.grid.matches(read.grid)


def test_slicer_loads_the_slices_that_it_is_given(scene, tmp_path):
    folder = write_slices(tmp_path / "t1", stack(5))
    loaded = volume_of(load_volume(scene, "T1ce", *sorted(folder.iterdir())))
    read = read_volume(folder)
    assert loaded.grid.shape[0] == 5
    np.testing.assert_array_equal(loaded.array, read.array)
    assert loaded.grid.matches(read.grid)


def test_what_slicer_cannot_read_is_told_and_leaves_no_node(scene, tmp_path):
    (tmp_path / "t1.nii").write_bytes(b"no image")
    with pytest.raises(ImageError, match=r"Slicer cannot read .*t1\.nii"):
        load_volume(scene, "T1ce", tmp_path / "t1.nii")
    assert scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 0
