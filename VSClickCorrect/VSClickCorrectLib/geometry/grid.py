"""Voxel grids: where a volume lies in the patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations

import numpy as np

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.triples import Index3, Point3, Slices3, index3, point3, triple

# Unit vectors, in RAS, of the axes of an axial stack as it is read on screen: slices upward, rows
# toward the back of the head, columns toward the patient's left.
_AXIAL_RAS = np.array([[0.0, 0.0, 1.0], [0.0, -1.0, 0.0], [-1.0, 0.0, 0.0]])
# The same of a coronal stack (slices forward, columns leftward) and of a sagittal one (slices leftward,
# columns to the back), both with rows upward: a corrector of axial slices does a little better so.
_CORONAL_RAS = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [-1.0, 0.0, 0.0]])
_SAGITTAL_RAS = np.array([[-1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
# How much thicker than wide voxels are at least in slices that were acquired as such.
_THICKER = 1.15
LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
SHEAR_TOLERANCE = 1e-3
# So near to half-way between two voxels, in voxels, it is the one of higher index, however that is rounded.
ROUNDING_VOXELS = 1e-6
# No scan of a patient has smaller or larger voxels, or is longer; at a network's voxel size it would fill the
# memory.
_VOXEL_MM = (0.01, 100.0)
_MAX_MM = 2000.0


def transformed(points, matrix: np.ndarray) -> np.ndarray:
    """Map points, shape (..., 3), by an affine matrix, (3, 4) or (4, 4)."""
    return np.asarray(points, dtype=float) @ matrix[:3, :3].T + matrix[:3, 3]


def nearest_whole(places) -> np.ndarray:
    """Return the whole numbers, as floats, nearest to places in voxels; half-way, the higher ones."""
    return np.floor(np.asarray(places) + 0.5 + ROUNDING_VOXELS)


@dataclass(frozen=True)
class AxisOrder:
    """How the axes of an array become slices, rows and columns.

    Parameters
    ----------
    axes : tuple of int
        Array axis that runs, up to its sign, along slices, rows and columns: in an axial stack those are
        superior, posterior and left.
    flips : tuple of bool
        Whether that array axis runs the other way.
    """

    axes: Index3
    flips: tuple[bool, bool, bool]

    def arranged(self, array: np.ndarray) -> np.ndarray:
        """Return a view of a ``(k, j, i)`` array as slices, rows and columns."""
        view = array.transpose(self.axes)
        return view[tuple(slice(None, None, -1 if f else 1) for f in self.flips)]

    def restored(self, array: np.ndarray) -> np.ndarray:
        """Return a view of slices, rows and columns with axes in ``(k, j, i)`` order."""
        unflipped = array[tuple(slice(None, None, -1 if f else 1) for f in self.flips)]
        return unflipped.transpose(np.argsort(self.axes))


@dataclass(frozen=True, eq=False)
class Grid:
    """A voxel grid in patient space.

    Arrays on a grid are indexed ``[k, j, i]``; continuous voxel coordinates are written ``(i, j, k)``,
    as Slicer's IJK, with integers at voxel centres.

    Parameters
    ----------
    shape : tuple of int
        Array shape ``(K, J, I)``.
    affine : (4, 4) array of float
        IJK to RAS, in mm. Any orientation and spacing, oblique or not; sheared grids are refused.

    Raises
    ------
    ImageError
        If the affine is not finite, is singular or is sheared, or if no scan of a patient has voxels of this
        size or is so large.
    """

    shape: Index3
    affine: np.ndarray

    def __post_init__(self) -> None:
        affine = np.array(self.affine, dtype=float)
        object.__setattr__(self, "affine", affine)
        object.__setattr__(self, "shape", index3(self.shape))
        if not np.isfinite(affine).all() or abs(np.linalg.det(affine)) < 1e-12:
            raise ImageError(
                "the image's orientation matrix is singular or not finite; export the image again."
            )
        self._check_size()
        directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
        shear = np.abs(directions.T @ directions - np.eye(3)).max()
        if shear > SHEAR_TOLERANCE:
            raise ImageError(
                "the image's axes are not at right angles (gantry tilt or a shearing transform); "
                "resample it to an orthogonal grid first."
            )
        affine.setflags(write=False)

    def _check_size(self) -> None:
        spacing = self.spacing
        if spacing.min() < _VOXEL_MM[0] or spacing.max() > _VOXEL_MM[1]:
            size = "×".join(f"{s:g}" for s in spacing)
            raise ImageError(
                f"the image's voxels are {size} mm large, which cannot be; export the image again."
            )
        extent = spacing * self.shape[::-1]
        if extent.max() > _MAX_MM:
            size = "×".join(f"{e:.0f}" for e in extent)
            raise ImageError(f"the image is {size} mm large, more than any patient; export it again.")

    @classmethod
    def from_lps(cls, shape, spacing, origin, direction) -> Grid:
        """Build a grid from ITK's terms.

        Parameters
        ----------
        shape : tuple of int
            Array shape ``(K, J, I)``.
        spacing, origin : sequence of 3 float
            mm, in ``(i, j, k)`` and LPS.
        direction : sequence of 9 float
            Direction cosines, row-major, LPS.
        """
        lps = np.eye(4)
        lps[:3, :3] = np.reshape(direction, (3, 3)) * np.asarray(spacing)
        lps[:3, 3] = origin
        return cls(shape, LPS_FROM_RAS @ lps)

    @property
    def affine_lps(self) -> np.ndarray:
        """IJK to LPS, mm, shape (4, 4)."""
        return LPS_FROM_RAS @ self.affine

    @property
    def spacing(self) -> np.ndarray:
        """Voxel size in mm as ``(i, j, k)``."""
        return np.linalg.norm(self.affine[:3, :3], axis=0)

    @property
    def axial_spacing(self) -> np.ndarray:
        """Voxel size in mm in axial order: slices, rows, columns."""
        return self.spacing_in(self.axial_order())

    def spacing_in(self, order: AxisOrder) -> np.ndarray:
        """Return the voxel size in mm along the axes of an order."""
        return self.spacing[::-1][list(order.axes)]

    @property
    def axial_shape(self) -> Index3:
        """Array shape in axial order."""
        return self.shape_in(self.axial_order())

    def shape_in(self, order: AxisOrder) -> Index3:
        """Return the array shape along the axes of an order."""
        return triple(self.shape[a] for a in order.axes)

    @property
    def voxel_volume(self) -> float:
        """Volume of one voxel in mm³."""
        return float(np.prod(self.spacing))

    def volume_of(self, values: np.ndarray) -> float:
        """Return the volume in mm³ of a mask's set voxels, on this grid or on a part of it."""
        return int(np.count_nonzero(values)) * self.voxel_volume

    @property
    def box(self) -> Box:
        """The whole grid as a box."""
        return Box((0, 0, 0), self.shape)

    @property
    def center_ras(self) -> np.ndarray:
        """Centre of the grid, RAS mm."""
        return self.ijk_to_ras((np.array(self.shape[::-1]) - 1) / 2)

    @property
    def corners_ijk(self) -> np.ndarray:
        """The centres of the 8 voxels in the corners, ``(i, j, k)``."""
        return np.indices((2, 2, 2)).reshape(3, 8).T * (np.array(self.shape[::-1]) - 1)

    def ijk_to_ras(self, ijk) -> np.ndarray:
        """Map continuous ``(i, j, k)`` coordinates, shape (..., 3), to RAS mm."""
        return transformed(ijk, self.affine)

    def ras_to_ijk(self, ras) -> np.ndarray:
        """Map RAS mm, shape (..., 3), to continuous ``(i, j, k)`` coordinates."""
        return transformed(ras, self._inverse)

    def index_to_ras(self, index) -> np.ndarray:
        """Map array indices ``(k, j, i)``, shape (..., 3), to RAS mm."""
        return self.ijk_to_ras(np.asarray(index)[..., ::-1])

    def share_within(self, ras) -> float:
        """Return the share of points, RAS mm, shape (n, 3), that lie in a voxel of the grid."""
        ijk = self.ras_to_ijk(ras)
        return float(((ijk >= -0.5) & (ijk <= np.array(self.shape[::-1]) - 0.5)).all(axis=1).mean())

    def middle_of(self, box: Box) -> Point3:
        """Return the middle of a box of voxels, RAS mm."""
        return point3(self.index_to_ras((np.add(box.start, box.stop) - 1) / 2))

    def nearest_index(self, ras) -> np.ndarray:
        """Return the index ``(k, j, i)``, whole floats, of the voxel that holds a point, be it outside."""
        # Half a voxel's border belongs to the outermost voxel, with slack for rounding in the affine.
        ijk, ends = self.ras_to_ijk(ras), np.subtract(self.shape[::-1], 0.5)
        index = nearest_whole(ijk)
        # So do the faces at which the image ends, as those at which it begins do anyway.
        return np.where(np.abs(ijk - ends) <= ROUNDING_VOXELS, ends - 0.5, index)[..., ::-1]

    def in_slice(self, ras) -> Point3:
        """Return a point, RAS mm, moved across its slice, as that was acquired, to the middle of it."""
        across = self.slice_order().axes[0]
        away = self.nearest_index(ras)[across] - self.ras_to_ijk(ras)[2 - across]
        return point3(np.asarray(ras) + away * self.affine[:3, 2 - across])

    def ras_to_index(self, ras) -> Index3:
        """Return the array index ``(k, j, i)`` of the voxel that holds a point.

        Raises
        ------
        ImageError
            If the point is not finite or lies outside the grid; the message names it in mm.
        """
        if not np.isfinite(ras).all():
            raise ImageError("the point's coordinates are not finite numbers; place it again.")
        index = self.nearest_index(ras)
        if (index < 0).any() or (index >= self.shape).any():
            r, a, s = (f"{v:.1f}" if abs(v) < 1e6 else f"{v:.1e}" for v in map(float, ras))
            raise ImageError(f"the point at R {r}, A {a}, S {s} mm lies outside the image; click inside it.")
        return index3(index)

    def axial_order(self) -> AxisOrder:
        """Return the permutation and flips that bring arrays on this grid closest to an axial stack."""
        return self._axial_order

    def slice_order(self) -> AxisOrder:
        """Return the permutation and flips that bring arrays on this grid into slices as they were acquired.

        Voxels are thickest across the slices of a scan: where they are by far the thickest from front to back
        or from side to side, that is a coronal or a sagittal stack; else it is an axial one.
        """
        return self._slice_order

    def every(self, stride: int) -> Slices3:
        """Return what takes every so-many-th voxel of an array: the same ones of the patient in any order."""
        order = self.axial_order()
        flips = dict(zip(order.axes, order.flips, strict=True))
        return triple(
            slice((n - 1) % stride if flips[a] else 0, None, stride) for a, n in enumerate(self.shape)
        )

    def slice_number(self, index: Sequence[int] | np.ndarray) -> int:
        """Return the number of the slice, as they were acquired, of a voxel ``(k, j, i)``.

        Slices are counted from 1: axial ones upward, coronal ones forward, sagittal ones to the left.
        """
        order = self.slice_order()
        axis = order.axes[0]
        return self.shape[axis] - int(index[axis]) if order.flips[0] else int(index[axis]) + 1

    @cached_property
    def _inverse(self) -> np.ndarray:
        return np.linalg.inv(self.affine)

    @cached_property
    def _axial_order(self) -> AxisOrder:
        return self.order_nearest(_AXIAL_RAS)

    @cached_property
    def _slice_order(self) -> AxisOrder:
        thickest = int(np.argmax(self.axial_spacing))
        others = np.delete(self.axial_spacing, thickest)
        if thickest == 0 or self.axial_spacing[thickest] < _THICKER * others.max():
            return self._axial_order
        return self.order_nearest(_CORONAL_RAS if thickest == 1 else _SAGITTAL_RAS)

    def order_nearest(self, stack_ras: np.ndarray) -> AxisOrder:
        """Return the permutation and flips that bring arrays on this grid closest to another stack's axes.

        Parameters
        ----------
        stack_ras : (3, 3) array
            Its unit vectors, RAS, a row each: across slices, rows and columns.
        """
        directions = (self.affine[:3, :3] / self.spacing)[:, ::-1]  # columns in array order k, j, i
        cosines = stack_ras @ directions
        axes = max(permutations(range(3), 3), key=lambda p: sum(abs(cosines[n, a]) for n, a in enumerate(p)))
        return AxisOrder(axes, triple(bool(cosines[n, a] < 0) for n, a in enumerate(axes)))

    def box_from(self, order: AxisOrder, box: Box) -> Box:
        """Return ``box``, given in that order, in array order ``(k, j, i)``."""
        start, stop = [0, 0, 0], [0, 0, 0]
        for n, axis in enumerate(order.axes):
            first, last = box.start[n], box.stop[n]
            if order.flips[n]:
                first, last = self.shape[axis] - last, self.shape[axis] - first
            start[axis], stop[axis] = first, last
        return Box(triple(start), triple(stop))

    def box_in(self, order: AxisOrder, box: Box) -> Box:
        """Return ``box``, given in array order ``(k, j, i)``, in that order; see `box_from`."""
        start, stop = [], []
        for axis, flip in zip(order.axes, order.flips, strict=True):
            first, last = box.start[axis], box.stop[axis]
            start.append(self.shape[axis] - last if flip else first)
            stop.append(self.shape[axis] - first if flip else last)
        return Box(triple(start), triple(stop))

    def box_around(self, ras, radius_mm: float) -> Box:
        """Return the voxels within ``radius_mm`` along each axis of the voxel that holds a point.

        Raises
        ------
        ImageError
            If the point lies outside the grid.
        """
        margin = np.ceil(radius_mm / self.spacing[::-1]).astype(int)
        return Box.of_voxel(self.ras_to_index(ras)).padded(index3(margin)).clipped(self.shape)

    def cropped(self, box: Box) -> Grid:
        """Return the grid of the voxels in ``box``."""
        affine = self.affine.copy()
        affine[:3, 3] = self.index_to_ras(box.start)
        return Grid(box.shape, affine)

    def straightened(self) -> Grid:
        """Return the nearest grid whose axes are exactly at right angles, with the same first voxel."""
        left, _, right = np.linalg.svd(self.affine[:3, :3] / self.spacing)
        affine = self.affine.copy()
        affine[:3, :3] = left @ right * self.spacing
        return Grid(self.shape, affine)

    def matches(self, other: Grid, tolerance_mm: float = 1e-2) -> bool:
        """Whether two grids have the same shape and their corners agree within ``tolerance_mm``."""
        if self.shape != other.shape:
            return False
        apart = self.ijk_to_ras(self.corners_ijk) - other.ijk_to_ras(self.corners_ijk)
        return bool(np.abs(apart).max() <= tolerance_mm)
