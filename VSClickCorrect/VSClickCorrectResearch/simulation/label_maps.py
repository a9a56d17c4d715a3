"""Heads drawn from label maps: another contrast, size and grain at every call, always the same anatomy.

The maps are the twenty that come with SynthSeg (Billot et al., Apache-2.0), read from
``label-maps/seg_01.nii.gz`` and so on in a folder of data that is not part of the project. They name no
canals: those in `_CANALS` follow from an affine fit of the maps' brain structures to those of the first,
were moved to the border of the petrous bone and to traces of the canal in the map, and looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy import ndimage
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import Point3, point3
from VSClickCorrectLib.io.images import read_volume
from VSClickCorrectLib.io.one_grid import image_of

from VSClickCorrectResearch.simulation.enhancement import Patch, TumourFrame
from VSClickCorrectResearch.simulation.fields import Lattice, noise_block, tiled
from VSClickCorrectResearch.simulation.head import Canal, Cochlea, Head
from VSClickCorrectResearch.simulation.inner_ear import (
    CANAL_RADII,
    COCHLEA_PLACE,
    draw_inner_ear,
    draw_nerves,
)
from VSClickCorrectResearch.simulation.kept_arrays import keep_arrays, kept_arrays
from VSClickCorrectResearch.simulation.label_looks import TISSUES, Looks, Matter, random_looks

_CACHE_VERSION = 1
_BELOW_CANALS_MM = 70.0
_CROP_MARGIN = 4  # voxels
_SCALP_FAT_MM = 4.0  # below the skin
_ORBIT_MM = 9.0  # around the eyes
_STRETCH = 0.06  # how much longer or shorter a head is along each axis, at most
_BLUR_VOXELS = 0.55

# FreeSurfer's numbers, and those beyond 500 by where they lie. What is not listed is grey matter.
_MATTER = {
    Matter.AIR: (0,),
    Matter.CSF: (4, 5, 14, 15, 24, 43, 44, 72),
    Matter.WHITE: (2, 41),
    Matter.CEREBELLAR_CORTEX: (8, 47),
    Matter.CEREBELLAR_WHITE: (7, 46),
    Matter.STEM: (16, 512),
    Matter.THALAMUS: (10, 49),
    Matter.STRIATUM: (11, 12, 26, 50, 51, 58),
    Matter.PALLIDUM: (13, 52),
    Matter.HIPPOCAMPUS: (17, 18, 53, 54),
    Matter.DIENCEPHALON: (28, 60, 85),
    Matter.PLEXUS: (31, 63, 136, 137, 163, 164),
    Matter.LESION: (25, 57),
    Matter.BONE: (515,),
    Matter.MARROW: (516,),
    Matter.MUSCLE: (507, 508),
    Matter.SKIN: (511,),
    Matter.MUCOSA: (509,),
    Matter.EYE: (506,),
    Matter.NERVE: (530,),
    Matter.ARTERY: (502, 30, 62),
    Matter.VEIN: (514,),
}
_LABELS = 600

# Right porus, right fundus, left porus, left fundus, each RAS mm.
_CANALS = {
    "seg_01": ((25.5, 0.9, -20.4), (35, 2.9, -19.9), (-26.7, 1.2, -20.3), (-36.2, 3.1, -19.8)),
    "seg_02": ((26.1, -16.2, -29.8), (35.4, -13.4, -29.8), (-26.3, -18.6, -30.7), (-35.8, -16.7, -31.4)),
    "seg_03": ((28.5, -22.6, -38.4), (37.9, -20.2, -39.6), (-27.6, -24.4, -36.8), (-37, -22.2, -37.6)),
    "seg_04": ((26.3, -30, -34.9), (35.7, -28, -35.6), (-25.6, -29.5, -36.9), (-34.9, -27.4, -38.3)),
    "seg_05": ((27.3, -23.1, -26.4), (36.8, -21.5, -27), (-21.3, -19.5, -26.4), (-30.2, -15.7, -27)),
    "seg_06": ((26.5, -6.7, -29), (36, -4.6, -29.4), (-26.6, -6.9, -29), (-36, -4.6, -29.4)),
    "seg_07": ((27.5, -27.5, -35.5), (37, -25.3, -36), (-26.7, -26.3, -37.2), (-36, -24.1, -38.7)),
    "seg_08": ((28.6, 0.2, -58.9), (38.1, 2.2, -59.3), (-19.7, -0.3, -54.1), (-29, 2.4, -53.8)),
    "seg_09": ((26.7, -25.9, -37), (36.2, -24.2, -37.8), (-25.7, -24.8, -37.7), (-35, -22.5, -39.1)),
    "seg_10": ((31.5, 13.4, -18.7), (40.8, 15.9, -19), (-16.7, 11.1, -18.6), (-26.1, 13.1, -19.6)),
    "seg_11": ((21.1, -10, -44.2), (30.5, -8, -44.6), (-28.2, -9.5, -42.1), (-37.5, -6.9, -41.9)),
    "seg_12": ((25.9, 7, -34.6), (35.3, 9.1, -35), (-23.4, 7, -33.6), (-32.8, 9.7, -33.7)),
    "seg_13": ((26.5, -24.3, -38.2), (35.9, -22, -39), (-25.5, -23.9, -35.8), (-35, -22.2, -37)),
    "seg_14": ((21, -6, -42.3), (30.5, -4.2, -42.1), (-28.5, -3, -41.5), (-37.7, 0, -41.5)),
    "seg_15": ((22.7, -18, -31), (32.2, -16, -31.3), (-27.3, -16.5, -31.8), (-36.6, -13.8, -32.4)),
    "seg_16": ((30.7, -13.9, -22), (40.1, -11.8, -22.6), (-21.9, -11.4, -22.1), (-31.3, -9, -23.1)),
    "seg_17": ((29.8, -13.4, -36.1), (39.2, -10.8, -36.2), (-21.6, -17.4, -37.1), (-31.1, -15.5, -37.4)),
    "seg_18": ((20.7, -13.3, -28.7), (30.2, -11.7, -30), (-26.7, -10.7, -25.9), (-35.9, -7.6, -26.3)),
    "seg_19": ((26, -20.4, -11.2), (35.3, -17.9, -11.1), (-19.1, -20.8, -13.8), (-28.5, -18.8, -15)),
    "seg_20": ((27.9, -27.1, -35.8), (37.4, -25.2, -36.4), (-23.5, -25.5, -39.6), (-32.9, -23.6, -41.1)),
}
LABEL_MAP_NAMES = tuple(_CANALS)


@dataclass(frozen=True, eq=False)
class LabelMap:
    """A head by its tissues.

    Parameters
    ----------
    name : str
        Unique among the label maps.
    grid : Grid
        Axis-aligned in RAS.
    matter : ndarray of uint8, shape (k, j, i)
        Values of `Matter`.
    canals : dict
        `Canal` of the patient's ``"right"`` and ``"left"``.
    """

    name: str
    grid: Grid
    matter: np.ndarray
    canals: dict[str, Canal]


def load_label_maps(
    data_folder: Path, cache: Path | None = None, names: tuple[str, ...] = LABEL_MAP_NAMES
) -> list[LabelMap]:
    """Load those of the named label maps whose files are found.

    Parameters
    ----------
    data_folder : Path
        Folder that holds ``label-maps``.
    cache : Path, optional
        Folder in which prepared maps are kept and looked for.
    names : tuple of str
        Some of `LABEL_MAP_NAMES`.
    """
    return [
        load_label_map(name, data_folder, cache) for name in names if _file(name, Path(data_folder)).is_file()
    ]


def load_label_map(name: str, data_folder: Path, cache: Path | None = None) -> LabelMap:
    """Load one label map, cut to the head, its axes along left, posterior and superior.

    Parameters
    ----------
    name : str
        One of `LABEL_MAP_NAMES`.
    data_folder : Path
        Folder that holds ``label-maps``.
    cache : Path, optional
        Folder in which prepared maps are kept and looked for; one of another file is prepared anew.

    Raises
    ------
    ImageError
        If the name is unknown, or its file is missing or holds no head.
    """
    if name not in _CANALS:
        raise ImageError(f"there is no label map called '{name}'; they are {', '.join(LABEL_MAP_NAMES)}.")
    kept = None if cache is None else Path(cache) / f"label-map-{name}-{_CACHE_VERSION}.npz"
    file = _file(name, Path(data_folder))
    arrays = kept_arrays(kept, [file])
    if arrays is not None:
        return LabelMap(name, Grid(arrays["matter"].shape, arrays["affine"]), arrays["matter"], _canals(name))
    found = _prepare(name, file)
    if kept is not None:
        keep_arrays(kept, [file], {"matter": found.matter, "affine": found.grid.affine})
    return found


def _file(name: str, folder: Path) -> Path:
    return folder / "label-maps" / f"{name}.nii.gz"


def _canals(name: str, stretch=(1.0, 1.0, 1.0)) -> dict[str, Canal]:
    ends = [point3(np.multiply(point, stretch)) for point in _CANALS[name]]
    sides = ("right", "left") if stretch[0] > 0 else ("left", "right")
    return {sides[0]: Canal(*ends[:2]), sides[1]: Canal(*ends[2:])}


def _prepare(name: str, path: Path) -> LabelMap:
    if not path.is_file():
        raise ImageError(f"the file {path} is missing; put it there or choose another label map.")
    volume = read_volume(path)
    image = sitk.DICOMOrient(image_of(volume.array.astype(np.int16), volume.grid), "LPS")
    labels = sitk.GetArrayFromImage(image)
    grid = Grid.from_lps(labels.shape, image.GetSpacing(), image.GetOrigin(), np.eye(3).ravel())
    lowest = min(point[2] for point in _CANALS[name]) - _BELOW_CANALS_MM
    labels[: max(0, int(np.ceil(grid.ras_to_ijk((0, 0, lowest))[2])))] = 0
    matter = _table()[np.clip(labels, 0, _LABELS - 1)]
    pieces, count = ndimage.label(matter != Matter.AIR)
    if count == 0:
        raise ImageError(f"the label map {path} holds no head; fetch it again.")
    matter[pieces != np.bincount(pieces.ravel())[1:].argmax() + 1] = Matter.AIR  # specks beside the head
    box = Box.around(matter).padded(_CROP_MARGIN).clipped(grid.shape)
    matter = np.ascontiguousarray(matter[box.slices])
    _add_fat(matter)
    return LabelMap(name, grid.cropped(box), matter, _canals(name))


def _table() -> np.ndarray:
    table = np.full(_LABELS, Matter.CORTEX, np.uint8)
    for matter, labels in _MATTER.items():
        table[list(labels)] = matter
    return table


def _add_fat(matter: np.ndarray) -> None:
    """Part the fat below the skin and in the orbit from muscle, with which the maps count it; 1 mm voxels."""
    near = _near(matter == Matter.SKIN, _SCALP_FAT_MM) | _near(matter == Matter.EYE, _ORBIT_MM)
    matter[near & (matter == Matter.MUSCLE)] = Matter.FAT


def _near(mask: np.ndarray, reach: float) -> np.ndarray:
    return ndimage.distance_transform_edt(~mask) <= reach if mask.any() else mask


def draw_label_map(label_map: LabelMap, rng: np.random.Generator, place: Point3 = COCHLEA_PLACE) -> Head:
    """Return a head drawn from a label map: intensities, size, side and grain are random.

    Parameters
    ----------
    label_map : LabelMap
        Its tissues; it is not changed.
    rng : numpy.random.Generator
        Source of all randomness; equal states give equal heads.
    place : tuple of float
        Where the cochleas lie, as for `InnerEar`.

    Returns
    -------
    Head
        Without contrast agent but for the vessels that the map knows; `enhance` adds the rest.
    """
    stretch = rng.uniform(1 - _STRETCH, 1 + _STRETCH, 3) * (rng.choice((1, -1)), 1, 1)
    grid = Grid(label_map.grid.shape, np.diag([*stretch, 1.0]) @ label_map.grid.affine)
    canals = _canals(label_map.name, stretch)
    looks = random_looks(rng)
    matter = _marbled(rng, label_map.matter)
    t1, t2 = _lit(rng, matter, looks)
    patch = Patch(Lattice.of_grid(grid), t1, t2, np.take(TISSUES, matter))
    cochleas = _draw_canals(rng, patch, canals, looks, place)
    return Head(label_map.name, grid, patch.t1, patch.t2, patch.tissue, canals, False, cochleas)


def _marbled(rng: np.random.Generator, matter: np.ndarray) -> np.ndarray:
    """Lay streaks of fat between the muscles, of which the maps know nothing."""
    streaks = tiled(noise_block(rng, 64, 2.5), matter.shape) > np.float32(rng.uniform(0.3, 1.2))
    return np.where(streaks & (matter == Matter.MUSCLE), np.uint8(Matter.FAT), matter)


def _lit(rng: np.random.Generator, matter: np.ndarray, looks: Looks) -> list[np.ndarray]:
    """Turn tissues into intensities with grain, and soften their borders as partial volume does."""
    grain = 0.8 * noise_block(rng, 80, 0.7) + 0.6 * noise_block(rng, 80, 3.0)
    grain = tiled(grain, matter.shape)
    images = []
    for means, way in ((looks.t1, 1), (looks.t2, -1)):
        image = np.take(means, matter)
        image += np.take(means * looks.texture * np.float32(way), matter) * grain
        image = ndimage.gaussian_filter(image, _BLUR_VOXELS, truncate=2.5)
        images.append(np.clip(image, 0, 1.3, out=image))
    return images


def _draw_canals(
    rng: np.random.Generator, patch: Patch, canals: dict[str, Canal], looks: Looks, place: Point3
) -> dict[str, Cochlea]:
    fluid = float(looks.t1[Matter.CSF]), float(looks.t2[Matter.CSF])
    cochleas = {}
    for side, sign in (("right", 1), ("left", -1)):
        radius = float(rng.uniform(*CANAL_RADII))
        cochleas[side] = draw_inner_ear(patch, canals[side], sign, radius, fluid, place)
    nerve = float(0.8 * looks.t1[Matter.STEM]), float(looks.t2[Matter.STEM])
    draw_nerves(patch, TumourFrame.of_canals(canals), canals, nerve)
    return cochleas
