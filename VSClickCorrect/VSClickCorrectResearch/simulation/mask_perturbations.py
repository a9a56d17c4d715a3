"""Simulated errors: masks spoiled as an automatic segmentation spoils them (thesis section 4.5.2.2)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import ndimage
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import index3

# Share of masks that stay as they are, so that a corrector learns to leave what is right (section 4.5.2.2).
UNCHANGED = 0.2
_MARGIN_MM = 12.0

Perturbation = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]


def signed_distance(mask: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Return the distance in mm to the mask's border, negative inside, float32.

    Parameters
    ----------
    mask : ndarray of bool
        ``(K, J, I)``, neither empty nor full.
    spacing : (3,) array
        Voxel size in mm in array order ``(k, j, i)``.
    """
    outside = ndimage.distance_transform_edt(~mask, sampling=spacing)
    inside = ndimage.distance_transform_edt(mask, sampling=spacing)
    return (outside - inside).astype(np.float32)


def grow_or_shrink(mask: np.ndarray, spacing: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Dilate or erode the whole mask by 0.5 to 2.5 mm, less on small masks (the thesis's two errors)."""
    distance = signed_distance(mask, spacing)
    by = rng.uniform(0.5, 2.5)
    if rng.random() < 0.5:
        return distance < by
    return distance < -min(by, 0.6 * float(-distance.min()))


def uneven_border(mask: np.ndarray, spacing: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Move the border in and out by a smooth random field: here too large, there too small."""
    distance = signed_distance(mask, spacing)
    scale = rng.uniform(3.0, 8.0)
    noise = ndimage.gaussian_filter(rng.standard_normal(mask.shape), scale / spacing).astype(np.float32)
    amplitude = min(rng.uniform(0.8, 3.0), 1.2 * float(-distance.min()))
    return distance < amplitude * noise / max(1e-6, noise.std())


def shifted(mask: np.ndarray, spacing: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shift the mask by up to 2.5 mm."""
    offset = rng.normal(size=3)
    offset *= rng.uniform(0.5, 2.5) / np.linalg.norm(offset)
    steps = np.round(offset / spacing).astype(int)
    # What leaves the array on one side must not come back in on the other.
    width = int(np.abs(steps).max())
    moved = np.roll(np.pad(mask, width), steps, axis=(0, 1, 2))
    return moved[tuple(slice(width, width + n) for n in mask.shape)]


def slices_missing(mask: np.ndarray, spacing: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lose slices at either end of the mask, up to a third of its depth.

    Slices lie across the side by which voxels are by far the thickest, else they are the array's first axis.
    """
    across = Grid(mask.shape, np.diag([*spacing[::-1], 1.0])).slice_order().axes[0]
    spoiled = mask.copy()
    slices = np.moveaxis(spoiled, across, 0)
    hits = np.flatnonzero(slices.any(axis=(1, 2)))
    lost = int(rng.integers(1, max(2, hits.size // 3 + 1)))
    slices[hits[:lost] if rng.random() < 0.5 else hits[-lost:]] = False
    return spoiled


def lobe(mask: np.ndarray, spacing: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lose or add a ball at the mask's border."""
    distance = np.abs(signed_distance(mask, spacing))
    # On coarse grids no voxel lies within a millimetre of the border: then the nearest ones do.
    border = np.argwhere(distance < max(1.0, 1.001 * float(distance.min())))
    center = border[rng.integers(len(border))]
    coordinates: tuple[np.ndarray, ...] = np.indices(mask.shape, sparse=True)
    squared = sum(((c - n) * s) ** 2 for c, n, s in zip(coordinates, center, spacing, strict=True))
    ball = squared < rng.uniform(2.5, 7.0) ** 2
    return mask & ~ball if rng.random() < 0.6 else mask | ball


SPOILERS: tuple[Perturbation, ...] = (grow_or_shrink, uneven_border, shifted, slices_missing, lobe)


def perturb_mask(mask: np.ndarray, spacing: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a mask with one to three simulated errors, or with none at a chance of `UNCHANGED`.

    Parameters
    ----------
    mask : ndarray of bool
        The true mask, ``(K, J, I)``.
    spacing : (3,) array
        Voxel size in mm in array order ``(k, j, i)``.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    ndarray of bool
        Never empty: an error that would lose the whole tumour is left out.
    """
    if rng.random() < UNCHANGED:
        return mask.copy()
    spoiled = mask
    for n in rng.permutation(len(SPOILERS))[: rng.integers(1, 4)]:
        attempt = SPOILERS[n](spoiled, spacing, rng)
        if attempt.any():
            spoiled = attempt
    return spoiled.copy()


def spoiled(grid: Grid, truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a spoiled copy of a mask, see `spoil`; only the tumour's surroundings are looked at.

    Parameters
    ----------
    grid : Grid
        Where the mask lies.
    truth : ndarray of bool
        The true mask, ``(K, J, I)``, not empty.
    rng : numpy.random.Generator
        Source of chance.
    """
    margin = index3(np.ceil(_MARGIN_MM / grid.spacing[::-1]))
    box = Box.around(truth).padded(margin).clipped(grid.shape)
    result = np.zeros_like(truth)
    result[box.slices] = perturb_mask(truth[box.slices], grid.spacing[::-1], rng)
    return result
