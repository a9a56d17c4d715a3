"""Strokes of a brush: a disc drawn along a line in the plane of a view, as voxels of a grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import Point3, index3


@dataclass(frozen=True)
class Stroke:
    """What a hand drew, from press to release.

    Parameters
    ----------
    points_ras : sequence of 3 float
        Where the pointer was, at least one point, all in the view's plane; RAS mm. Between two points the
        disc moved along a straight line.
    normal : 3 float
        Of the view's plane, RAS, one long.
    radius_mm : float
        The disc's.
    """

    points_ras: Sequence[Point3]
    normal: Point3
    radius_mm: float

    def voxels(self, grid: Grid) -> tuple[Box, np.ndarray]:
        """Return the voxels of the slice in the plane whose centres the disc passed over.

        The slice is one voxel thick: of each row of voxels across the plane the one through which it runs,
        half-way between two of them the one that a click there means. The voxel under the pointer belongs to
        the stroke, however small the disc is.

        Returns
        -------
        box : Box
            Where they are; empty if the stroke lies outside the image.
        voxels : ndarray of bool
            Of the box's shape.
        """
        points = np.asarray(self.points_ras, float)
        lines = list(zip(points[:-1], points[1:], strict=True)) or [(points[0], points[0])]
        boxes = [self._box(grid, line) for line in lines]
        reached = [box for box in boxes if not box.empty]
        if not reached:
            return Box((0, 0, 0), (0, 0, 0)), np.zeros((0, 0, 0), bool)
        whole = reduce(Box.union, reached)
        voxels = np.zeros(whole.shape, bool)
        for box, line in zip(boxes, lines, strict=True):
            if not box.empty:
                voxels[box.slices_in(whole)] |= self._along(grid, box, line)
        for point in points:
            under = Box.of_voxel(index3(grid.nearest_index(point)))
            if grid.box.contains(under):
                voxels[under.slices_in(whole)] = True
        return whole, voxels

    def _box(self, grid: Grid, line: Sequence[np.ndarray]) -> Box:
        """Return the voxels that a part of the stroke may reach."""
        # How far, in voxels, the disc reaches along each axis of the grid, and half a voxel across the plane.
        reach = self.radius_mm * np.linalg.norm(np.linalg.inv(grid.affine[:3, :3]), axis=1) + 1
        ends = grid.ras_to_ijk(np.asarray(line))
        start, stop = np.floor(ends.min(axis=0) - reach), np.ceil(ends.max(axis=0) + reach) + 1
        return Box(index3(start[::-1]), index3(stop[::-1])).clipped(grid.shape)

    def _along(self, grid: Grid, box: Box, line: Sequence[np.ndarray]) -> np.ndarray:
        """Return the voxels of a box that lie in the slice, and near enough to one straight part."""
        begin, way = line[0], line[1] - line[0]
        normal = np.asarray(self.normal, float)
        indices = np.moveaxis(np.indices(box.shape), 0, -1) + np.asarray(box.start)
        centers = grid.index_to_ras(indices) - begin
        height = centers @ normal
        flat = centers - height[..., None] * normal
        part = np.clip(flat @ way / max(float(way @ way), 1e-12), 0.0, 1.0)
        near = np.linalg.norm(flat - part[..., None] * way, axis=-1) <= self.radius_mm
        steps = normal @ grid.affine[:3, :3]
        across = int(np.argmax(np.abs(steps) / grid.spacing))
        # Where the row of voxels across the plane meets it.
        meets = begin + centers - (height / steps[across])[..., None] * grid.affine[:3, across]
        return near & (grid.nearest_index(meets) == indices)[..., 2 - across]
