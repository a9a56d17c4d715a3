"""Contrast agent in heads scanned without it, and bright things that are no tumour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from VSClickCorrectResearch.simulation.fields import (
    Lattice,
    coverage,
    ellipsoid,
    noise_block,
    random_rotation,
    smooth_path,
    tiled,
    tube,
)
from VSClickCorrectResearch.simulation.head import Canal, Head, Tissue

# Courses in mm from the middle between the two pori (right, anterior, superior), for pori 52 mm apart,
# with radii in mm. Paired ones are those of the right side.
UNPAIRED = {
    "basilar": (((0, 2, -30), (1, 6, -15), (0, 9, -2), (0, 9, 10), (0, 9, 20)), 1.7),
    "torcula": (((0, -88, 34), (0, -92, 20), (0, -88, 12)), 4.0),
}
PAIRED = {
    "vertebral": (((12, -16, -46), (8, -6, -38), (0, 2, -30)), 1.7),
    "carotid": (
        ((29, 12, -48), (28, 13, -26), (25, 13, -15), (16, 20, -10), (11, 26, -2), (10, 34, 6), (11, 30, 13)),
        2.5,
    ),
    "sigmoid": (
        (
            (2, -90, 12),
            (28, -82, 13),
            (47, -58, 10),
            (53, -40, 3),
            (48, -24, -13),
            (34, -12, -22),
            (27, -6, -22),
        ),
        4.0,
    ),
    "jugular": (((29, -7, -19), (27, -5, -30), (27, -3, -48)), 4.2),
    "superior cerebellar": (((1, 9, 17), (10, 4, 18), (18, -8, 17), (21, -20, 18)), 0.8),
    "petrosal vein": (((15, -6, 9), (20, -3, 8), (25, 1, 10)), 0.8),
}


@dataclass(frozen=True, eq=False)
class Patch:
    """A head's arrays, or a cropped part of them, while they are drawn on.

    Parameters
    ----------
    lattice : Lattice
        Where the voxels lie.
    t1, t2 : ndarray of float32
        Intensities, changed in place.
    tissue : ndarray of uint8
        Values of `Tissue`.
    """

    lattice: Lattice
    t1: np.ndarray
    t2: np.ndarray
    tissue: np.ndarray

    def blend(
        self, window, share: np.ndarray, t1: float | np.ndarray, t2: float | np.ndarray | None = None
    ) -> None:
        """Move a window of the intensities towards given ones, by ``share`` (0..1)."""
        self.t1[window] += share * (t1 - self.t1[window])
        if t2 is not None:
            self.t2[window] += share * (t2 - self.t2[window])

    def within(self, window, **weights: float) -> np.ndarray:
        """Return a weight per voxel of a window by its tissue's name; tissues not named weigh 0."""
        table = np.zeros(max(Tissue) + 1, np.float32)
        for name, weight in weights.items():
            table[Tissue[name]] = weight
        return table[self.tissue[window]]


@dataclass(frozen=True)
class TumourFrame:
    """The skull base's own coordinates: from the middle between the pori, scaled by their distance.

    Parameters
    ----------
    middle : ndarray, shape (3,)
        RAS mm.
    scale : float
        Size relative to pori 52 mm apart.
    """

    middle: np.ndarray
    scale: float

    @classmethod
    def of_head(cls, head: Head) -> TumourFrame:
        """Return the frame of a head by its canals."""
        return cls.of_canals(head.canals)

    @classmethod
    def of_canals(cls, canals: dict[str, Canal]) -> TumourFrame:
        """Return the frame between the ``"right"`` and the ``"left"`` canal."""
        right, left = (np.array(canals[side].porus_ras) for side in ("right", "left"))
        return cls((right + left) / 2, float(np.linalg.norm(right - left) / 52))

    def points(self, points, sign: int = 1) -> np.ndarray:
        """Return RAS mm of points given in the frame; ``sign`` -1 mirrors them to the left."""
        return self.middle + self.scale * np.asarray(points, float) * (sign, 1, 1)


@dataclass(frozen=True, eq=False)
class Vessel:
    """A tube of blood: its path (n, 3) in RAS mm, its radius in mm and whether it is a big one."""

    path: np.ndarray
    radius: float
    big: bool


def vessels(rng: np.random.Generator, frame: TumourFrame) -> list[Vessel]:
    """Return the skull base's named vessels and some small winding ones, varied at random."""
    found = []
    for points, radius in UNPAIRED.values():
        found.append(_varied(rng, frame.points(points), radius))
    for sign in (1, -1):
        for points, radius in PAIRED.values():
            found.append(_varied(rng, frame.points(points, sign), radius))
        found += [_winding(rng, frame, sign) for _ in range(int(rng.integers(1, 5)))]
    return found


def _varied(rng: np.random.Generator, points: np.ndarray, radius: float) -> Vessel:
    wobble = 1.0 if radius > 1 else 1.8
    points = points + rng.normal(0, wobble, points.shape) + rng.normal(0, 0.8, 3)
    size = radius * rng.uniform(0.7, 1.3)
    return Vessel(smooth_path(points, max(1.0, size)), size, radius > 1)


def _winding(rng: np.random.Generator, frame: TumourFrame, sign: int) -> Vessel:
    """Return a small vessel that wanders through the cerebellopontine angle, at times to the porus."""
    start = frame.points(rng.uniform((2, -12, -18), (24, 8, 18)), sign)
    way = frame.points(rng.uniform((18, -14, -8), (30, -2, 8)), sign) - start
    turns = start + np.linspace(0, 1, 5)[:, None] * way + rng.normal(0, 2.0, (5, 3))
    return Vessel(smooth_path(turns, 0.8), float(rng.uniform(0.35, 0.85)), False)


def enhance(rng: np.random.Generator, patch: Patch, frame: TumourFrame) -> None:
    """Add what contrast agent brightens outside a tumour: vessels, mucosa, dura, plexus, pituitary."""
    blood, tubes = float(rng.uniform(0.75, 1.2)), vessels(rng, frame)
    void = float(rng.uniform(0.05, 0.3)) if rng.random() < 0.6 else None  # flow void in T2, or unseen there
    _enhance_mucosa(rng, patch, frame)
    _enhance_dura(rng, patch)
    for vessel in tubes:
        _draw_vessel(patch, vessel, blood, void)
    glow = float(rng.uniform(0.5, 0.95))
    for sign in (1, -1):
        if rng.random() < 0.7:
            draw_blob(
                rng,
                patch,
                frame.points((16, -17, -9), sign),
                rng.uniform(1.0, 2.4),
                glow,
                None,
                CSF=1,
                BRAIN=0.7,
            )
        draw_blob(
            rng, patch, frame.points((3, -24, -4), sign), rng.uniform(1.0, 2.2), glow, None, CSF=1, BRAIN=0.3
        )
    draw_blob(
        rng,
        patch,
        frame.points((0, 27, 8)),
        rng.uniform(3, 5.5),
        glow,
        0.45,
        CSF=0.9,
        BONE=0.8,
        SOFT=0.7,
        BRAIN=0.3,
    )


def _draw_vessel(patch: Patch, vessel: Vessel, blood: float, void: float | None) -> None:
    brain = 0.35 if vessel.big else 0.15
    for window, distance in tube(patch.lattice, vessel.path, vessel.radius):
        share = coverage(distance, patch.lattice.spacing)
        share = share * patch.within(window, CSF=1, BONE=1, SOFT=1, BRAIN=brain)
        patch.blend(window, share, blood, void)


def _enhance_mucosa(rng: np.random.Generator, patch: Patch, frame: TumourFrame) -> None:
    """Brighten the lining of nose and sinuses: soft tissue beside air in the middle of the face."""
    strength = rng.uniform(0.2, 0.6)
    low = frame.points((-34, 14, -62))
    window = patch.lattice.window(low, frame.points((34, 75, 36)))
    if patch.t1[window].size == 0:
        return
    air = (patch.tissue[window] == Tissue.BACKGROUND) | (patch.t1[window] < 0.08)
    near = ndimage.gaussian_filter(air.astype(np.float32), 1.5 / patch.lattice.spacing)
    share = np.clip(near * 2.5, 0, 1) * patch.within(window, SOFT=1.0)
    patch.t1[window] += np.float32(strength) * share * (1.1 - patch.t1[window])


def _enhance_dura(rng: np.random.Generator, patch: Patch) -> None:
    """Brighten, in patches, the thin line between bone and what it encloses."""
    strength = float(rng.uniform(0.0, 0.35))
    bone = patch.tissue == Tissue.BONE
    inner = (patch.tissue == Tissue.CSF) | (patch.tissue == Tissue.BRAIN)
    # Soft edges of both, multiplied, peak where they meet.
    line = ndimage.uniform_filter(bone.astype(np.float32), 3) * ndimage.uniform_filter(
        inner.astype(np.float32), 3
    )
    patchy = np.clip(0.6 + 0.6 * tiled(noise_block(rng, 48, 3.0), patch.t1.shape), 0, 1.5)
    patch.t1[...] += np.clip(4 * line - 0.35, 0, 1) * patchy * np.float32(strength)


def draw_blob(
    rng, patch: Patch, center, radius: float, t1: float, t2: float | None, **tissues: float
) -> None:
    """Draw an irregular blob.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of its form and texture.
    patch : Patch
        Drawn on.
    center : sequence of 3 float
        RAS mm.
    radius : float
        mm, on the average.
    t1, t2 : float or None
        Intensities; T2 is left as it is for None.
    **tissues : float
        Opacity per name of `Tissue`; it shows in no other.
    """
    turn = random_rotation(rng, 40)
    radii = radius * rng.uniform(0.7, 1.35, 3)
    block = noise_block(rng, 16, 1.2)
    window, distance = ellipsoid(patch.lattice, center, radii, turn, margin=0.5 * radius + 1)
    noise = tiled(block, distance.shape)
    share = coverage(distance + 0.25 * radius * noise, 1.5 * patch.lattice.spacing)
    share = share * patch.within(window, **tissues)
    patch.blend(window, share, t1 * (1 + 0.12 * noise), t2)


def distract(rng: np.random.Generator, patch: Patch, frame: TumourFrame, head: Head) -> None:
    """Add bright things that are no schwannoma: marrow, mastoid, jugular bulb, seldom a meningioma."""
    for sign in (1, -1):
        marrow, mastoid, bulb = rng.random(3) < (0.4, 0.3, 0.25)
        level = float(rng.uniform(0.45, 0.9))
        if marrow:
            spot = frame.points(rng.normal((13, 7, -1), 2), sign)
            draw_blob(rng, patch, spot, rng.uniform(2.5, 5.0), level, 0.35, BONE=1)
        for _ in range(3 * int(mastoid)):
            spot = frame.points(rng.normal((50, -14, -2), (6, 5, 6)), sign)
            draw_blob(rng, patch, spot, rng.uniform(1.5, 4.0), level, 0.8, BONE=1)
        if bulb:
            spot = frame.points(rng.normal((29, -8, -15), 1.5), sign)
            draw_blob(rng, patch, spot, rng.uniform(3.0, 5.5), level + 0.2, 0.3, BONE=1, CSF=0.6, SOFT=1)
    if rng.random() < 0.12:
        _draw_meningioma(rng, patch, head)


def _draw_meningioma(rng: np.random.Generator, patch: Patch, head: Head) -> None:
    """Draw an enhancing mass on the dura, where a ray from the brain's middle leaves the brain."""
    way = rng.standard_normal(3) + (0, 0, 0.8)
    size = float(rng.uniform(4, 11))
    middle = TumourFrame.of_head(head).points((0, -15, 40))
    ray = middle + np.arange(0, 120, 1.0)[:, None] * (way / np.linalg.norm(way))
    index = np.rint(head.grid.ras_to_ijk(ray)).astype(int)[:, ::-1]
    index = index[((index >= 0) & (index < head.grid.shape)).all(axis=1)]
    brain = np.flatnonzero(head.tissue[tuple(index.T)] == Tissue.BRAIN)
    if brain.size:
        spot = ray[brain[-1]] - 0.4 * size * way / np.linalg.norm(way)
        draw_blob(rng, patch, spot, size, float(rng.uniform(0.7, 1.05)), 0.5, BRAIN=1, CSF=1, BONE=0.2)
