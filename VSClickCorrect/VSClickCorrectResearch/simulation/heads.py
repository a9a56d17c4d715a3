"""Heads to put simulated schwannomas into, read from a folder of data: see `head_sources`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import point3
from VSClickCorrectLib.io.images import read_volume
from VSClickCorrectLib.io.one_grid import image_of

from VSClickCorrectResearch.simulation.head import Canal, Head
from VSClickCorrectResearch.simulation.head_sources import HEAD_NAMES, SOURCES, HeadSource
from VSClickCorrectResearch.simulation.head_tissue import (
    stripped_tissue,
    synthetic_t1,
    synthetic_t2,
    whole_tissue,
    whole_tissue_by_t2,
)
from VSClickCorrectResearch.simulation.kept_arrays import keep_arrays, kept_arrays

_CACHE_VERSION = 3
# A neck that reaches further below the canals than this is cut off: no scan of the region shows it.
_BELOW_CANALS_MM = 70.0
_CROP_MARGIN = 4  # voxels
# Twice what the largest head takes at the finest spacing.
_MAX_VOXELS = 1 << 26


def load_heads(
    data_folder: Path, cache: Path | None = None, names: tuple[str, ...] = HEAD_NAMES
) -> list[Head]:
    """Load those of the named heads whose files are found.

    Parameters
    ----------
    data_folder : Path
        Folder that holds ``heads``, see the table of `head_sources`.
    cache : Path, optional
        Folder in which prepared heads are kept and looked for.
    names : tuple of str
        Some of `HEAD_NAMES`.

    Raises
    ------
    ImageError
        If there is none of them in ``data_folder``.
    """
    found = [name for name in names if (Path(data_folder) / SOURCES[name].files[0]).is_file()]
    if not found:
        raise ImageError(
            f"there is no known head in {data_folder}, none of {', '.join(names)}; "
            "give the folder that holds 'heads'."
        )
    return [load_head(name, data_folder, cache) for name in found]


def load_head(name: str, data_folder: Path, cache: Path | None = None) -> Head:
    """Load one head, resampled to axes along right, anterior and superior, with its tissues and canals.

    Parameters
    ----------
    name : str
        One of `HEAD_NAMES`.
    data_folder : Path
        Folder that holds ``heads``, see the table of `head_sources`.
    cache : Path, optional
        Folder in which prepared heads are kept and looked for; one of other files is prepared anew.

    Raises
    ------
    ImageError
        If the name is unknown, a file is missing or its image is empty.
    """
    if name not in SOURCES:
        raise ImageError(f"there is no head called '{name}'; the heads are {', '.join(HEAD_NAMES)}.")
    kept = None if cache is None else Path(cache) / f"head-{name}-{_CACHE_VERSION}.npz"
    files = [Path(data_folder) / file for file in SOURCES[name].all_files]
    arrays = kept_arrays(kept, files)
    if arrays is not None:
        return _from_arrays(name, arrays)
    head = _prepare(name, Path(data_folder))
    if kept is not None:
        keep_arrays(kept, files, _as_arrays(head), compressed=False)
    return head


def _prepare(name: str, folder: Path) -> Head:
    source = SOURCES[name]
    t1, t2, grid = _read_aligned(folder, source)
    tissue = _tissue(folder, source, t1, t2, grid)
    t1, t2 = _both(t1, t2, tissue, source)
    extent = Box.of_array(tissue)
    if extent is None:
        raise ImageError(f"the file {folder / source.files[0]} shows no head; fetch it again.")
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


def _both(
    t1: np.ndarray | None, t2: np.ndarray | None, tissue: np.ndarray, source: HeadSource
) -> tuple[np.ndarray, np.ndarray]:
    """Return T1 and T2, the missing one made of the other."""
    if t2 is not None:
        return synthetic_t1(t2, tissue, source) if t1 is None else t1, t2
    if t1 is None:
        raise ImageError("a head needs a T1 or a T2; name the file of one.")
    return t1, synthetic_t2(t1, tissue, source)


def _tissue(folder: Path, source: HeadSource, t1, t2, grid: Grid) -> np.ndarray:
    if source.stripped:
        return stripped_tissue(t1, t2, source)
    if t2 is not None:
        return whole_tissue_by_t2(t1, t2, source)
    brain = None if source.mask is None else _resampled(_read_image(folder / source.mask), grid) > 0
    return whole_tissue(t1, brain, source)


def _canals(points) -> dict[str, Canal]:
    ends = [point3(point) for point in points]
    return {"right": Canal(*ends[:2]), "left": Canal(*ends[2:])}


def _read_image(path: Path) -> sitk.Image:
    if not path.is_file():
        raise ImageError(f"the file {path} is missing; put it there or choose another head.")
    volume = read_volume(path)
    return image_of(volume.array.astype(np.float32), volume.grid)


def _read_aligned(folder: Path, source: HeadSource) -> tuple[np.ndarray | None, np.ndarray | None, Grid]:
    """Read T1 and T2 onto isotropic voxels of what both show, axes to left, posterior and superior."""
    images = [None if file is None else _read_image(folder / file) for file in (source.t1, source.t2)]
    ends = [_ends(image) for image in images if image is not None]
    low, high = np.max([e.min(axis=0) for e in ends], axis=0), np.min([e.max(axis=0) for e in ends], axis=0)
    low[2] = max(low[2], min(point[2] for point in source.canals) - _BELOW_CANALS_MM)
    count = np.ceil((high - low) / source.spacing).astype(int) + 1
    if count.prod() > _MAX_VOXELS:
        size = "×".join(f"{e:.0f}" for e in high - low)
        raise ImageError(f"{folder / source.files[0]} is {size} mm large, no head; fetch it again.")
    grid = Grid.from_lps(count[::-1], [source.spacing] * 3, low, np.eye(3).ravel())
    t1, t2 = (
        None if image is None else _normalised(_resampled(image, grid), white)
        for image, white in zip(images, (source.white, 99.8), strict=True)
    )
    return t1, t2, grid


def _ends(image: sitk.Image) -> np.ndarray:
    """Return where an image's corners lie, LPS mm, shape (8, 3)."""
    size = np.array(image.GetSize())
    return np.array(
        [
            image.TransformContinuousIndexToPhysicalPoint([float(v) for v in np.where(bits, size - 1, 0)])
            for bits in np.ndindex(2, 2, 2)
        ]
    )


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


def _normalised(array: np.ndarray, white: float) -> np.ndarray:
    """Scale to 0..1, where 1 is a percentile of what is brighter than the air around the head."""
    head = array[array > 0.1 * np.percentile(array, 99)]
    if head.size == 0:
        raise ImageError("an image of the head is empty; fetch its file again.")
    return np.clip(array / np.percentile(head, white), 0, 1).astype(np.float32)


def _as_arrays(head: Head) -> dict[str, np.ndarray]:
    canals = [[head.canals[side].porus_ras, head.canals[side].fundus_ras] for side in ("right", "left")]
    return {
        "affine": head.grid.affine,
        "t1": head.t1,
        "t2": head.t2,
        "tissue": head.tissue,
        "canals": np.array(canals),
        "contrast": np.array(head.contrast),
    }


def _from_arrays(name: str, kept: dict[str, np.ndarray]) -> Head:
    return Head(
        name=name,
        grid=Grid(kept["t1"].shape, kept["affine"]),
        t1=kept["t1"],
        t2=kept["t2"],
        tissue=kept["tissue"],
        canals=_canals(kept["canals"].reshape(4, 3)),
        contrast=bool(kept["contrast"]),
    )
