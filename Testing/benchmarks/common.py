"""What the benchmarks share: a full-size case and a description of the machine."""

from __future__ import annotations

import argparse
import os
import platform
from pathlib import Path

import numpy as np
import torch
from VSClickCorrectLib.imaging.grid import Grid
from VSClickCorrectLib.imaging.io import read_case, resample_to_grid
from VSClickCorrectLib.imaging.volume import Case
from VSClickCorrectLib.simulation.synthesis import demo_case

SHAPE, SPACING = (120, 512, 512), (0.41, 0.41, 1.5)


def options(description: str) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--t1ce", type=Path, help="measure on this scan instead of the synthetic one")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    return parser.parse_args()


def machine(threads: int) -> str:
    """Return a line on processor, threads and versions."""
    torch.set_num_threads(threads)
    return f"{platform.machine()}, {os.cpu_count()} cores, {threads} threads, torch {torch.__version__}"


def full_size_case(t1ce: Path | None) -> tuple[Case, np.ndarray]:
    """Return a case of 512×512×120 voxels and a tumour mask on it (a ball where no truth is known)."""
    if t1ce is not None:
        case = read_case(t1ce, None)
        return case, _ball(case.grid)
    made = demo_case(0)
    affine = np.diag([-SPACING[0], -SPACING[1], SPACING[2], 1.0])
    affine[:3, 3] = made.grid.center_ras - affine[:3, :3] @ ((np.array(SHAPE[::-1]) - 1) / 2)
    grid = Grid(SHAPE, affine)
    return Case(resample_to_grid(made.t1ce, grid), resample_to_grid(made.t2, grid)), _ball(
        grid, made.site_ras
    )


def _ball(grid: Grid, center=None) -> np.ndarray:
    center = grid.center_ras if center is None else center
    k, j, i = np.indices(grid.shape, sparse=True)
    at, spacing = grid.ras_to_ijk(center), grid.spacing
    squared = sum(((a - c) * s) ** 2 for a, c, s in zip((i, j, k), at, spacing, strict=True))
    return squared < 7.0**2
