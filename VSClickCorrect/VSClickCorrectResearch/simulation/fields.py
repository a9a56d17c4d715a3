"""Smooth random fields and simple solids on axis-aligned voxel lattices, the simulator's drawing tools."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.interpolate import CubicSpline
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import Index3, Slices3, triple


@dataclass(frozen=True, eq=False)
class Lattice:
    """Coordinates of an axis-aligned grid, broadcastable so that no array of positions is stored.

    Parameters
    ----------
    x, y, z : ndarray of float32
        RAS mm of the voxel centres along i, j and k.
    """

    x: np.ndarray
    y: np.ndarray
    z: np.ndarray

    @classmethod
    def of_grid(cls, grid: Grid) -> Lattice:
        """Return the lattice of a grid whose affine is diagonal but for the origin."""
        step, origin = np.diag(grid.affine)[:3], grid.affine[:3, 3]
        axes = (origin[a] + step[a] * np.arange(n) for a, n in enumerate(grid.shape[::-1]))
        return cls(*(axis.astype(np.float32) for axis in axes))

    @property
    def spacing(self) -> float:
        """Largest distance between neighbours, mm."""
        return max(float(abs(axis[1] - axis[0])) for axis in (self.x, self.y, self.z))

    def window(self, low: np.ndarray, high: np.ndarray) -> Slices3:
        """Return the ``(k, j, i)`` slices between two corners, RAS mm; empty if no voxel lies there."""
        slices: list[slice] = []
        for axis, a, b in zip((self.x, self.y, self.z), low, high, strict=True):
            hits = np.flatnonzero((axis >= a) & (axis <= b))
            slices.append(slice(int(hits[0]), int(hits[-1]) + 1) if hits.size else slice(0, 0))
        return triple(slices[::-1])

    def offsets(self, window: Slices3, center: np.ndarray) -> list[np.ndarray]:
        """Return broadcastable x, y and z of a window relative to ``center``, mm."""
        k, j, i = window
        return [
            (self.x[i] - np.float32(center[0]))[None, None, :],
            (self.y[j] - np.float32(center[1]))[None, :, None],
            (self.z[k] - np.float32(center[2]))[:, None, None],
        ]


def ellipsoid(
    lattice: Lattice, center, radii, rotation: np.ndarray | None = None, margin: float = 1.0
) -> tuple[Slices3, np.ndarray]:
    """Return a window and the approximate signed distance (mm, negative inside) to an ellipsoid in it.

    Parameters
    ----------
    lattice : Lattice
        Where.
    center, radii : sequence of 3 float
        RAS mm, and mm along the ellipsoid's own axes.
    rotation : (3, 3) ndarray, optional
        Columns are the ellipsoid's axes in RAS.
    margin : float
        mm around the ellipsoid that the window covers too.
    """
    center, radii = np.asarray(center, float), np.asarray(radii, float)
    axes = np.eye(3) if rotation is None else rotation
    reach = np.sqrt(((axes * radii) ** 2).sum(axis=1)) + margin
    window = lattice.window(center - reach, center + reach)
    offsets = lattice.offsets(window, center)
    squared = np.zeros(1, np.float32)
    for n in range(3):
        terms = [np.float32(axes[a, n] / radii[n]) * offsets[a] for a in range(3) if axes[a, n] != 0]
        squared = squared + sum(terms[1:], terms[0]) ** 2
    return window, (np.sqrt(squared) - 1) * np.float32(np.exp(np.log(radii).mean()))


def smooth_path(points, step: float) -> np.ndarray:
    """Return points about ``step`` mm apart on a smooth curve through ``points``, shape (n, 3)."""
    points = np.asarray(points, float)
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    return CubicSpline(along, points)(np.linspace(0, along[-1], max(2, int(along[-1] / step) + 1)))


def tube(lattice: Lattice, path: np.ndarray, radius: float) -> Iterator[tuple[Slices3, np.ndarray]]:
    """Yield, for every piece of a path, a window and the signed distance (mm) to the tube around it."""
    reach = radius + lattice.spacing
    for a, b in zip(path[:-1], path[1:], strict=True):
        window = lattice.window(np.minimum(a, b) - reach, np.maximum(a, b) + reach)
        offsets, d = lattice.offsets(window, a), (b - a).astype(np.float32)
        along = np.clip(sum(o * c for o, c in zip(offsets, d, strict=True)) / max(float(d @ d), 1e-6), 0, 1)
        squared = sum((o - along * c) ** 2 for o, c in zip(offsets, d, strict=True))
        yield window, np.sqrt(squared) - np.float32(radius)


def coverage(distance: np.ndarray, width: float) -> np.ndarray:
    """Return the share (0..1) of a voxel ``width`` mm wide that lies inside, from its centre's distance."""
    return np.clip(0.5 - distance / width, 0, 1)


def noise_block(rng: np.random.Generator, size: int, correlation: float) -> np.ndarray:
    """Return a cube of smooth noise, mean 0 and standard deviation 1, that continues itself periodically.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    size : int
        Edge length in samples.
    correlation : float
        Standard deviation of the smoothing, in samples.
    """
    block = rng.standard_normal((size,) * 3, dtype=np.float32)
    block = ndimage.gaussian_filter(block, correlation, mode="wrap", truncate=3)
    return (block - block.mean()) / block.std()


def tiled(block: np.ndarray, shape: Index3, window: Slices3 | None = None) -> np.ndarray:
    """Return periodic noise over an array of ``shape``, or over a window of it."""
    ranges = [np.arange(n) for n in shape]
    if window is not None:
        ranges = [r[s] for r, s in zip(ranges, window, strict=True)]
    return block[np.ix_(*(r % block.shape[0] for r in ranges))]


def sample_noise(block: np.ndarray, points: np.ndarray, pitch: float) -> np.ndarray:
    """Return periodic noise at positions.

    Parameters
    ----------
    block : ndarray
        From `noise_block`.
    points : ndarray, shape (3, ...)
        Positions, mm.
    pitch : float
        Distance between the block's samples, mm.
    """
    return ndimage.map_coordinates(block, points / pitch, order=1, mode="grid-wrap")


def rotation_matrix(axis: np.ndarray, degrees: float) -> np.ndarray:
    """Return the (3, 3) rotation by ``degrees`` around a unit ``axis``."""
    a, angle = np.asarray(axis, float), np.deg2rad(degrees)
    cross = np.array([[0, -a[2], a[1]], [a[2], 0, -a[0]], [-a[1], a[0], 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def random_rotation(rng: np.random.Generator, degrees: float) -> np.ndarray:
    """Return a rotation around a random axis by a normally distributed angle of that standard deviation."""
    axis = rng.standard_normal(3)
    return rotation_matrix(
        axis / np.linalg.norm(axis), float(np.clip(rng.standard_normal(), -2, 2)) * degrees
    )
