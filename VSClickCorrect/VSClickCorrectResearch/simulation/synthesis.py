"""Synthetic cases: a tumour put into a head, given contrast agent and scanned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import Index3, Point3, index3, point3, triple
from VSClickCorrectLib.geometry.volume import Case, Volume

from VSClickCorrectResearch.simulation.acquisition import (
    DEMO_ACQUISITION,
    Acquisition,
    Region,
    bias_field,
    remapped,
    scanned,
)
from VSClickCorrectResearch.simulation.enhancement import Patch, TumourFrame, distract, enhance
from VSClickCorrectResearch.simulation.fields import Lattice
from VSClickCorrectResearch.simulation.head import Head, TumourShape
from VSClickCorrectResearch.simulation.phantom import phantom_head
from VSClickCorrectResearch.simulation.shapes import procedural_shape
from VSClickCorrectResearch.simulation.tumour import Placement, Tumour, place, random_tumour
from VSClickCorrectResearch.simulation.variety import Variety

SIDES = ("right", "left")
# Voxels above this size are rendered at half their size and averaged.
_COARSE_MM = 0.9


@dataclass(frozen=True, eq=False)
class SyntheticCase:
    """A synthetic examination and its truth.

    Parameters
    ----------
    t1ce, t2 : Volume
        int16, on one grid.
    truth : ndarray of bool, shape (k, j, i)
        Voxels at least half filled by tumour.
    fraction : ndarray of float32, shape (k, j, i)
        Share of each voxel that is tumour.
    grid : Grid
        The native grid.
    site_ras : tuple of float or None
        Middle of the tumour, RAS mm; None without a tumour.
    side : str
        ``"right"`` or ``"left"``.
    """

    t1ce: Volume
    t2: Volume
    truth: np.ndarray
    fraction: np.ndarray
    grid: Grid
    site_ras: Point3 | None
    side: str

    @property
    def case(self) -> Case:
        """Both sequences as the product takes them."""
        return Case(self.t1ce, self.t2)


def synthesize(
    head: Head,
    shape: TumourShape | None,
    side: str,
    rng: np.random.Generator,
    acquisition: Acquisition,
    region: Region | None = None,
    variety: Variety | None = None,
) -> SyntheticCase:
    """Put a tumour into a head and scan it.

    Parameters
    ----------
    head : Head
        The background; it is not changed.
    shape : TumourShape or None
        A right-sided tumour, mirrored for the left; None for a head without one.
    side : {"right", "left"}
        The patient's side.
    rng : numpy.random.Generator
        Source of all randomness. The anatomy and the tumour of a state are the same whatever the
        acquisition and the region.
    acquisition : Acquisition
        Geometry and quality of the scan.
    region : Region, optional
        Render only this part of the field of view; its middle is moved to the tumour's site where
        ``center_ras`` is None.

    Returns
    -------
    SyntheticCase

    Raises
    ------
    ImageError
        If the side has another name or the region lies outside the field of view.
    """
    if side not in SIDES:
        raise ImageError(f"there is no side {side!r}; choose right or left.")
    placing, anatomy, looks, scanner = (np.random.default_rng(int(s)) for s in rng.integers(2**62, size=4))
    placement = None if shape is None else place(shape, head.canals[side], side, placing)
    region = _placed(region, placement, head, side)
    grid = acquisition.grid(_middle(head), region)
    if 0 in grid.shape:
        raise ImageError("the region to render lies outside the field of view; choose one inside the head.")
    factors = triple(2 if s > _COARSE_MM else 1 for s in grid.spacing)
    fine = _refined(grid, factors)
    patch = _patch(head, fine)
    frame = TumourFrame.of_head(head)
    if not head.contrast:
        enhance(anatomy, patch, frame)
    distract(anatomy, patch, frame, head)
    tumours = [] if placement is None else [random_tumour(looks, placement, head)]
    if variety is not None:
        variety.change(anatomy, patch, frame, head, side)
        tumours = variety.tumours(looks, placement, head, side)
    t1, t2, fraction = _rendered(patch, fine, tumours)
    fraction = _averaged(fraction, factors)
    signals = _scan(scanner, (t1, t2), factors, grid, acquisition, _middle(head))
    site = None if placement is None else point3(placement.center_ras)
    t1ce, t2_volume = (Volume(s, grid) for s in signals)
    return SyntheticCase(t1ce, t2_volume, fraction >= 0.5, fraction, grid, site, side)


def _placed(region: Region | None, placement: Placement | None, head: Head, side: str) -> Region | None:
    if region is None or region.center_ras is not None:
        return region
    center = head.canals[side].porus_ras if placement is None else placement.center_ras
    return replace(region, center_ras=point3(center))


def _middle(head: Head) -> np.ndarray:
    """Middle of what is not background, RAS mm; a coarse look is enough."""
    step = 4
    box = Box.of_array(head.tissue[::step, ::step, ::step])
    if box is None:
        return head.grid.center_ras
    return head.grid.index_to_ras((np.array(box.start) + np.array(box.stop) - 1) / 2 * step)


def _refined(grid: Grid, factors: Index3) -> Grid:
    """Split every voxel ``factors`` (i, j, k) times."""
    f = np.array(factors)
    affine = grid.affine.copy()
    affine[:3, :3] = grid.affine[:3, :3] / f
    affine[:3, 3] = grid.ijk_to_ras((1 - f) / (2 * f))
    return Grid(index3(np.array(grid.shape) * f[::-1]), affine)


def _patch(head: Head, grid: Grid) -> Patch:
    """Copy the part of a head that a grid needs, at the head's own resolution."""
    ijk = head.grid.ras_to_ijk(grid.ijk_to_ras(grid.corners_ijk))
    margin = 12.0 / head.grid.spacing
    low = np.floor(ijk.min(axis=0) - margin)[::-1].astype(int)
    high = np.ceil(ijk.max(axis=0) + margin)[::-1].astype(int) + 1
    box = Box(index3(low), index3(high)).clipped(head.grid.shape)
    if min(box.shape) < 2:
        raise ImageError("the region to render lies outside the head; choose one inside it.")
    t1, t2, tissue = (a[box.slices].copy() for a in (head.t1, head.t2, head.tissue))
    return Patch(Lattice.of_grid(head.grid.cropped(box)), t1, t2, tissue)


def _patch_grid(patch: Patch) -> Grid:
    lattice, affine = patch.lattice, np.eye(4)
    for a, axis in enumerate((lattice.x, lattice.y, lattice.z)):
        affine[a, a], affine[a, 3] = float(axis[-1] - axis[0]) / (len(axis) - 1), float(axis[0])
    return Grid(patch.t1.shape, affine)


def _rendered(
    patch: Patch, fine: Grid, tumours: Sequence[Tumour]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sample the head on a grid and put tumours in; return T1, T2 and the tumours' share."""
    source = _patch_grid(patch)
    matrix = np.linalg.inv(source.affine) @ fine.affine  # (i, j, k) of fine -> of source
    swap = matrix[:3, :3][::-1, ::-1]
    offset = matrix[:3, 3][::-1]
    t1, t2 = (
        ndimage.affine_transform(a, swap, offset, output_shape=fine.shape, order=1, mode="constant")
        for a in (patch.t1, patch.t2)
    )
    fraction = np.zeros(fine.shape, np.float32)
    for tumour in tumours:
        own = np.zeros(fine.shape, np.float32)
        tumour.draw(patch, source, fine, t1, t2, own)
        np.maximum(fraction, own, out=fraction)
    return t1, t2, fraction


def _averaged(array: np.ndarray, factors: Index3) -> np.ndarray:
    """Average blocks of ``factors`` (i, j, k) voxels."""
    for axis, factor in zip((2, 1, 0), factors, strict=True):
        if factor > 1:
            shape = (*array.shape[:axis], array.shape[axis] // factor, factor, *array.shape[axis + 1 :])
            array = array.reshape(shape).mean(axis=axis + 1)
    return np.ascontiguousarray(array, dtype=np.float32)


def _scan(rng, signals, factors, grid: Grid, acquisition: Acquisition, center) -> list[np.ndarray]:
    """Remap, blur, average and digitise both sequences, each with a bias field and noise of its own."""
    gammas = (acquisition.gamma_t1, acquisition.gamma_t2)
    shifts = (np.zeros(3), rng.uniform(-1, 1, 3) * acquisition.shift_mm)
    images = []
    for signal, gamma, shift in zip(signals, gammas, shifts, strict=True):
        blur = np.array([0.3 * f for f in factors]) + [
            acquisition.blur * factors[0],
            acquisition.blur * factors[1],
            0,
        ]
        signal = ndimage.gaussian_filter(remapped(rng, signal, gamma), blur[::-1], truncate=3)
        signal = _averaged(signal, factors)
        if shift.any():
            signal = ndimage.shift(signal, shift / grid.spacing[::-1], order=1, mode="nearest")
        signal *= bias_field(rng, grid, center, acquisition.bias)
        images.append(scanned(rng, signal, acquisition))
    return images


def demo_case(seed: int = 0) -> SyntheticCase:
    """Return a whole-head case from no outside data: phantom, procedural tumour, `DEMO_ACQUISITION`.

    One seed, one case, bit for bit.
    """
    rng = np.random.default_rng(seed)
    head, shape = phantom_head(rng), procedural_shape(rng, 1500.0)
    return synthesize(head, shape, SIDES[int(rng.integers(2))], rng, DEMO_ACQUISITION)


def small_case(seed: int = 0, side: str = "right") -> SyntheticCase:
    """Return a small case, about 96 x 96 x 24 voxels around one cerebellopontine angle, in under a second.

    Parameters
    ----------
    seed : int
        One seed, one case, bit for bit.
    side : {"right", "left"}
        The patient's side.
    """
    rng = np.random.default_rng(seed)
    head, shape = phantom_head(rng, spacing=2.0), procedural_shape(rng, 900.0)
    acquisition = replace(DEMO_ACQUISITION, matrix=(280, 280, 120))
    return synthesize(head, shape, side, rng, acquisition, Region(None, (76.0, 76.0, 36.0)))
