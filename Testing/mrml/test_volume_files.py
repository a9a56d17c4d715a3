"""What the file of a volume says of where it lies, also once the volume is saved in another file."""

import numpy as np
import pytest
import slicer
from VSClickCorrectApp.reading.saved_scenes import load_scene
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.io.images import write_volume
from VSClickCorrectLib.mrml.persistence import save_scene
from VSClickCorrectLib.mrml.volume_files import remarks_of, sides_known

SHAPE = (8, 9, 10)
ARRAY = np.arange(720, dtype=np.int16).reshape(SHAPE)
# Where Slicer lays a volume whose header names no place.
NOWHERE = np.diag([-1.0, -1.0, 1.0, 1.0])


@pytest.fixture
def loaded(scene, tmp_path):
    """A volume that Slicer has loaded from a NIfTI file, which may name sides."""

    def load(named):
        path = tmp_path / "T1ce.nii.gz"
        write_volume(path, Volume(ARRAY, Grid(SHAPE, NOWHERE), sides_known=named))
        node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "T1ce")
        storage = scene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
        storage.SetFileName(str(path))
        node.SetAndObserveStorageNodeID(storage.GetID())
        assert storage.ReadData(node)
        return node

    return load


@pytest.mark.parametrize("look", [sides_known, remarks_of])
@pytest.mark.parametrize("named", [False, True])
def test_sides_that_no_header_names_stay_unknown_in_a_saved_scene(scene, loaded, tmp_path, look, named):
    node = loaded(named)
    look(node)
    assert sides_known(node) is named
    save_scene(scene, tmp_path / "scene.mrb")
    # What Slicer writes names sides.
    assert sides_known(node) is named
    saved = load_scene(tmp_path / "scene.mrb")
    again = saved.scene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
    assert isinstance(again, slicer.vtkMRMLScalarVolumeNode)
    assert sides_known(again) is named
    saved.close()
