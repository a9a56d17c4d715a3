"""Real tumour shapes from the expert contours of VS-SEG (TCIA, CC BY 4.0, doi 10.7937/TCIA.9YTJ-5Q73)."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy import ndimage
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.triples import Point3, point3, triple

from VSClickCorrectResearch.simulation.head import TumourShape
from VSClickCorrectResearch.simulation.kept_arrays import keep_arrays, kept_arrays
from VSClickCorrectResearch.simulation.planar_contours import Contour
from VSClickCorrectResearch.simulation.polygons import fill_polygons
from VSClickCorrectResearch.simulation.vs_seg import tumour_contours

SPACING_MM = 0.5
_CACHE_VERSION = 2
_MARGIN_MM = 4.0
_SINGLE_SLICE_MM = 1.5  # most scans' slice thickness, for a tumour outlined on one slice only
_CONTOURS = re.compile(r".*/(sub-\d+)_contours_space-individual_T1w\.json$")


def read_shapes(archive: Path, split: str, cache: Path | None = None) -> list[TumourShape]:
    """Read the tumours of a split.

    Parameters
    ----------
    archive : Path
        ``vs-seg-contours.tar.gz``; nothing of it is unpacked to the disk.
    split : {"training", "validation"}
        As in the archive's ``split.csv``.
    cache : Path, optional
        Folder in which prepared shapes are kept as ``.npz``; those of another archive are prepared anew.

    Returns
    -------
    list of TumourShape
        Sorted by patient; left-sided tumours are mirrored to the right.

    Raises
    ------
    ImageError
        If the archive cannot be read.
    """
    stored = cache / f"shapes-{split}-{_CACHE_VERSION}.npz" if cache is not None else None
    arrays = kept_arrays(stored, [archive])
    if arrays is not None:
        return list(_from_arrays(arrays))
    try:
        shapes = [shape_of(name, contours) for name, contours in _tumours(archive, split)]
    except (OSError, tarfile.TarError, KeyError, json.JSONDecodeError) as error:
        raise ImageError(
            f"the contours in {archive} cannot be read ({error}); download them again."
        ) from None
    if stored is not None:
        keep_arrays(stored, [archive], _as_arrays(shapes))
    return shapes


def shape_of(name: str, contours: list[Contour]) -> TumourShape:
    """Make a shape from planar contours.

    Parameters
    ----------
    name : str
        The patient.
    contours : list of (n, 3) array
        Closed polygons in planes of constant S, RAS mm; one inside another is a hole, see `fill_polygons`.

    Returns
    -------
    TumourShape
        Slices are joined by interpolating the distances to their outlines.
    """
    points = np.concatenate(contours)
    low, high = points.min(axis=0) - _MARGIN_MM, points.max(axis=0) + _MARGIN_MM
    axes = [np.arange(a, b, SPACING_MM) for a, b in zip(low, high, strict=True)]
    heights, outlines = _slices(contours, axes[0], axes[1])
    field = _between(heights, outlines, axes[2])
    if points[:, 0].mean() < 0:  # R is positive, so this is the left side
        field = field[:, :, ::-1]
    # What area times slice thickness gives, as a label map of the scan would.
    count = max(1, round((outlines < 0).sum() * _thickness(heights) / SPACING_MM))
    inside = _of_volume(ndimage.gaussian_filter(field, 0.5 / SPACING_MM), count) < 0
    # Whole voxels make stairs, which a last smoothing takes off.
    distance = _of_volume(ndimage.gaussian_filter(_signed_distance(inside), 0.6), count) * SPACING_MM
    return TumourShape(
        name, distance.astype(np.float32), SPACING_MM, _tip(inside), float(count * SPACING_MM**3)
    )


def _of_volume(field: np.ndarray, count: int) -> np.ndarray:
    """Shift a field so that ``count`` voxels are negative: smoothing alone would shrink small tumours."""
    lowest = np.partition(field, count, axis=None)
    return field - 0.5 * (lowest[:count].max() + lowest[count])


def _signed_distance(inside: np.ndarray) -> np.ndarray:
    """Return the distance in voxels to a mask's border, half a voxel outside the last ones inside."""
    distance = ndimage.distance_transform_edt(~inside) - ndimage.distance_transform_edt(inside)
    return distance - 0.5 * np.sign(distance)


def _thickness(heights: np.ndarray) -> float:
    return float(np.median(np.diff(heights))) if heights.size > 1 else _SINGLE_SLICE_MM


def _tumours(archive: Path, split: str) -> Iterator[tuple[str, list[Contour]]]:
    documents, wanted = {}, set()
    with tarfile.open(archive) as tar:
        for member in tar:
            content = tar.extractfile(member)
            if content is None:
                continue
            match = _CONTOURS.match(member.name)
            if match:
                documents[match[1]] = json.load(content)
            elif member.name.endswith("split.csv"):
                rows = content.read().decode("utf-8").split()
                wanted = {row.split(",")[0] for row in rows[1:] if row.split(",")[1] == split}
    for name in sorted(wanted & documents.keys()):
        contours, _, _ = tumour_contours(name, documents[name])
        if contours:
            yield name, contours


def _slices(contours: list[Contour], x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the heights of the planes and, for each, the distance to its outline, negative inside."""
    planes: dict[float, list[np.ndarray]] = {}
    for contour in contours:
        pixels = (contour[:, :2] - (x[0], y[0])) / SPACING_MM
        planes.setdefault(round(float(contour[:, 2].mean()), 2), []).append(pixels)
    heights = np.array(sorted(planes))
    outlines = [fill_polygons(planes[height], (y.size, x.size)) for height in heights]
    return heights, np.array([_signed_distance(outline) for outline in outlines])


def _between(heights: np.ndarray, outlines: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Interpolate outlines between planes; the outermost ones reach half a slice further."""
    thickness = _thickness(heights)
    heights = np.concatenate([[heights[0] - thickness], heights, [heights[-1] + thickness]])
    # The mirrored distance makes every column end half-way to the added plane.
    outlines = np.concatenate([np.abs(outlines[:1]), outlines, np.abs(outlines[-1:])])
    position = np.interp(z, heights, np.arange(heights.size))
    below = np.minimum(position.astype(int), heights.size - 2)
    share = (position - below)[:, None, None]
    field = outlines[below] * (1 - share) + outlines[below + 1] * share
    field[(z < heights[0]) | (z > heights[-1])] = np.abs(field).max()
    return field


def _tip(inside: np.ndarray) -> Point3:
    """Return the middle of the outermost millimetre on the right, (x, y, z) mm."""
    k, j, i = np.nonzero(inside)
    last = i >= i.max() - 1.0 / SPACING_MM
    return point3(axis[last].mean() * SPACING_MM for axis in (i, j, k))


def _as_arrays(shapes: list[TumourShape]) -> dict[str, np.ndarray]:
    arrays = {f"{s.name}/distance": s.distance.astype(np.float16) for s in shapes}
    return arrays | {f"{s.name}/tip": np.array([*s.tip, s.volume_mm3]) for s in shapes}


def _from_arrays(arrays: dict[str, np.ndarray]) -> Iterator[TumourShape]:
    for name in sorted({key.split("/")[0] for key in arrays}):
        *tip, volume = (float(v) for v in arrays[f"{name}/tip"])
        yield TumourShape(
            name, arrays[f"{name}/distance"].astype(np.float32), SPACING_MM, triple(tip), volume
        )
