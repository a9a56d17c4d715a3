"""What the scanner does: geometry, blurring, bias field, contrast, noise and scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import Index3, Point3, index3, triple

from VSClickCorrectResearch.simulation.fields import rotation_matrix

# RAS directions of columns (i), rows (j) and slices (k) as scanners store them.
_DIRECTIONS = {
    "axial": np.array([[-1, 0, 0], [0, -1, 0], [0, 0, 1]], float).T,
    "sagittal": np.array([[0, -1, 0], [0, 0, -1], [1, 0, 0]], float).T,
    "coronal": np.array([[-1, 0, 0], [0, 0, -1], [0, -1, 0]], float).T,
}
ORIENTATIONS = tuple(_DIRECTIONS)


@dataclass(frozen=True)
class Region:
    """Part of the field of view to render.

    Parameters
    ----------
    center_ras : tuple of float or None
        Its middle, RAS mm; None stands for the tumour's, or the porus where there is none.
    size_mm : tuple of float
        Extent along the patient's right, anterior and superior axes, mm.
    """

    center_ras: Point3 | None
    size_mm: Point3


@dataclass(frozen=True)
class Acquisition:
    """How a case is scanned.

    Parameters
    ----------
    spacing : tuple of float
        Voxel size ``(i, j, k)`` in mm.
    matrix : tuple of int
        Columns, rows and slices.
    orientation : {"axial", "sagittal", "coronal"}
        How slices lie.
    angles_deg : tuple of float
        Rotation of the slices around the R, A and S axis, degrees.
    blur : float
        Standard deviation of the point spread in the slice, in voxels; across slices the signal is
        averaged over the slice.
    noise : float
        Standard deviation of the noise, as a share of the brightest signal.
    bias : float
        Strength of the bias field, as the log ratio between bright and dark places.
    gamma_t1, gamma_t2 : float
        Exponents of the contrast remapping.
    scale : float
        Intensity of the signal 1.
    shift_mm : float
        Largest misregistration of T2 along each axis, mm.
    """

    spacing: Point3
    matrix: Index3
    orientation: str = "axial"
    angles_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    blur: float = 0.5
    noise: float = 0.02
    bias: float = 0.2
    gamma_t1: float = 1.0
    gamma_t2: float = 1.0
    scale: float = 1000.0
    shift_mm: float = 0.4

    def grid(self, center_ras, region: Region | None = None) -> Grid:
        """Return the native grid centred on a point, or the part of it that covers a region.

        Parameters
        ----------
        center_ras : sequence of 3 float
            Middle of the field of view, RAS mm.
        region : Region, optional
            Only voxels of this box, still those of the full grid.
        """
        turn = np.eye(3)
        for axis, angle in zip(np.eye(3), self.angles_deg, strict=True):
            turn = rotation_matrix(axis, angle) @ turn
        affine = np.eye(4)
        affine[:3, :3] = turn @ _DIRECTIONS[self.orientation] * np.array(self.spacing)
        affine[:3, 3] = np.asarray(center_ras) - affine[:3, :3] @ ((np.array(self.matrix) - 1) / 2)
        full = Grid(self.matrix[::-1], affine)
        return full if region is None else full.cropped(_cover(full, region))


def _cover(full: Grid, region: Region) -> Box:
    center = full.ras_to_ijk(region.center_ras)
    # The region's size counts along the grid's axis nearest to each patient axis.
    nearest = np.abs(full.affine[:3, :3] / full.spacing).argmax(axis=0)
    half = np.array(region.size_mm)[nearest] / 2 / full.spacing
    start, stop = np.floor(center - half)[::-1].astype(int), np.ceil(center + half)[::-1].astype(int)
    return Box(index3(start), index3(stop)).clipped(full.shape)


_CURVE_SAMPLES = 4096  # finer than the noise

# Columns x rows, in-plane mm and slice mm of T1ce and T2 series in use for vestibular schwannoma.
_PROTOCOLS = (
    (512, 0.41, 1.5),
    (448, 0.5, 1.5),
    (384, 0.5, 1.5),
    (384, 0.6, 1.0),
    (320, 0.7, 2.0),
    (256, 0.8, 3.0),
)
_PROTOCOL_SHARES = (0.35, 0.2, 0.2, 0.1, 0.1, 0.05)


def random_acquisition(rng: np.random.Generator) -> Acquisition:
    """Return an acquisition such as routine scans have: 0.4 to 0.8 mm in the slice, slices of 1 to 3 mm."""
    matrix, inplane, slices = _PROTOCOLS[rng.choice(len(_PROTOCOLS), p=_PROTOCOL_SHARES)]
    return Acquisition(
        spacing=(inplane, inplane, slices),
        matrix=(matrix, matrix, int(round(180 / slices))),
        angles_deg=triple(map(float, np.clip(rng.normal(0, (5.0, 2.5, 2.5)), -10, 10))),
        blur=float(rng.uniform(0.35, 0.95)),
        noise=float(np.exp(rng.uniform(np.log(0.008), np.log(0.05)))),
        bias=float(rng.uniform(0.0, 0.4)),
        gamma_t1=float(np.exp(rng.normal(0, 0.15))),
        gamma_t2=float(np.exp(rng.normal(0, 0.2))),
        scale=float(np.exp(rng.uniform(np.log(300), np.log(4000)))),
        shift_mm=float(rng.choice([0.0, 0.35, 0.7])),
    )


DEMO_ACQUISITION = Acquisition(spacing=(0.8, 0.8, 1.5), matrix=(256, 272, 64), angles_deg=(3.0, 1.0, -2.0))


def remapped(rng: np.random.Generator, signal: np.ndarray, gamma: float) -> np.ndarray:
    """Return ``signal`` (0..about 1.3) through a random smooth increasing curve that keeps 0 at 0."""
    knots = np.linspace(0, 1.5, 7)
    steps = np.diff(knots**gamma) * np.exp(rng.normal(0, 0.12, 6))
    values = np.concatenate([[0], np.cumsum(steps)])
    values /= np.interp(1.0, knots, values)
    fine = np.linspace(0, 1.5, _CURVE_SAMPLES)
    curve = ndimage.gaussian_filter1d(np.interp(fine, knots, values), 120, mode="nearest")
    curve -= curve[0]
    index = np.clip(signal * np.float32(_CURVE_SAMPLES / 1.5), 0, _CURVE_SAMPLES - 1).astype(np.int16)
    return np.take(curve.astype(np.float32), index)


def bias_field(rng: np.random.Generator, grid: Grid, center_ras, strength: float) -> np.ndarray:
    """Return a smooth multiplicative field around 1 over a grid, float32 ``(k, j, i)``.

    It is a function of position, so a region of a case has the field of the whole.
    """
    linear = rng.uniform(-1, 1, 3)
    bend = rng.uniform(-1, 1, 3)
    axes = [np.arange(n, dtype=np.float32) for n in grid.shape[::-1]]
    log = np.zeros(grid.shape, np.float32)
    for a in range(3):
        # Each RAS coordinate is linear in i, j and k: three vectors stand for the array.
        parts = [np.float32(grid.affine[a, n] / 90) * axes[n] for n in range(3)]
        coordinate = (parts[0][None, None, :] + parts[1][None, :, None]) + parts[2][:, None, None]
        coordinate += np.float32((grid.affine[a, 3] - center_ras[a]) / 90)
        log += np.float32(linear[a]) * coordinate + np.float32(0.5 * bend[a]) * coordinate**2
    return np.exp(np.float32(strength / 2) * log)


def scanned(rng: np.random.Generator, signal: np.ndarray, acquisition: Acquisition) -> np.ndarray:
    """Return int16 intensities of a signal already at the native resolution: Rician noise and scale.

    Neighbouring noise is slightly correlated, as scanners interpolate.
    """
    real, other = (rng.standard_normal(signal.shape, dtype=np.float32) for _ in range(2))
    sigma = rng.uniform(0.0, 0.7)
    if sigma > 0.3:
        width = (0, sigma, sigma) if acquisition.orientation == "axial" else sigma
        real, other = (
            ndimage.gaussian_filter(n, width, truncate=3) * (1 + 2 * sigma**2) for n in (real, other)
        )
    level = np.float32(acquisition.noise)
    magnitude = np.sqrt((signal + level * real) ** 2 + (level * other) ** 2)
    return np.clip(np.rint(magnitude * np.float32(acquisition.scale)), 0, 32767).astype(np.int16)
