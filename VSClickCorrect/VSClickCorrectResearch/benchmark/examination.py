"""The examination on which everything is measured: one synthetic head, on grids of growing size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.resampling import distances
from VSClickCorrectLib.geometry.triples import Index3, Point3, point3
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.io.images import read_case, write_volume
from VSClickCorrectLib.io.one_grid import resample_to_grid

from VSClickCorrectResearch.benchmark.errors import BenchmarkError
from VSClickCorrectResearch.simulation.synthesis import demo_case

RADIUS_MM = 7.0


@dataclass(frozen=True)
class Size:
    """A volume size.

    Parameters
    ----------
    shape : tuple of int
        Voxels, ``(k, j, i)``.
    spacing : tuple of float
        Voxel size in mm, ``(i, j, k)``.
    """

    shape: Index3
    spacing: Point3 = (0.41, 0.41, 1.5)

    def __str__(self) -> str:
        k, j, i = self.shape
        return f"{i}×{j}×{k}" + (f", slices of {self.spacing[2]:g} mm" if self.spacing[2] != 1.5 else "")


# Of one voxel size, so that what grows is the volume alone; the last one shows what thinner slices cost.
SIZES = (
    Size((40, 384, 384)),
    Size((80, 448, 448)),
    Size((120, 512, 512)),
    Size((240, 512, 512)),
    Size((240, 512, 512), (0.41, 0.41, 0.75)),
)


@dataclass(frozen=True)
class BenchmarkCase:
    """Files of an examination, and where its tumour is.

    Parameters
    ----------
    size : Size
        Of both sequences.
    t1ce, t2 : Path or None
        The files.
    site_ras : tuple of float
        The middle of the tumour, mm.
    """

    size: Size
    t1ce: Path | None
    t2: Path | None
    site_ras: Point3

    def read(self) -> Case:
        """Read the files, as a user interface does."""
        return read_case(self.t1ce, self.t2)

    def ball(self, grid: Grid) -> np.ndarray:
        """Return a ball of 7 mm round the tumour's middle, bool of the grid's shape: a mask to correct."""
        box = grid.box_around(self.site_ras, RADIUS_MM + 1)
        values = np.zeros(grid.shape, bool)
        values[box.slices] = distances(grid, box, self.site_ras) < RADIUS_MM
        return values


def write_examinations(folder: Path, sizes: tuple[Size, ...]) -> list[BenchmarkCase]:
    """Make the synthetic head and write it, on a grid of every size, as ``.nii.gz`` files.

    The tumour lies in the middle of every grid, so that small ones hold it too; what a large grid has beyond
    the head is air.
    """
    made = demo_case(0)
    return [_written(folder / str(number), made, size) for number, size in enumerate(sizes)]


def examination_of(t1ce: Path | None, t2: Path | None, segmenter: InitialSegmenter) -> BenchmarkCase:
    """Return a real scan as an examination; its tumour is where the initial networks see it.

    Raises
    ------
    ImageError
        If the files cannot be read.
    BenchmarkError
        If the networks see none.
    """
    case = read_case(t1ce, t2)
    found = segmenter.segment(case)
    if not found.found:
        raise BenchmarkError(f"no tumour is found on {t1ce or t2}; measure on another scan.")
    index = np.argwhere(found.values).mean(axis=0).round().astype(int) + found.box.start
    site = point3(case.grid.index_to_ras(index))
    return BenchmarkCase(Size(case.grid.shape, point3(case.grid.spacing.round(2))), t1ce, t2, site)


def _written(folder: Path, made, size: Size) -> BenchmarkCase:
    folder.mkdir(parents=True)
    middle = (np.array(size.shape[::-1]) - 1) / 2
    affine = np.diag([-size.spacing[0], -size.spacing[1], size.spacing[2], 1.0])
    affine[:3, 3] = np.asarray(made.site_ras) - affine[:3, :3] @ middle
    grid = Grid(size.shape, affine)
    paths = {name: folder / f"{name}.nii.gz" for name in ("t1ce", "t2")}
    for name, path in paths.items():
        write_volume(path, resample_to_grid(getattr(made, name), grid))
    return BenchmarkCase(size, paths["t1ce"], paths["t2"], point3(made.site_ras))
