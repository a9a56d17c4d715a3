"""Maps of classes: label maps whose numbers stand for classes, 1 for the first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.placement import placed_on
from VSClickCorrectLib.io.image_files import read_image
from VSClickCorrectLib.io.images import read_volume
from VSClickCorrectLib.io.nrrd import SUFFIX
from VSClickCorrectLib.io.tumour_label import segments_of


def read_class_map(path: Path, grid: Grid, count: int, names: Sequence[str] = ()) -> np.ndarray:
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
    names : sequence of str, optional
        What they are called, against which the segments of a ``.seg.nrrd`` are held.

    Returns
    -------
    ndarray of uint8
        Shape ``grid.shape``.

    Raises
    ------
    ImageError
        If it cannot be read, holds anything else, numbers the classes otherwise, or lies on another grid or
        beyond the image.
    """
    volume = read_volume(path)
    _check_names(path, names)
    wrong = [value for value in np.unique(volume.array) if value not in range(count + 1)]
    if wrong:
        raise ImageError(
            f"{path} holds the value {wrong[0]:g}, but the classes are numbered from 1 to {count}; "
            "name as many classes as it has, or number them anew."
        )
    return placed_on(grid, volume.array.astype(np.uint8), volume.grid, path)


def _check_names(path: Path, names: Sequence[str]) -> None:
    """Refuse segments that are called as a class of another number."""
    if not names or not path.name.lower().endswith(SUFFIX):
        return
    segments = segments_of(read_image(path), path)
    for number, name in enumerate(names, 1):
        there = next((one.value for one in segments if one.is_called(name)), number)
        if there != number:
            raise ImageError(
                f"{path} has {name} as number {there}, not {number}; name the classes in the order of its "
                "numbers."
            )
