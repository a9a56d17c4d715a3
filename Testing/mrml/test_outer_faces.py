"""Points exactly on the faces at which the image begins and ends, from the list of points to the mask."""

import numpy as np
import pytest
from placed_points import INCLUDE, points, press
from scene_fixtures import OBLIQUE
from VSClickCorrectApp.reading.saved_scenes import load_scene
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.mrml.begin_correction import correct_segment
from VSClickCorrectLib.mrml.persistence import save_scene

# (i, j, k) of the point, and (k, j, i) of the voxel that it means in an image of 8, 12, 16 voxels.
FACES = [
    ((15.5, 6.0, 4.0), (4, 6, 15)),
    ((6.0, 11.5, 4.0), (4, 11, 6)),
    ((6.0, 5.0, 7.5), (7, 5, 6)),
    ((15.5, 11.5, 7.5), (7, 11, 15)),
    ((-0.5, -0.5, -0.5), (0, 0, 0)),
]


def world(ijk):
    return tuple(OBLIQUE[:3, :3] @ ijk + OBLIQUE[:3, 3])


@pytest.mark.parametrize(("ijk", "voxel"), FACES)
def test_a_point_on_an_outer_face_means_the_voxel_inside_it(
    correct, segment, mask, heard, oracle, scene, tmp_path, ijk, voxel
):
    correction, box = correct(later=heard.later), Box(voxel, tuple(n + 1 for n in voxel))
    press(correction, world(ijk))
    heard.pass_on()
    assert heard.errors == [] and len(points(segment)) == 1
    assert mask.read(box).all() and mask.extent().contains(box)
    correction.undo()
    assert mask.extent() is None and points(segment) == []
    correction.redo()
    save_scene(scene, tmp_path / "scene.mrb")
    with load_scene(tmp_path / "scene.mrb") as loaded:
        volume = loaded.scene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
        node = loaded.scene.GetFirstNodeByName("tumour")
        again = correct_segment((volume, None), (node, segment[1]), oracle)
        assert [(row.kind, row.slice_number) for row in again.rows] == [(INCLUDE, voxel[0] + 1)]
        np.testing.assert_array_equal(again.session.values(), mask.read(mask.grid.box))
        again.close()


@pytest.mark.parametrize("ijk", [face for face, _voxel in FACES])
def test_a_point_beyond_an_outer_face_is_refused(correct, segment, mask, heard, ijk):
    beyond = np.array(ijk) + 0.02 * np.sign(np.array(ijk) - (7.5, 5.5, 3.5)) * (np.mod(ijk, 1) == 0.5)
    correction = correct(later=heard.later)
    press(correction, world(beyond))
    heard.pass_on()
    assert ["lies outside the image" in str(error) for error in heard.errors] == [True]
    assert mask.extent() is None and points(segment) == []
