"""A vestibular schwannoma in a head: where it lies, how it displaces, what it looks like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.special import expit
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import index3, triple

from VSClickCorrectResearch.simulation.enhancement import Patch
from VSClickCorrectResearch.simulation.fields import (
    coverage,
    noise_block,
    random_rotation,
    rotation_matrix,
    sample_noise,
)
from VSClickCorrectResearch.simulation.head import Canal, Head, Tissue, TumourShape


@dataclass(frozen=True, eq=False)
class Placement:
    """A tumour shape at its place.

    Parameters
    ----------
    shape : TumourShape
        In its own frame.
    matrix : (3, 3) ndarray
        Own frame to RAS: a rotation, with a reflection for the left side.
    tip_ras, fundus_ras, center_ras : (3,) ndarray
        The tumour's lateral end, the canal's blind end and the tumour's centre of mass, RAS mm.
    """

    shape: TumourShape
    matrix: np.ndarray
    tip_ras: np.ndarray
    fundus_ras: np.ndarray
    center_ras: np.ndarray

    def own(self, ras: np.ndarray) -> np.ndarray:
        """Map RAS mm, shape (3, n), to the shape's own frame."""
        shift = np.array(self.shape.tip) - self.matrix.T @ self.tip_ras
        return self.matrix.T.astype(np.float32) @ ras + _column(shift)

    def distance(self, ras: np.ndarray) -> np.ndarray:
        """Return the signed distance, mm, float32 (n,), at RAS points of shape (3, n)."""
        index = self.own(ras)[::-1] / np.float32(self.shape.spacing)
        inside = ndimage.map_coordinates(self.shape.distance, index, order=1, mode="nearest")
        # Beyond the shape's array the distance grows with the way to it.
        limit = _column(np.array(self.shape.distance.shape) - 1)
        beyond = (index - np.clip(index, 0, limit)) * np.float32(self.shape.spacing)
        return inside + np.sqrt((beyond**2).sum(axis=0))

    def corners(self) -> np.ndarray:
        """Return the corners of the tumour's bounding box, RAS mm, shape (8, 3)."""
        inside = np.argwhere(self.shape.distance < 0)[:, ::-1] * self.shape.spacing
        ends = np.stack([inside.min(axis=0), inside.max(axis=0)])
        own = np.array([(ends[a, 0], ends[b, 1], ends[c, 2]) for a in (0, 1) for b in (0, 1) for c in (0, 1)])
        return (own - self.shape.tip) @ self.matrix.T + self.tip_ras


def place(shape: TumourShape, canal: Canal, side: str, rng: np.random.Generator) -> Placement:
    """Put a shape's lateral end into a canal, its axis turned halfway towards the canal's and jittered.

    Parameters
    ----------
    shape : TumourShape
        Of a right side.
    canal : Canal
        The canal of ``side``.
    side : {"right", "left"}
        Left ones are mirrored.
    rng : numpy.random.Generator
        Source of the jitter.
    """
    porus, fundus = np.array(canal.porus_ras), np.array(canal.fundus_ras)
    mirror = np.diag([1.0 if side == "right" else -1.0, 1.0, 1.0])
    turn = random_rotation(rng, 5.0) @ _towards(mirror @ np.array([1.0, 0, 0]), fundus - porus)
    # A small tumour lies in the canal; a large one may end anywhere between porus and fundus.
    depth = rng.uniform(0.75, 1.0) if shape.volume_mm3 < 250 else rng.uniform(0.25, 1.05)
    tip = porus + depth * (fundus - porus) + rng.normal(0, 0.4, 3)
    matrix = turn @ mirror
    inside = np.argwhere(shape.distance < 0)[:, ::-1] * shape.spacing
    center = matrix @ (inside.mean(axis=0) - np.array(shape.tip)) + tip
    return Placement(shape, matrix, tip, fundus, center)


def _towards(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Rotation that turns ``start`` halfway to ``end``, by 15 degrees at most."""
    end = end / np.linalg.norm(end)
    axis = np.cross(start, end)
    sine = np.linalg.norm(axis)
    if sine < 1e-9:
        return np.eye(3)
    angle = np.rad2deg(np.arctan2(sine, start @ end))
    return rotation_matrix(axis / sine, min(0.5 * angle, 15.0))


@dataclass(frozen=True, eq=False)
class Tumour:
    """A placed tumour and its looks.

    Parameters
    ----------
    placement : Placement
        Where.
    t1, t2 : float
        Mean intensities.
    t1_csf, t2_csf : float
        Intensities of the head's CSF, for cysts and clefts.
    mottle : tuple of float
        Amplitude of the texture at three scales.
    core : float
        How much the middle enhances less, 0..1.
    cyst : float
        Threshold of the noise above which tissue is cyst; infinite for none.
    cleft_mm : float
        Width of CSF between tumour and brain.
    push : float
        How far brain is pushed, as a share of the tumour's radius.
    cap : bool
        Whether CSF remains between the tumour and the fundus.
    blocks : tuple of ndarray
        Periodic noise, for texture and form.
    """

    placement: Placement
    t1: float
    t2: float
    t1_csf: float
    t2_csf: float
    mottle: tuple[float, float, float]
    core: float
    cyst: float
    cleft_mm: float
    push: float
    cap: bool
    blocks: tuple[np.ndarray, ...]

    def draw(self, patch: Patch, source: Grid, fine: Grid, t1, t2, fraction: np.ndarray) -> None:
        """Draw the tumour into arrays on the grid ``fine``, all changed in place.

        Parameters
        ----------
        patch : Patch
            The head that ``t1`` and ``t2`` were sampled from.
        source, fine : Grid
            The patch's grid and the arrays'.
        t1, t2, fraction : ndarray of float32
            Intensities, and the tumour's share of each voxel.
        """
        box = self._box(fine)
        if box.empty:
            return
        ras = _positions(fine, box)
        distance = self.placement.distance(ras)
        views = [array[box.slices].ravel() for array in (t1, t2)]
        self._displace(patch, source, ras, distance, views)
        self._clefts(patch, source, ras, distance, views)
        share = coverage(distance, float(np.mean(fine.spacing)))
        fraction[box.slices] = share.reshape(box.shape)
        # The tumour's rim mixes over a little more than a voxel: its border is not a knife's.
        soft = ndimage.gaussian_filter(fraction[box.slices], 0.25 / fine.spacing[::-1]).ravel()
        near = np.flatnonzero(soft > 1e-3)
        for view, look, target in zip(
            views, self._looks(ras[:, near], distance[near]), (t1, t2), strict=True
        ):
            view[near] += soft[near] * (look - view[near])
            target[box.slices] = view.reshape(box.shape)

    @property
    def _radius(self) -> float:
        """Radius of the ball of the tumour's volume, mm."""
        return (self.placement.shape.volume_mm3 / 4.19) ** (1 / 3)

    @property
    def _reach(self) -> float:
        """How fast displacement fades with distance, mm: slowly enough that tissue never folds over."""
        return max(5.0, 1.6 * self.push * self._radius)

    def _box(self, fine: Grid) -> Box:
        points = np.vstack([self.placement.corners(), self.placement.fundus_ras])
        ijk = fine.ras_to_ijk(points)
        margin = 1.8 * self._reach / fine.spacing
        low, high = np.floor(ijk.min(axis=0) - margin), np.ceil(ijk.max(axis=0) + margin) + 1
        box = Box(index3(low[::-1]), index3(high[::-1]))
        return box.clipped(fine.shape)

    def _displace(self, patch: Patch, source: Grid, ras, distance, views) -> None:
        """Push what lies medial of the tumour aside: sample it from nearer the tumour's centre."""
        way = ras - _column(self.placement.center_ras)
        length = np.sqrt((way**2).sum(axis=0)) + np.float32(1e-3)
        medial = self.placement.center_ras - self.placement.tip_ras
        cosine = (medial / np.linalg.norm(medial)).astype(np.float32) @ way / length
        fade = np.exp(-np.clip(distance, 0, None) / self._reach) - np.exp(-1.8)
        shift = np.float32(self.push * self._radius) * np.clip(0.4 + cosine, 0, 1) * np.clip(fade, 0, 1)
        # Well inside the tumour nothing of the head is seen.
        near = np.flatnonzero((shift > 0.1) & (distance > -2))
        moved = ras[:, near] - way[:, near] * (np.minimum(shift, 0.8 * length) / length)[near]
        index = _source_index(source, moved)
        for array, view in zip((patch.t1, patch.t2), views, strict=True):
            view[near] = ndimage.map_coordinates(array, index, order=1, mode="constant")

    def _clefts(self, patch: Patch, source: Grid, ras, distance, views) -> None:
        """Leave CSF here and there between tumour and brain, and in the canal beyond the tumour."""
        near = np.flatnonzero((distance > -1) & (distance < 3))
        points = ras[:, near]
        mask = (patch.tissue == Tissue.BRAIN).astype(np.float32)
        brain = ndimage.map_coordinates(mask, _source_index(source, points), order=1)
        width = np.clip(self.cleft_mm * (0.4 + 1.2 * sample_noise(self.blocks[2], points, 3.0)), 0, 2.5)
        share = 0.9 * coverage(distance[near] - width, 0.6) * brain * np.clip(width * 3, 0, 1)
        self._blend_csf(views, near, share)
        if self.cap:
            self._blend_csf(views, slice(None), self._canal(ras))

    def _blend_csf(self, views, where, share: np.ndarray) -> None:
        for view, csf in zip(views, (self.t1_csf, self.t2_csf), strict=True):
            view[where] += share * (np.float32(csf) - view[where])

    def _canal(self, ras: np.ndarray) -> np.ndarray:
        a, b = self.placement.tip_ras, self.placement.fundus_ras
        d = (b - a).astype(np.float32)
        offset = ras - _column(a)
        along = np.clip(d @ offset / max(float(d @ d), 1e-6), 0, 1)
        return coverage(np.sqrt(((offset - along * _column(d)) ** 2).sum(axis=0)) - 1.6, 0.7)

    def _looks(self, ras: np.ndarray, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Intensities of the tumour's tissue at points, T1 and T2, each (n,)."""
        fine, middle, coarse = (
            sample_noise(block, ras, pitch) for block, pitch in zip(self.blocks, (0.6, 1.0, 1.8), strict=True)
        )
        a, b, c = self.mottle
        depth = -distance / np.float32(self._radius)
        core = expit((depth - 0.4 + 0.3 * middle + 0.2 * coarse) * 9)
        t1 = self.t1 * (1 + a * fine + b * middle + c * coarse) * (1 - self.core * core)
        t2 = self.t2 * (1 + 0.6 * a * fine - 0.5 * b * middle + 0.25 * self.core * core)
        edge = np.clip((-distance - 0.6) / 1.2, 0, 1)  # a cyst keeps its enhancing wall
        cyst = expit((coarse + 0.4 * middle - self.cyst) * 7) * edge if np.isfinite(self.cyst) else 0.0
        t1 = t1 + cyst * (1.25 * self.t1_csf - t1)
        t2 = t2 + cyst * (0.95 * self.t2_csf - t2)
        return np.maximum(t1, 0).astype(np.float32), np.maximum(t2, 0).astype(np.float32)


def _column(vector: np.ndarray) -> np.ndarray:
    return np.asarray(vector, np.float32).reshape(-1, 1)


def _source_index(source: Grid, ras: np.ndarray) -> np.ndarray:
    """Map RAS points (3, n) to (k, j, i) of a grid."""
    inverse = np.linalg.inv(source.affine).astype(np.float32)
    return (inverse[:3, :3] @ ras + inverse[:3, 3:])[::-1]


def _positions(grid: Grid, box: Box) -> np.ndarray:
    """RAS mm of the voxels of a box, float32 (3, n) in array order."""
    k, j, i = (np.arange(a, b, dtype=np.float32) for a, b in zip(box.start, box.stop, strict=True))
    affine = grid.affine.astype(np.float32)
    parts = [affine[:3, n].reshape(3, 1, 1, 1) for n in range(3)]
    plane = parts[0] * i[None, None, None, :] + parts[1] * j[None, None, :, None]
    ras = plane + parts[2] * k[None, :, None, None] + affine[:3, 3].reshape(3, 1, 1, 1)
    return ras.reshape(3, -1)


def random_tumour(rng: np.random.Generator, placement: Placement, head: Head) -> Tumour:
    """Return a placed tumour with random looks that suit the head's intensities.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the looks.
    placement : Placement
        Where it lies.
    head : Head
        Gives the intensities of brain and CSF.
    """
    (brain1, brain2), (csf1, csf2) = _levels(head, Tissue.BRAIN, 50), _levels(head, Tissue.CSF, 50)
    csf2 = max(csf2, _levels(head, Tissue.CSF, 80)[1], brain2 * 1.2)
    kind = rng.random()
    level = rng.uniform(0.85, 1.25) if kind < 0.6 else rng.uniform(0.6, 0.95)
    floor = brain1 * (1.15 if kind > 0.92 else 1.35)
    blend = rng.uniform(-0.15, 0.5)
    looks = rng.random()
    return Tumour(
        placement=placement,
        t1=float(floor if kind > 0.92 else max(level, floor)),
        t2=float(brain2 * (1 - blend) + csf2 * blend),
        t1_csf=csf1,
        t2_csf=csf2,
        mottle=triple(map(float, rng.uniform((0.03, 0.04, 0.02), (0.10, 0.2, 0.12)))),
        core=float(rng.uniform(0.3, 0.65)) if looks < 0.35 else float(rng.uniform(0, 0.15)),
        cyst=float(rng.uniform(0.7, 1.5)) if looks > 0.75 else float("inf"),
        cleft_mm=float(1.1 * rng.uniform() ** 2),
        push=float(rng.uniform(0.4, 0.9)),
        cap=bool(rng.random() < 0.7),
        blocks=tuple(noise_block(rng, 48, s) for s in (1.0, 1.4, 2.0)),
    )


def _levels(head: Head, tissue: Tissue, percentile: float) -> tuple[float, float]:
    """T1 and T2 intensity of a tissue, from a sample of its voxels."""
    step = (slice(None, None, 4),) * 3
    mask = head.tissue[step] == tissue
    if not mask.any():
        return (0.15, 0.9) if tissue == Tissue.CSF else (0.5, 0.45)
    t1, t2 = (float(np.percentile(a[step][mask], percentile)) for a in (head.t1, head.t2))
    return t1, t2
