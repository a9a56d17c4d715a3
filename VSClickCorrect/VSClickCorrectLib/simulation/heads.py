"""Heads to put simulated schwannomas into: public images, their tissues and their auditory canals.

Every head is read from a folder of data that is not part of the project, by these relative paths:

=================  ==============================================================================
``tcga-du-7294``   ``heads/tcga-du-7294/stripped-{T1ce,T2}.nii.gz``; glioma, Apache-2.0 repository
``brats-gli``      ``heads/brats-gli-00001/stripped-{T1ce,T2}.nii.gz``; glioma, Apache-2.0 repository
``hanke``          ``heads/hanke/T1.nii.gz``; healthy, head and neck, PDDL
``rorden-stroke``  ``heads/rorden-stroke/{T1,T2}.nii.gz``; left-hemisphere stroke, MIT
``colin27``        optional, ``heads/colin27/{ch2,ch2bet}.nii.gz``: from the Debian package mricron-data
                   (``/usr/share/mricron/templates/``), BSD-3-clause; Holmes et al., J Comput Assist
                   Tomogr 1998, 22:324-333
``mni152``         optional, ``heads/mni152/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz``, an average:
                   from the PyPI package nilearn (``nilearn/datasets/data/``), free use with the notice
                   of the McConnell Brain Imaging Centre; Fonov et al., NeuroImage 2011, 54:313-327
=================  ==============================================================================

The canals were found by eye where the nerves show (colin27, hanke, rorden-stroke). In the images cut to
the brain they are those of colin27 carried over by an affine registration, moved by a few millimetres
toward the brain.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.files import make_folder, write_atomically
from VSClickCorrectLib.imaging.box import Box
from VSClickCorrectLib.imaging.grid import Grid
from VSClickCorrectLib.simulation.head import Canal, Head, Tissue

_CACHE_VERSION = 2
# A neck that reaches further below the canals than this is cut off: no scan of the region shows it.
_BELOW_CANALS_MM = 70.0
_CROP_MARGIN = 4  # voxels


@dataclass(frozen=True)
class _Source:
    """Where a head comes from and what was read off its images.

    ``dark`` and ``bright`` are the limits bone|CSF and CSF|brain as fractions of T1's 99.8th percentile.
    ``canals`` is right porus, right fundus, left porus, left fundus, each RAS mm.
    """

    t1: str
    canals: tuple[tuple[float, float, float], ...]
    dark: float
    bright: float
    t2: str | None = None
    mask: str | None = None  # of the brain, where one comes with the image
    spacing: float = 1.0
    contrast: bool = False
    stripped: bool = True


_SOURCES = {
    "tcga-du-7294": _Source(
        t1="heads/tcga-du-7294/stripped-T1ce.nii.gz",
        t2="heads/tcga-du-7294/stripped-T2.nii.gz",
        contrast=True,
        dark=0.0,
        bright=0.30,
        canals=((-98, 106, 35), (-90, 109.5, 35.5), (-144, 104, 35.8), (-152.5, 107.5, 36.5)),
    ),
    "brats-gli": _Source(
        t1="heads/brats-gli-00001/stripped-T1ce.nii.gz",
        t2="heads/brats-gli-00001/stripped-T2.nii.gz",
        contrast=True,
        dark=0.0,
        bright=0.23,
        canals=((-93, 108, 35), (-84.5, 111.5, 36), (-142.5, 107, 35.5), (-151, 110.5, 36.3)),
    ),
    "hanke": _Source(
        t1="heads/hanke/T1.nii.gz",
        spacing=0.8,
        stripped=False,
        dark=0.08,
        bright=0.32,
        canals=((24.5, 8.5, -44), (34, 11.5, -43.5), (-27, 7, -43), (-36, 8.8, -42)),
    ),
    "rorden-stroke": _Source(
        t1="heads/rorden-stroke/T1.nii.gz",
        t2="heads/rorden-stroke/T2.nii.gz",
        dark=0.0,
        bright=0.30,
        canals=((22, -21.3, -29.1), (29, -19.4, -29.3), (-21.5, -22.5, -25), (-29.5, -19, -24.2)),
    ),
    "colin27": _Source(
        t1="heads/colin27/ch2.nii.gz",
        mask="heads/colin27/ch2bet.nii.gz",
        stripped=False,
        dark=0.125,
        bright=0.26,
        canals=((31, -24.5, -40.5), (40, -22, -40), (-28.5, -25.5, -40.5), (-38, -21.5, -40)),
    ),
    "mni152": _Source(
        t1="heads/mni152/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz",
        dark=0.0,
        bright=0.55,
        canals=((28, -27.5, -40), (37, -24.5, -40), (-28, -27.5, -40), (-37, -24.5, -40)),
    ),
}
HEAD_NAMES = tuple(_SOURCES)


def load_heads(data_folder: Path, cache: Path | None = None) -> list[Head]:
    """Load every head whose files are found.

    Parameters
    ----------
    data_folder : Path
        Folder that holds ``heads``, see the module's table.
    cache : Path, optional
        Folder in which prepared heads are kept and looked for.

    Raises
    ------
    ImageError
        If there is no head at all in ``data_folder``.
    """
    found = [name for name, source in _SOURCES.items() if (Path(data_folder) / source.t1).is_file()]
    if not found:
        raise ImageError(f"there is no known head in {data_folder}; give the folder that holds 'heads'.")
    return [load_head(name, data_folder, cache) for name in found]


def load_head(name: str, data_folder: Path, cache: Path | None = None) -> Head:
    """Load one head, resampled to axes along right, anterior and superior, with its tissues and canals.

    Parameters
    ----------
    name : str
        One of `HEAD_NAMES`.
    data_folder : Path
        Folder that holds ``heads``, see the module's table.
    cache : Path, optional
        Folder in which prepared heads are kept and looked for.

    Raises
    ------
    ImageError
        If the name is unknown, a file is missing or its image is empty.
    """
    if name not in _SOURCES:
        raise ImageError(f"there is no head called '{name}'; the heads are {', '.join(HEAD_NAMES)}.")
    kept = None if cache is None else Path(cache) / f"head-{name}-{_CACHE_VERSION}.npz"
    if kept is not None and kept.is_file():
        return _read_cache(name, kept)
    head = _prepare(name, Path(data_folder))
    if kept is not None:
        _write_cache(head, kept)
    return head


def _prepare(name: str, folder: Path) -> Head:
    source = _SOURCES[name]
    t1, grid = _read_aligned(folder / source.t1, source)
    # The second sequence is laid onto the first one's grid, whatever its own.
    t2 = None if source.t2 is None else _normalised(_read_onto(folder / source.t2, grid))
    t1 = _normalised(t1)
    if source.stripped:
        tissue = _stripped_tissue(t1, t2, source)
    else:
        brain = None if source.mask is None else _read_onto(folder / source.mask, grid) > 0
        tissue = _whole_tissue(t1, brain, source)
    if t2 is None:
        t2 = _synthetic_t2(t1, tissue, source)
    extent = Box.of_array(tissue)
    if extent is None:
        raise ImageError(f"the file {folder / source.t1} shows no head; fetch it again.")
    box = extent.padded(_CROP_MARGIN).clipped(grid.shape)
    return Head(
        name=name,
        grid=grid.cropped(box),
        t1=np.ascontiguousarray(t1[box.slices]),
        t2=np.ascontiguousarray(t2[box.slices]),
        tissue=np.ascontiguousarray(tissue[box.slices]),
        canals=_canals(source.canals),
        contrast=source.contrast,
    )


def _canals(points) -> dict[str, Canal]:
    points = [tuple(float(v) for v in point) for point in points]
    return {"right": Canal(*points[:2]), "left": Canal(*points[2:])}


def _read_image(path: Path) -> sitk.Image:
    if not path.is_file():
        raise ImageError(f"the file {path} is missing; put it there or choose another head.")
    return sitk.ReadImage(str(path), sitk.sitkFloat32)


def _read_aligned(path: Path, source: _Source) -> tuple[np.ndarray, Grid]:
    """Read an image onto isotropic voxels whose axes run to left, posterior and superior."""
    image = _read_image(path)
    size = np.array(image.GetSize())
    ends = [
        image.TransformContinuousIndexToPhysicalPoint([float(v) for v in np.where(bits, size - 1, 0)])
        for bits in np.ndindex(2, 2, 2)
    ]
    low, high = np.min(ends, axis=0), np.max(ends, axis=0)
    low[2] = max(low[2], min(point[2] for point in source.canals) - _BELOW_CANALS_MM)
    count = np.ceil((high - low) / source.spacing).astype(int) + 1
    grid = Grid.from_lps(count[::-1], [source.spacing] * 3, low, np.eye(3).ravel())
    return _resampled(image, grid), grid


def _read_onto(path: Path, grid: Grid) -> np.ndarray:
    return _resampled(_read_image(path), grid)


def _resampled(image: sitk.Image, grid: Grid) -> np.ndarray:
    affine = grid.affine_lps
    spacing = grid.spacing
    result = sitk.Resample(
        image,
        [int(n) for n in grid.shape[::-1]],
        sitk.Transform(),
        sitk.sitkLinear,
        affine[:3, 3].tolist(),
        spacing.tolist(),
        (affine[:3, :3] / spacing).ravel().tolist(),
        0.0,
        sitk.sitkFloat32,
    )
    return sitk.GetArrayFromImage(result)


def _normalised(array: np.ndarray) -> np.ndarray:
    """Scale to 0..1, where 1 is the 99.8th percentile of what is brighter than the air around the head."""
    head = array[array > 0.1 * np.percentile(array, 99)]
    if head.size == 0:
        raise ImageError("an image of the head is empty; fetch its file again.")
    return np.clip(array / np.percentile(head, 99.8), 0, 1).astype(np.float32)


def _stripped_tissue(t1: np.ndarray, t2: np.ndarray | None, source: _Source) -> np.ndarray:
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


def _whole_tissue(t1: np.ndarray, mask: np.ndarray | None, source: _Source) -> np.ndarray:
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


def _fluid(t1: np.ndarray, brain: np.ndarray, source: _Source) -> np.ndarray:
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


def _synthetic_t2(t1: np.ndarray, tissue: np.ndarray, source: _Source) -> np.ndarray:
    """Make a T2 of a T1: within the skull contrast runs the other way, outside it is damped."""
    inside = (tissue == Tissue.CSF) | (tissue == Tissue.BRAIN)
    white = np.percentile(t1[tissue == Tissue.BRAIN], 80)
    # In the skull T2 falls as T1 rises from fluid through grey to white matter, partial volumes included.
    levels = [0.0, 0.6 * source.bright, source.bright, 0.85 * white, white, 1.0]
    within = np.interp(t1, levels, [1.0, 0.92, 0.72, 0.47, 0.33, 0.15])
    weight = ndimage.gaussian_filter(inside.astype(np.float32), 0.6)
    return (weight * within + (1 - weight) * 0.55 * t1).astype(np.float32)


def _write_cache(head: Head, path: Path) -> None:
    make_folder(path.parent)
    canals = [[head.canals[side].porus_ras, head.canals[side].fundus_ras] for side in ("right", "left")]
    arrays = {
        "affine": head.grid.affine,
        "t1": head.t1,
        "t2": head.t2,
        "tissue": head.tissue,
        "canals": np.array(canals),
        "contrast": np.array(head.contrast),
    }
    write_atomically(path, lambda temporary: np.savez(temporary, **arrays))


def _read_cache(name: str, path: Path) -> Head:
    with np.load(path, allow_pickle=False) as kept:
        return Head(
            name=name,
            grid=Grid(kept["t1"].shape, kept["affine"]),
            t1=kept["t1"],
            t2=kept["t2"],
            tissue=kept["tissue"],
            canals=_canals(kept["canals"].reshape(4, 3)),
            contrast=bool(kept["contrast"]),
        )
