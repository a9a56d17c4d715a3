"""Small volumes and files of them, for the tests of reading and writing."""

import numpy as np
import SimpleITK as sitk
from any_grid import itk_image
from scipy.spatial.transform import Rotation
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume

SHAPE = (5, 6, 7)
# Turned about an axis that is none of the image's, voxels of 0.4 × 0.5 × 1.5 mm.
OBLIQUE = np.eye(4)
OBLIQUE[:3, :3] = Rotation.from_euler("xyz", [12, -20, 35], degrees=True).as_matrix() * [-0.4, -0.5, 1.5]
OBLIQUE[:3, 3] = [31.25, -12.5, 44.125]
GRID = Grid(SHAPE, OBLIQUE)
PLAIN = Grid(SHAPE, np.eye(4))
VOLUME = Volume(np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE), GRID)


def blob(shape=SHAPE):
    mask = np.zeros(shape, bool)
    mask[1:4, 2:4, 1:6] = True
    mask[2, 2, 3] = False
    return mask


def written(path, array, grid=PLAIN):
    sitk.WriteImage(itk_image(array, grid), str(path))
    return path


def left_in(folder):
    return sorted(p.name for p in folder.iterdir())
