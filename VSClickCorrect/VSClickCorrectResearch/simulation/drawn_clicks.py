"""Clicks drawn for training cuts (thesis section 4.5.2.1): at random, and not too close to each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import Point3, point3


@dataclass(frozen=True)
class DrawnClicks:
    """How many clicks are drawn in each slice of a tumour, at most.

    Parameters
    ----------
    border : int
        On the border: the mask less its erosion.
    foreground : int
        Anywhere in the mask, as include clicks.
    background : int
        Just outside, the dilation less the mask, as exclude clicks.
    apart_mm : float
        Least Euclidean distance between two of a kind.
    """

    border: int = 5
    foreground: int = 0
    background: int = 0
    apart_mm: float = 4.0


def drawn_clicks(grid: Grid, truth: np.ndarray, wanted: DrawnClicks, rng: np.random.Generator) -> list[Click]:
    """Draw clicks around a mask, slice by slice.

    Parameters
    ----------
    grid : Grid
        Where the mask lies.
    truth : ndarray of bool
        The mask, ``(K, J, I)``.
    wanted : DrawnClicks
        How many of each kind.
    rng : numpy.random.Generator
        Source of chance.
    """
    clicks, order = [], grid.slice_order()
    spacing = grid.spacing_in(order)[1:]
    for k, tumour in enumerate(order.arranged(truth)):
        regions = (
            (ClickKind.BOUNDARY, wanted.border, tumour & ~ndimage.binary_erosion(tumour)),
            (ClickKind.INCLUDE, wanted.foreground, tumour),
            (ClickKind.EXCLUDE, wanted.background, ndimage.binary_dilation(tumour) & ~tumour),
        )
        for kind, count, region in regions:
            places = selected(np.argwhere(region), spacing, count, wanted.apart_mm, rng)
            clicks += [Click(ras_of(grid, (k, *place)), kind) for place in places]
    return clicks


def selected(
    places: np.ndarray, spacing: np.ndarray, count: int, apart_mm: float, rng: np.random.Generator
) -> list[np.ndarray]:
    """Return places at random, each at least so far from those before it.

    Parameters
    ----------
    places : (n, d) array of int
        To select from, in voxels.
    spacing : (d,) array
        Voxel size in mm.
    count : int
        At most.
    apart_mm : float
        Least distance in mm.
    rng : numpy.random.Generator
        Source of chance.
    """
    chosen: list[np.ndarray] = []
    for place in places[rng.permutation(len(places))]:
        if len(chosen) == count:
            break
        if all(np.linalg.norm((place - other) * spacing) >= apart_mm for other in chosen):
            chosen.append(place)
    return chosen


def ras_of(grid: Grid, place: Sequence[int]) -> Point3:
    """Return the point, RAS mm, of a voxel: its slice as it was acquired, row and column."""
    order, index = grid.slice_order(), np.zeros(3, int)
    for value, axis, flip in zip(place, order.axes, order.flips, strict=True):
        index[axis] = grid.shape[axis] - 1 - value if flip else value
    return point3(grid.index_to_ras(index))
