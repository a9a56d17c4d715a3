"""Whether the porus that is derived from tumour and cochlea is plausible, on the contours of VS-SEG.

python Testing/benchmarks/porus.py vs-seg-contours.tar.gz

Nobody drew the porus, so nothing here says how far it is off. Told are: how many patients have both contours,
where the plane lies, how many tumours it parts, and how wide they are there.
"""

from __future__ import annotations

import argparse
import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from VSClickCorrectLib.errors import VSClickError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import point3
from VSClickCorrectLib.measure.tumour_parts import measure_parts
from VSClickCorrectResearch.simulation.planar_contours import Contour, rasterise
from VSClickCorrectResearch.simulation.porus import porus_plane
from VSClickCorrectResearch.simulation.vs_seg import cochlea_contours, tumour_contours

_FILES = re.compile(r".*/(sub-\d+)_contours_space-individual_T1w\.json$")
_PIXEL_MM, _SLICE_MM = 0.5, 1.5


def main() -> None:
    """Derive every patient's plane and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("archive", type=Path)
    rows, left_out = [], []
    for patient, tumour, cochlea in _patients(parser.parse_args().archive):
        try:
            rows.append(_row(tumour, cochlea))
        except VSClickError as error:
            left_out.append(f"{patient}: {error}")
    names = (
        "volume mm³",
        "extrameatal %",
        "diameter mm",
        "plane to cochlea mm",
        "depth in canal mm",
        "section there mm²",
    )
    print(f"{len(rows)} patients; left out: {'; '.join(left_out) or 'none'}")
    for name, values in zip(names, np.array(rows).T, strict=True):
        low, first, middle, third, high = np.nanquantile(values, (0.05, 0.25, 0.5, 0.75, 0.95))
        rest = f"quartiles {first:7.1f} {third:7.1f}  5-95 % {low:7.1f} {high:7.1f}"
        print(f"{name:22s} median {middle:7.1f}  {rest}")
    share = np.array(rows)[:, 1]
    print(
        f"purely intrameatal {np.sum(share < 1)}, both parts {np.sum((share >= 1) & (share <= 99))}, ", end=""
    )
    print(f"purely extrameatal {np.sum(share > 99)}")


def _patients(archive: Path) -> Iterator[tuple[str, list[Contour], list[Contour]]]:
    with tarfile.open(archive) as tar:
        for member in tar:
            match, content = _FILES.match(member.name), tar.extractfile(member)
            if match and content is not None:
                structures = json.load(content)
                tumour, cochlea = tumour_contours(match[1], structures)[0], cochlea_contours(structures)
                if tumour and cochlea:
                    yield match[1], tumour, cochlea


def _row(tumour: list[Contour], cochlea: list[Contour]) -> tuple[float, ...]:
    grid = _grid(tumour)
    ours = rasterise(tumour, grid)
    # Some were drawn on the T2, so that their planes are not those of the tumour's.
    centre = np.concatenate(cochlea).mean(axis=0)
    plane = porus_plane(grid, (grid.box, ours), point3(centre))
    outside = plane.extrameatal(grid, grid.box, ours)
    parts = measure_parts(grid, grid.box, ours & ~outside, outside)
    depth = plane.depth(grid.index_to_ras(np.argwhere(ours)))
    total = parts.intrameatal_mm3 + parts.extrameatal_mm3
    return (
        total,
        100 * parts.extrameatal_mm3 / total,
        parts.diameter.mm if parts.diameter else np.nan,
        -plane.depth(centre[None])[0],
        -depth.min() if depth.min() < 0 else np.nan,
        np.count_nonzero(np.abs(depth) < 0.5) * grid.voxel_volume,
    )


def _grid(contours: list[Contour]) -> Grid:
    points = np.concatenate(contours)
    heights = np.unique(np.round([c[:, 2].mean() for c in contours], 2))
    step = float(np.median(np.diff(heights))) if len(heights) > 1 else _SLICE_MM
    low, high = points.min(axis=0) - 3, points.max(axis=0) + 3
    shape = round((heights[-1] - heights[0]) / step) + 1, *(int((high - low)[a] / _PIXEL_MM) for a in (1, 0))
    affine = np.diag([_PIXEL_MM, _PIXEL_MM, step, 1.0])
    affine[:3, 3] = (low[0], low[1], heights[0])
    return Grid(shape, affine)


if __name__ == "__main__":
    main()
