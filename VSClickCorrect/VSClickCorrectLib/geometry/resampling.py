"""Sampling windows: a native neighbourhood seen at a network's own voxel size, and back.

A click's cut, the slab of the initial segmentation and the whole head at low resolution are all the same
thing: a small regular lattice whose axes run along the native grid's. Sampling is then separable, one
short matrix per axis, and the way back uses the same mathematics.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import ROUNDING_VOXELS, AxisOrder, Grid, nearest_whole
from VSClickCorrectLib.geometry.triples import Index3, Point3, index3


def interpolation_matrix(targets: np.ndarray, sources: int, width: float) -> np.ndarray:
    """Return weights that interpolate samples at integer positions with a triangle of half-width ``width``.

    Parameters
    ----------
    targets : (n,) array of float
        Positions, in units of the source samples.
    sources : int
        Number of source samples, at 0, 1, ..., ``sources - 1``.
    width : float
        Half-width of the triangle: 1 is linear interpolation, more averages when sampling down.

    Returns
    -------
    (n, sources) array of float32
        Rows sum to 1 well inside and fall to 0 outside, where nothing is known.
    """
    width = max(1.0, width)
    targets = targets[:, None]
    # Near the rim part of the triangle hangs over the edge: normalise by what it sums to in the open.
    reach = np.arange(-np.ceil(width), np.ceil(width) + 2)[None, :]
    open_distance = np.floor(targets) + reach - targets
    # Unless its width is a whole number a triangle is off balance; tilted, it keeps straight ramps straight.
    triangle = _triangle(open_distance, width)
    moment = (triangle * open_distance).sum(axis=1, keepdims=True)
    tilt = moment / np.maximum((triangle * open_distance**2).sum(axis=1, keepdims=True), 1e-12)
    total = triangle.sum(axis=1, keepdims=True) - tilt * moment
    distance = np.arange(sources)[None, :] - targets
    return (_triangle(distance, width) * (1.0 - tilt * distance) / total).astype(np.float32)


def _triangle(distance: np.ndarray, width: float) -> np.ndarray:
    return np.clip(1.0 - np.abs(distance) / width, 0.0, None)


@dataclass(frozen=True)
class ResamplingGeometry:
    """Size of a sampling window: slices, rows, columns.

    Parameters
    ----------
    shape : tuple of int
        Number of samples.
    spacing : tuple of float
        Distance between samples in mm.
    """

    shape: Index3
    spacing: Point3


class ResamplingGrid:
    """A lattice of samples around a point of a native grid.

    Parameters
    ----------
    grid : Grid
        The native grid.
    center : sequence of 3 float
        Continuous array coordinates of the window's centre in that order (see `coordinates_in`).
    geometry : ResamplingGeometry
        Samples and their spacing.
    order : AxisOrder, optional
        Along which axes the samples' slices, rows and columns lie; axial if left out.

    Attributes
    ----------
    ordered_box : Box
        The native voxels the window can see or change, in that order.
    box : Box
        The same in array order ``(k, j, i)``.
    """

    def __init__(
        self, grid: Grid, center, geometry: ResamplingGeometry, order: AxisOrder | None = None
    ) -> None:
        self.grid = grid
        self.geometry = geometry
        self.order = order or grid.axial_order()
        self.center = np.asarray(center, dtype=float)
        self.steps = np.asarray(geometry.spacing) / grid.spacing_in(self.order)  # native voxels per sample
        self._middle = (np.asarray(geometry.shape) - 1) / 2
        # A voxel belongs to the window when its centre does, also where rounding puts that just beyond the
        # edge; at least the voxel at the centre does.
        half = np.asarray(geometry.shape) / 2 * self.steps + ROUNDING_VOXELS
        nearest = nearest_whole(self.center).astype(int)
        start = np.minimum(np.ceil(self.center - half).astype(int), nearest)
        stop = np.maximum(np.floor(self.center + half).astype(int), nearest) + 1
        self.ordered_box = Box(index3(start), index3(stop)).clipped(grid.shape_in(self.order))
        self.box = grid.box_from(self.order, self.ordered_box)

    @cached_property
    def _down(self) -> list[np.ndarray]:
        places = [self.places_of(np.arange(n), a) for a, n in enumerate(self.geometry.shape)]
        return [
            interpolation_matrix(places[a] - self._source_box.start[a], n, self.steps[a])
            for a, n in enumerate(self._source_box.shape)
        ]

    @cached_property
    def _up(self) -> list[np.ndarray]:
        matrices = []
        for a, n in enumerate(self.geometry.shape):
            samples = self.samples_at(np.arange(self.ordered_box.start[a], self.ordered_box.stop[a]), a)
            # Beyond the outermost sample's centre, half a sample of its own extent holds its value.
            matrices.append(interpolation_matrix(np.clip(samples, 0, n - 1), n, 1 / self.steps[a]))
        return [m / np.maximum(m.sum(axis=1, keepdims=True), 1e-6) for m in matrices]

    @cached_property
    def _source_box(self) -> Box:
        """Native voxels that the samples' triangles reach, in the window's order."""
        reach = index3(np.ceil(np.maximum(1.0, self.steps)))
        return self.ordered_box.padded(reach).clipped(self.grid.shape_in(self.order))

    @property
    def source_box(self) -> Box:
        """The native voxels, ``(k, j, i)``, that `sample` takes."""
        return self.grid.box_from(self.order, self._source_box)

    def position(self, ras) -> np.ndarray:
        """Return where a point, RAS mm, lies among the samples, ``(k, j, i)``; may be outside."""
        return self.samples_at(coordinates_in(self.grid, self.order, ras))

    def samples_at(self, places, axis: int | slice = slice(None)) -> np.ndarray:
        """Return where voxels lie among the samples, both in the window's order, along all axes or one."""
        return (places - self.center[axis]) / self.steps[axis] + self._middle[axis]

    def places_of(self, samples, axis: int | slice = slice(None)) -> np.ndarray:
        """Return where samples lie among the voxels; see `samples_at`."""
        return self.center[axis] + (samples - self._middle[axis]) * self.steps[axis]

    def nearest(self, samples: np.ndarray, box: Box) -> np.ndarray:
        """Return the sample nearest to each native voxel of a box ``(k, j, i)``, of its shape.

        Of two that are as near it is the one farther on.

        Parameters
        ----------
        samples : ndarray
            One value a sample, of the geometry's shape; voxels beyond take that of the outermost.
        box : Box
            Native voxels, ``(k, j, i)``.
        """
        places = []
        ordered = self.grid.box_in(self.order, box)
        for axis, count in enumerate(self.geometry.shape):
            offset = self.samples_at(np.arange(ordered.start[axis], ordered.stop[axis]), axis)
            places.append(np.clip(nearest_whole(offset).astype(int), 0, count - 1))
        return self.order.restored(samples[np.ix_(*places)])

    def resample(self, values: np.ndarray) -> np.ndarray:
        """Sample native voxels.

        Parameters
        ----------
        values : ndarray
            The voxels of ``source_box``, ``(k, j, i)``, any real dtype.

        Returns
        -------
        ndarray of float32
            Shape ``geometry.shape``, in the window's order; 0 where the window leaves the grid.
        """
        return _separable(self.order.arranged(values).astype(np.float32, copy=False), self._down)

    def resample_back(self, samples: np.ndarray) -> np.ndarray:
        """Interpolate samples at the native voxels of ``box``.

        Parameters
        ----------
        samples : ndarray
            Shape ``geometry.shape``, in the window's order.

        Returns
        -------
        ndarray of float32
            Shape ``box.shape``, ``(k, j, i)``.
        """
        return self.order.restored(_separable(samples.astype(np.float32), self._up))


# By so much two distances that are the same may differ.
ROUNDING_MM = 1e-3


def distances(grid: Grid, box: Box, ras) -> np.ndarray:
    """Return the distance in mm of each voxel of ``box`` from a point in RAS, float32 of ``box.shape``."""
    offsets = grid.ras_to_ijk(ras)[::-1]
    axes = [
        (np.arange(a, b) - o) * s
        for a, b, o, s in zip(box.start, box.stop, offsets, grid.spacing[::-1], strict=True)
    ]
    k, j, i = np.meshgrid(*axes, indexing="ij", sparse=True)
    return np.sqrt(k**2 + j**2 + i**2).astype(np.float32)


def axial_coordinates(grid: Grid, ras) -> np.ndarray:
    """Return continuous array coordinates, in axial order, of a point in RAS mm."""
    return coordinates_in(grid, grid.axial_order(), ras)


def coordinates_in(grid: Grid, order: AxisOrder, ras) -> np.ndarray:
    """Return continuous array coordinates, in an order, of a point in RAS mm."""
    kji = grid.ras_to_ijk(ras)[::-1]
    return np.array(
        [grid.shape[a] - 1 - kji[a] if f else kji[a] for a, f in zip(order.axes, order.flips, strict=True)]
    )


def _separable(values: np.ndarray, matrices: list[np.ndarray]) -> np.ndarray:
    """Apply one matrix along each axis of a volume, within each slice first."""
    slices, rows, columns = matrices
    # Products of matrices, slice by slice: no axis of a whole volume has to be moved in memory.
    within = np.matmul(np.matmul(rows, values), columns.T)
    return np.tensordot(slices, within, axes=1)
