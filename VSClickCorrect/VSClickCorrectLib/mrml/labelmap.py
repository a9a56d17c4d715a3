"""Binary labelmaps of segments, placed on a volume's grid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import slicer
from vtk.util.numpy_support import vtk_to_numpy

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import Index3, index3
from VSClickCorrectLib.mrml.transforms import array_from, matrix_of


@dataclass(frozen=True, eq=False)
class Labelmap:
    """A labelmap that covers a part of a volume's grid, or reaches beyond it.

    Parameters
    ----------
    image : vtkOrientedImageData
        The labelmap.
    voxels : ndarray
        A view of its voxels, ``(k, j, i)``.
    box : Box
        Where they lie on the volume's grid.
    """

    image: slicer.vtkOrientedImageData
    voxels: np.ndarray
    box: Box

    @classmethod
    def on_grid(cls, image: slicer.vtkOrientedImageData, world: np.ndarray, grid: Grid) -> Labelmap:
        """Place a labelmap that holds voxels on a volume's grid.

        Parameters
        ----------
        image : vtkOrientedImageData
            The labelmap.
        world : (4, 4) array
            The segmentation's RAS to the world's, mm.
        grid : Grid
            The volume's grid, in the world.

        Raises
        ------
        ImageError
            If its voxels are not voxels of the grid.
        """
        box = box_on_grid(image, world, grid)
        if box is None:
            raise ImageError(
                "the voxels of the segmentation are not those of the volume; if only one of the two was "
                "moved, give both the same transform, else set the segmentation's geometry to the volume's "
                "in the Segment Editor (the button beside the source volume)."
            )
        return cls(image, _view(image), box)

    @classmethod
    def blank(cls, box: Box, affine: np.ndarray, scalar_type: int) -> Labelmap:
        """Make an empty labelmap.

        Parameters
        ----------
        box : Box
            What it covers.
        affine : (4, 4) array
            From the volume's IJK to the segmentation's RAS, mm.
        scalar_type : int
            VTK's number of the type of voxels.
        """
        image = slicer.vtkOrientedImageData()
        image.SetExtent([n for a, b in zip(box.start[::-1], box.stop[::-1], strict=True) for n in (a, b - 1)])
        image.SetGeometryFromImageToWorldMatrix(matrix_of(affine))
        image.AllocateScalars(scalar_type, 1)
        voxels = _view(image)
        voxels[...] = 0
        return cls(image, voxels, box)

    def grown(self, box: Box) -> Labelmap:
        """Return a copy that also covers ``box``."""
        offset = np.array(self.image.GetExtent()[::2]) - self.box.start[::-1]
        affine = _moved(array_from(self.image.GetImageToWorldMatrix), offset)
        larger = Labelmap.blank(self.box.union(box), affine, self.image.GetScalarType())
        larger.part(self.box)[...] = self.voxels
        return larger

    def part(self, box: Box) -> np.ndarray:
        """Return a view of the voxels in ``box``, which lies inside the labelmap."""
        return self.voxels[box.slices_in(self.box)]

    def read(self, box: Box, label: int) -> np.ndarray:
        """Return which voxels of ``box``, which may reach beyond the labelmap, hold ``label``; bool."""
        values = np.zeros(box.shape, bool)
        common = self.box.intersection(box)
        if not common.empty:
            values[common.slices_in(box)] = self.part(common) == label
        return values

    def write(self, box: Box, values: np.ndarray, label: int) -> None:
        """Set ``label`` in ``box``, inside the labelmap, where ``values``; clear it where not."""
        part = self.part(box)
        part[~values & (part == label)] = 0
        part[values] = label


def box_on_grid(image: slicer.vtkOrientedImageData, world: np.ndarray, grid: Grid) -> Box | None:
    """Return where an image's voxels lie on a grid, or None if they are not voxels of its lattice.

    Parameters are those of `Labelmap.on_grid`; the box may reach beyond the grid.
    """
    affine = _moved(world @ array_from(image.GetImageToWorldMatrix), image.GetExtent()[::2])
    return _box_of(image.GetDimensions()[::-1], affine.tobytes(), grid)


# Asked several times a click with the same answer, which takes longer to work out than to write the voxels.
@lru_cache(maxsize=32)
def _box_of(shape: Index3, affine: bytes, grid: Grid) -> Box | None:
    own = Grid(shape, np.frombuffer(affine).reshape(4, 4))
    start = np.rint(grid.ras_to_ijk(own.affine[:3, 3]))[::-1].astype(int)
    box = Box(index3(start), index3(start + own.shape))
    return box if grid.cropped(box).matches(own) else None


def _view(image: slicer.vtkOrientedImageData) -> np.ndarray:
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])


def _moved(affine: np.ndarray, ijk) -> np.ndarray:
    """Return the affine with its origin at the voxel ``(i, j, k)``."""
    moved = affine.copy()
    moved[:3, 3] += affine[:3, :3] @ np.asarray(ijk)
    return moved
