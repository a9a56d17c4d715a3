"""Tumour shapes made without data, and variations of real ones."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from VSClickCorrectLib.geometry.triples import point3, triple

from VSClickCorrectResearch.simulation.fields import noise_block, random_rotation, sample_noise
from VSClickCorrectResearch.simulation.head import TumourShape

VOLUME_RANGE_MM3 = (43.0, 10785.0)
# Quartiles 637 / 1408 / 3222 mm³ of the VS-SEG cohort: the log-normal of that median and interquartile ratio.
_MEDIAN_MM3 = 1408.0
_LOG_SD = float(np.log(3222 / 637) / (2 * 0.6745))


def random_volume(rng: np.random.Generator) -> float:
    """Return a tumour volume in mm³ drawn from the distribution of the VS-SEG cohort (43 to 10785 mm³)."""
    return float(np.clip(_MEDIAN_MM3 * np.exp(_LOG_SD * rng.standard_normal()), *VOLUME_RANGE_MM3))


def enclosed_volume(distance: np.ndarray, spacing: float) -> float:
    """Return the volume in mm³ inside a signed distance (mm) sampled every ``spacing`` mm."""
    return float(np.clip(0.5 - distance / spacing, 0, 1).sum(dtype=np.float64) * spacing**3)


def _capsule(
    points: np.ndarray, a: np.ndarray, b: np.ndarray, radius_a: float, radius_b: float
) -> np.ndarray:
    d = (b - a).reshape(3, 1, 1, 1)
    offset = points - a.reshape(3, 1, 1, 1)
    along = np.clip((offset * d).sum(axis=0) / (d**2).sum(), 0, 1)
    return np.sqrt(((offset - along * d) ** 2).sum(axis=0)) - (radius_a + (radius_b - radius_a) * along)


def _smooth_union(a: np.ndarray, b: np.ndarray, width: float) -> np.ndarray:
    h = np.clip(0.5 + 0.5 * (b - a) / width, 0, 1)
    return b + (a - b) * h - width * h * (1 - h)


def _frame(low: np.ndarray, high: np.ndarray, spacing: float) -> np.ndarray:
    axes = [
        np.arange(np.floor(a), np.ceil(b) + spacing, spacing, dtype=np.float32)
        for a, b in zip(low, high, strict=True)
    ]
    z, y, x = np.meshgrid(axes[2], axes[1], axes[0], indexing="ij")
    return np.stack([x, y, z])


def _cistern(rng: np.random.Generator, points: np.ndarray, radius: float) -> np.ndarray:
    """Distance to one or more lobes around the origin, together near a sphere of ``radius``."""
    scale = (radius * np.array([1.0, *rng.uniform(0.85, 1.15, 2)])).reshape(3, 1, 1, 1)
    distance = (np.sqrt(((points / scale) ** 2).sum(axis=0)) - 1) * radius
    for _ in range(int(rng.integers(0, 4))):
        way = rng.standard_normal(3)
        center = (way / np.linalg.norm(way) * radius * rng.uniform(0.4, 0.75)).reshape(3, 1, 1, 1)
        lobe = np.sqrt(((points - center) ** 2).sum(axis=0)) - radius * rng.uniform(0.35, 0.6)
        distance = _smooth_union(distance, lobe, 0.3 * radius)
    return distance


def procedural_shape(rng: np.random.Generator, volume_mm3: float) -> TumourShape:
    """Return an ice-cream cone: a lobulated ball in the cistern on a cone in the canal.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness; equal states give equal shapes.
    volume_mm3 : float
        Volume wanted, mm³; below about 250 mm³ the tumour lies in the canal alone.

    Returns
    -------
    TumourShape
        On a 0.5 mm grid, finer for small tumours, of exactly that volume; its distance is that of a
        smooth implicit surface, true to about a millimetre.
    """
    spacing = 0.5 if volume_mm3 > 400 else 0.3
    inside = volume_mm3 < rng.uniform(120, 350)
    canal_radius = (volume_mm3 / 40) ** (1 / 3) * 1.35 if inside else rng.uniform(2.2, 3.4)
    length = canal_radius * rng.uniform(1.2, 3.0) if inside else rng.uniform(3.5, 10.0)
    rest = volume_mm3 - np.pi * canal_radius**2 * 0.8 * length
    radius = (
        canal_radius * 1.1
        if inside
        else max((rest / 4.19) ** (1 / 3), canal_radius)
        if rest > 0
        else canal_radius
    )
    tip = np.array([radius * 0.9 + length, *rng.normal(0, 0.06, 2) * length], np.float32)
    pad = 0.6 * radius + 4
    points = _frame(np.full(3, -radius - pad), np.array([tip[0] + 4, radius + pad, radius + pad]), spacing)
    canal = _capsule(
        points,
        np.zeros(3, np.float32),
        tip - [canal_radius * 0.7, 0, 0],
        canal_radius * 1.15,
        canal_radius * 0.75,
    )
    distance = _smooth_union(_cistern(rng, points, radius), canal, 1.5)
    block = noise_block(rng, 24, 1.5)
    distance = distance + rng.uniform(0.04, 0.11) * (radius + 2) * sample_noise(
        block, points + 40, 1.2 + radius / 4
    )
    return _scaled_to("procedural", distance.astype(np.float32), spacing, points[:, 0, 0, 0], tip, volume_mm3)


def _scaled_to(name, distance, spacing, corner, tip, volume_mm3) -> TumourShape:
    """Scale a shape about its corner to the volume; the tip is moved to where the noise left it."""
    lateral = _lateral_end(distance, spacing) if (distance < 0).any() else tip - corner
    factor = (volume_mm3 / enclosed_volume(distance, spacing)) ** (1 / 3)
    end = triple(float(v) * factor for v in lateral)
    return TumourShape(name, distance * np.float32(factor), spacing * factor, end, float(volume_mm3))


def _lateral_end(distance: np.ndarray, spacing: float) -> np.ndarray:
    """Return the middle of the outermost millimetre along +x, (x, y, z) mm."""
    inside = np.argwhere(distance < 0)[:, ::-1] * spacing
    return inside[inside[:, 0] > inside[:, 0].max() - 1.0].mean(axis=0)


def deformed(shape: TumourShape, rng: np.random.Generator) -> TumourShape:
    """Return a variation: turned a little, stretched by 0.85 to 1.15 along each axis and bent smoothly.

    Parameters
    ----------
    shape : TumourShape
        A shape; it is not changed.
    rng : numpy.random.Generator
        Source of randomness; equal states give equal shapes.
    """
    scales = rng.uniform(0.85, 1.15, 3)
    matrix = random_rotation(rng, 6.0) * scales  # own frame -> varied frame, about the tip
    extent = (np.array(shape.distance.shape[::-1]) - 1) * shape.spacing
    corners = np.array([(a, b, c) for a in (0, 1) for b in (0, 1) for c in (0, 1)]) * extent - shape.tip
    corners = corners @ matrix.T
    low = np.floor(corners.min(axis=0) / shape.spacing - 2) * shape.spacing
    counts = np.ceil((corners.max(axis=0) - low) / shape.spacing + 2).astype(int)
    axes = [low[a] + shape.spacing * np.arange(counts[a]) for a in range(3)]
    z, y, x = np.meshgrid(axes[2], axes[1], axes[0], indexing="ij")
    points = np.stack([x, y, z]).astype(np.float32)
    own = np.tensordot(np.linalg.inv(matrix).astype(np.float32), points, axes=1)
    own += np.array(shape.tip, np.float32).reshape(3, 1, 1, 1) + _bend(rng, points)
    distance = ndimage.map_coordinates(shape.distance, own[::-1] / shape.spacing, order=1, mode="nearest")
    distance *= np.float32(np.prod(scales) ** (1 / 3))
    tip = point3(-low)
    return TumourShape(shape.name, distance, shape.spacing, tip, enclosed_volume(distance, shape.spacing))


def _bend(rng: np.random.Generator, points: np.ndarray) -> np.ndarray:
    """Return a smooth displacement, mm, of at most about two millimetres."""
    amplitude = rng.uniform(0.2, 0.7)
    return amplitude * np.stack([sample_noise(noise_block(rng, 12, 1.0), points, 6.0) for _ in range(3)])
