"""Slicer's volume nodes as volumes, and back."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import Index3
from VSClickCorrectLib.geometry.volume import Case, Volume, stored_type
from VSClickCorrectLib.io import one_grid
from VSClickCorrectLib.mrml.transforms import array_from, matrix_of, world_from_node

# T1ce and T2.
VolumeNodes = tuple[slicer.vtkMRMLVolumeNode | None, slicer.vtkMRMLVolumeNode | None]
# On a volume of whose axes nobody knows which way they run in the patient.
SIDES_UNKNOWN = "VSClickCorrect.SidesUnknown"


def grid_of(volume_node: slicer.vtkMRMLVolumeNode) -> Grid:
    """Return where a volume lies in the world.

    Returns
    -------
    Grid
        IJK to world RAS in mm, with the volume's linear parent transforms in it.

    Raises
    ------
    ImageError
        If the volume holds no image, a parent transform is not linear, or the axes are not at right angles.
    """
    image = volume_node.GetImageData()
    if image is None or 0 in image.GetDimensions():
        raise ImageError(
            f"the volume '{volume_node.GetName()}' holds no image; load one or choose another volume."
        )
    affine = world_from_node(volume_node) @ array_from(volume_node.GetIJKToRASMatrix)
    return _grid(image.GetDimensions()[::-1], affine.tobytes())


def place_of(volume_node: slicer.vtkMRMLVolumeNode) -> bytes:
    """Tell one place of a volume in the world from another; empty where it cannot be used."""
    try:
        return grid_of(volume_node).affine.tobytes()
    except ImageError:
        return b""


def state_of(volume_node: slicer.vtkMRMLVolumeNode) -> tuple[bytes, int]:
    """Tell one state of a volume from another, by its `place_of` and when its voxels changed last."""
    image = volume_node.GetImageData()
    scalars = image.GetPointData().GetScalars() if image is not None else None
    return place_of(volume_node), 0 if scalars is None else scalars.GetMTime()


def lattice_of(volume_node: slicer.vtkMRMLVolumeNode | None) -> tuple:
    """Tell one image from another, wherever transforms move it, by its lattice and `state_of`'s time.

    Raises as `grid_of`.
    """
    if volume_node is None:
        return ()
    affine = array_from(volume_node.GetIJKToRASMatrix)
    return grid_of(volume_node).shape, affine.tobytes(), state_of(volume_node)[1]


# The same grid as long as the volume stays where it is, with all that it has worked out of itself.
@lru_cache(maxsize=8)
def _grid(shape: Index3, affine: bytes) -> Grid:
    return Grid(shape, np.frombuffer(affine).reshape(4, 4))


def volume_of(volume_node: slicer.vtkMRMLVolumeNode) -> Volume:
    """Return a volume node's image.

    Returns
    -------
    Volume
        Its array is a view of the node's own voxels, ``(K, J, I)``: nothing is copied.

    Raises
    ------
    ImageError
        If the image is missing, has several channels or holds NaN, or if `grid_of` refuses its geometry.
    """
    grid = grid_of(volume_node)
    scalars = volume_node.GetImageData().GetPointData().GetScalars()
    if scalars is None or scalars.GetNumberOfComponents() != 1:
        raise ImageError(
            f"the volume '{volume_node.GetName()}' is not plain greyscale; choose a greyscale MRI volume."
        )
    try:
        return Volume(vtk_to_numpy(scalars).reshape(grid.shape), grid)
    except ImageError as error:
        raise ImageError(f"'{volume_node.GetName()}': {error}") from None


def in_scene(*volume_nodes: slicer.vtkMRMLVolumeNode | None) -> bool:
    """Whether none of these volumes was removed from its scene; None stands for one that was never there."""
    return all(node is None or node.GetScene() is not None for node in volume_nodes)


def case_of(t1ce_node: slicer.vtkMRMLVolumeNode | None, t2_node: slicer.vtkMRMLVolumeNode | None) -> Case:
    """Return the case that two volumes form; the T2 is resampled where its grid is not the T1ce's.

    Raises
    ------
    ImageError
        If both are missing, one cannot be used, or their fields of view do not meet.
    """
    t1ce, t2 = (None if node is None else volume_of(node) for node in (t1ce_node, t2_node))
    return one_grid.case_of(t1ce, t2)


def add_volume(scene: slicer.vtkMRMLScene, volume: Volume, name: str) -> slicer.vtkMRMLScalarVolumeNode:
    """Add a volume to the scene, with its display node.

    Parameters
    ----------
    scene : vtkMRMLScene
        Where the node goes.
    volume : Volume
        The image; copied. Logical voxels become 0 and 1.
    name : str
        The node's name.
    """
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetIJKToRASMatrix(matrix_of(volume.grid.affine))
    node.SetAndObserveImageData(_image_of(volume.array))
    node.CreateDefaultDisplayNodes()
    if not volume.sides_known:
        node.SetAttribute(SIDES_UNKNOWN, "1")
    if np.linalg.det(volume.grid.affine) < 0:
        # Read back by Slicer's usual reader, a left-handed volume would be turned round, and its voxels would
        # no longer be those of the segmentation.
        node.SetAndObserveStorageNodeID(scene.AddNewNodeByClass("vtkMRMLNRRDStorageNode").GetID())
    return node


def load_volume(scene: slicer.vtkMRMLScene, name: str, *files: Path) -> slicer.vtkMRMLScalarVolumeNode:
    """Load a volume with Slicer's own reader, with its display node; its files are forgotten.

    Parameters
    ----------
    scene : vtkMRMLScene
        Where the node goes.
    name : str
        The node's name.
    files : Path
        An image, or its slices in the order in which they lie.

    Raises
    ------
    ImageError
        If Slicer cannot read it.
    """
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    storage = slicer.vtkMRMLVolumeArchetypeStorageNode()
    storage.SetFileName(str(files[0]))
    # Left to itself, the reader takes what has a similar name for another slice.
    for file in files:
        storage.AddFileName(str(file))
    if not storage.ReadData(node):
        scene.RemoveNode(node)
        raise ImageError(f"Slicer cannot read {files[0]}; load another file.")
    node.CreateDefaultDisplayNodes()
    return node


def _image_of(array: np.ndarray) -> vtk.vtkImageData:
    # VTK has no voxels in foreign byte order.
    stored = stored_type(array.dtype).newbyteorder("=")
    image = vtk.vtkImageData()
    image.SetDimensions(array.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(array.astype(stored).ravel(), deep=True))
    return image
