"""A tumour's parts where only the tumour and the cochlea were drawn: the porus between them is derived."""

from __future__ import annotations

import numpy as np
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.measure.tumour_parts import COCHLEA, EXTRAMEATAL, INTRAMEATAL, PARTS

from VSClickCorrectResearch.simulation.porus import cochlea_centre, porus_plane

# What the record of such a case says of how its classes came about.
DERIVED = {"classes": list(PARTS), "porus": "derived from tumour and cochlea"}


def derived_parts(grid: Grid, tumour: np.ndarray, cochlea: np.ndarray) -> np.ndarray:
    """Return the numbers of `PARTS`, uint8 ``(K, J, I)``; where both masks lie it is tumour.

    Parameters
    ----------
    grid : Grid
        Of both masks.
    tumour, cochlea : ndarray of bool
        ``(K, J, I)``.

    Raises
    ------
    ImageError
        If either is empty, or the porus cannot be derived.
    """
    ours = Box.around(tumour)
    piece = ours, tumour[ours.slices]
    plane = porus_plane(grid, piece, cochlea_centre(grid, (grid.box, cochlea), piece))
    number = {name: n for n, name in enumerate(PARTS, 1)}
    classes = np.where(cochlea, number[COCHLEA], 0).astype(np.uint8)
    classes[tumour] = number[INTRAMEATAL]
    classes[ours.slices][plane.extrameatal(grid, *piece)] = number[EXTRAMEATAL]
    return classes
