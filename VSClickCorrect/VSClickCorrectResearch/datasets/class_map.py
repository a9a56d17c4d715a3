"""Maps of classes: label maps whose numbers stand for classes, 1 for the first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.placement import placed_on
from VSClickCorrectLib.io.images import read_volume


def read_class_map(path: Path, grid: Grid, count: int) -> np.ndarray:
    """Read a label map of several classes and place it on ``grid``.

    Parameters
    ----------
    path : Path
        NIfTI or NRRD; its voxels may be stored in another order than the image's, and reach less far or
        farther.
    grid : Grid
        The grid of the volume it belongs to.
    count : int
        How many classes there are: the map may hold 0, the background, to ``count``.

    Returns
    -------
    ndarray of uint8
        Shape ``grid.shape``.

    Raises
    ------
    ImageError
        If it cannot be read, holds anything else, or lies on another grid or beyond the image.
    """
    volume = read_volume(path)
    wrong = [value for value in np.unique(volume.array) if value not in range(count + 1)]
    if wrong:
        raise ImageError(
            f"{path} holds the value {wrong[0]:g}, but the classes are numbered from 1 to {count}; "
            "name as many classes as it has, or number them anew."
        )
    return placed_on(grid, volume.array.astype(np.uint8), volume.grid, path)
