"""The tissues of a head, from its images by thresholds and morphology."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from VSClickCorrectResearch.simulation.head import Tissue
from VSClickCorrectResearch.simulation.head_sources import HeadSource


def stripped_tissue(t1: np.ndarray, t2: np.ndarray | None, source: HeadSource) -> np.ndarray:
    """Split what is left of a head cut to the brain into brain and CSF."""
    inside = ndimage.binary_fill_holes(t1 > 0.02)
    if t2 is None:
        fluid = t1 < source.bright
    else:
        # In T2 the CSF is much brighter than the brain; T1 keeps out vessels, which are bright there.
        fluid = (t2 > 1.6 * np.median(t2[inside])) & (t1 < 1.05 * np.median(t1[inside]))
    tissue = np.where(inside, np.uint8(Tissue.BRAIN), np.uint8(Tissue.BACKGROUND))
    tissue[inside & fluid] = Tissue.CSF
    return tissue


def whole_tissue(t1: np.ndarray, mask: np.ndarray | None, source: HeadSource) -> np.ndarray:
    """Segment a whole head from its T1 by thresholds and morphology."""
    spacing = source.spacing
    smooth = ndimage.gaussian_filter(t1, 0.7 / spacing)
    bright = smooth > source.bright
    # A mask that comes with an image is cut tight: the rim of the brain is outside it.
    brain = _brain(bright, spacing) if mask is None else (_distance(mask) <= 1.5 / spacing) & bright
    head = ndimage.binary_fill_holes(_closed(_largest(smooth > 1.3 * source.dark), 7.0 / spacing))
    tissue = np.where(head, np.uint8(Tissue.BONE), np.uint8(Tissue.BACKGROUND))
    tissue[head & (smooth > 1.3 * source.dark)] = Tissue.SOFT
    tissue[_fluid(t1, brain, source) & ~bright] = Tissue.CSF
    tissue[brain] = Tissue.BRAIN
    return tissue


def whole_tissue_by_t2(t1: np.ndarray | None, t2: np.ndarray, source: HeadSource) -> np.ndarray:
    """Segment a whole head by its T2, where fluid shows; by T1 too, where there is one, for the bone."""
    spacing = source.spacing
    smooth = ndimage.gaussian_filter(t2 if t1 is None else t1, 0.7 / spacing)
    fluid = ndimage.gaussian_filter(t2, 0.5 / spacing) > source.fluid
    solid = smooth > (source.dark if t1 is None else source.bright)
    if t1 is not None:
        fluid &= ~solid  # fat is bright in both
    inside = _brain(fluid | solid, spacing)
    lit = (smooth > 1.3 * source.dark) | fluid
    # Slice by slice: a field of view that ends in the head leaves the skull open above and below.
    head = np.stack([ndimage.binary_fill_holes(plane) for plane in _closed(_largest(lit), 7.0 / spacing)])
    tissue = np.where(head, np.uint8(Tissue.BONE), np.uint8(Tissue.BACKGROUND))
    tissue[head & lit] = Tissue.SOFT
    tissue[inside] = Tissue.BRAIN
    tissue[inside & (fluid | ~solid)] = Tissue.CSF
    return tissue


def _fluid(t1: np.ndarray, brain: np.ndarray, source: HeadSource) -> np.ndarray:
    """Find the CSF, whose intensity is between bone and brain, in the sulci and the basal cisterns."""
    spacing = source.spacing
    # The rim of a convex surface is in no closing.
    sulci = _closed(brain, 4.0 / spacing) | (_distance(brain) <= 2.0 / spacing)
    # A wide closing bridges from the pons to the temporal lobes; it takes in bone too, and the smoothing
    # is what tells that from fluid in spite of the noise. Half the resolution is enough for such a ball.
    coarse = _closed(brain[::2, ::2, ::2], 15.0 / spacing)
    k, j, i = brain.shape
    cisterns = coarse.repeat(2, 0).repeat(2, 1).repeat(2, 2)[:k, :j, :i]
    filled = ndimage.gaussian_filter(t1, 1.2 / spacing) > source.dark
    wet = ndimage.binary_opening(cisterns & filled & ~brain, iterations=1) | (sulci & filled)
    return _largest(wet | brain) & ~brain


def _brain(bright: np.ndarray, spacing: float) -> np.ndarray:
    """Free the brain from scalp and marrow: erode, take the largest piece, grow it back."""
    core = _largest(_distance(bright) < -2.3 / spacing)
    grown = _distance(core) <= 4.5 / spacing
    return _largest(ndimage.binary_fill_holes(bright & grown))


def _largest(mask: np.ndarray) -> np.ndarray:
    labels, _ = ndimage.label(mask)
    return labels == np.bincount(labels[labels > 0]).argmax()


def _closed(mask: np.ndarray, radius: float) -> np.ndarray:
    """Close ``mask`` by a ball of ``radius`` voxels, by distances: quick for large balls."""
    pad = int(np.ceil(radius)) + 1
    grown = _distance(np.pad(mask, pad)) <= radius
    # Half a voxel of slack: inside, distances are counted from the outermost voxels of the mask itself.
    closed = _distance(grown) < 0.5 - radius
    return closed[pad:-pad, pad:-pad, pad:-pad] | mask


def _distance(mask: np.ndarray) -> np.ndarray:
    """Return the distance in voxels to the border of ``mask``, negative inside."""
    image = sitk.GetImageFromArray(mask.astype(np.uint8))
    return sitk.GetArrayFromImage(
        sitk.SignedMaurerDistanceMap(image, squaredDistance=False, useImageSpacing=False)
    )


def synthetic_t2(t1: np.ndarray, tissue: np.ndarray, source: HeadSource) -> np.ndarray:
    """Make a T2 of a T1: within the skull contrast runs the other way, outside it is damped."""
    inside = (tissue == Tissue.CSF) | (tissue == Tissue.BRAIN)
    white = np.percentile(t1[tissue == Tissue.BRAIN], 80)
    # In the skull T2 falls as T1 rises from fluid through grey to white matter, partial volumes included.
    levels = [0.0, 0.6 * source.bright, source.bright, 0.85 * white, white, 1.0]
    within = np.interp(t1, levels, [1.0, 0.92, 0.72, 0.47, 0.33, 0.15])
    weight = ndimage.gaussian_filter(inside.astype(np.float32), 0.6)
    return (weight * within + (1 - weight) * 0.55 * t1).astype(np.float32)


def synthetic_t1(t2: np.ndarray, tissue: np.ndarray, source: HeadSource) -> np.ndarray:
    """Make a T1 of a T2: within the brain contrast runs the other way, outside the skull it is damped."""
    brain, fluid = ((tissue == kind).astype(np.float32) for kind in (Tissue.BRAIN, Tissue.CSF))
    # Partial volumes of bone and fluid look like brain in T2; by their tissue they are told apart.
    brain, fluid = (ndimage.gaussian_filter(share, 0.6) for share in (brain, fluid))
    white, gray = np.percentile(t2[tissue == Tissue.BRAIN], (20, 75))
    levels = [0.6 * white, white, gray, source.fluid, 1.0]
    within = np.interp(t2, levels, [0.62, 0.57, 0.42, 0.25, 0.15])
    wet = 0.14 + 0.08 * (1 - t2)
    return (brain * within + fluid * wet + (1 - brain - fluid) * 0.8 * t2).astype(np.float32)
