"""The internal auditory canal, the inner ear and the nerves that reach it, as fluid and thin tubes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from VSClickCorrectLib.geometry.triples import Point3, point3

from VSClickCorrectResearch.simulation.enhancement import Patch, TumourFrame
from VSClickCorrectResearch.simulation.fields import coverage, ellipsoid, smooth_path, tube
from VSClickCorrectResearch.simulation.head import Canal, Cochlea, Tissue

CANAL_RADII = (1.9, 2.8)  # mm, the least and the largest
COCHLEA_RADII = (2.4, 2.4, 2.0)
# Middle of the cochlea beside the fundus, mm: as it was drawn from the first, and as in VS-SEG, where the
# canal's axis runs 3.5 mm behind and 2.2 mm above it and tumours reach about as far lateral as its middle.
COCHLEA_PLACE, MEASURED_PLACE = (3.5, 3.5, -1.0), (-0.5, 3.5, -2.2)
LABYRINTH_RADIUS = 1.1
_FLARE_MM = 1.2
NERVE_LOOK = (0.34, 0.4)  # T1, T2
_NERVE_RADIUS = 0.6


@dataclass(frozen=True, eq=False)
class InnerEar:
    """Courses of the fluid spaces of a right inner ear; those of a left one are their mirror image.

    Parameters
    ----------
    porus, fundus : ndarray, shape (3,)
        Ends of the canal, mm to the right, anterior and superior.
    radius : float
        Of the canal, mm.
    place : tuple of float
        Where the cochlea's middle lies, seen from the fundus.
    """

    porus: np.ndarray
    fundus: np.ndarray
    radius: float
    place: Point3 = COCHLEA_PLACE

    @property
    def mouth(self) -> tuple[tuple[np.ndarray, ...], float]:
        """Course and radius, mm, of the flaring way from the cistern to the porus."""
        return (self.porus - (5, 2, 0), self.porus), self.radius + _FLARE_MM

    @property
    def canal(self) -> tuple[tuple[np.ndarray, ...], float]:
        """Course and radius, mm, of the canal."""
        return (self.porus - (1, 0, 0), (self.porus + self.fundus) / 2, self.fundus), self.radius

    @property
    def labyrinth(self) -> tuple[tuple[np.ndarray, ...], float]:
        """Course and radius, mm, of vestibule and semicircular canals, much simplified."""
        return tuple(self.fundus + way for way in ((2, -2, 0), (6, -5, 1), (5, -8, 0))), LABYRINTH_RADIUS

    @property
    def cochlea(self) -> np.ndarray:
        """Middle of the cochlea."""
        return self.fundus + self.place


def draw_inner_ear(
    patch: Patch,
    canal: Canal,
    sign: int,
    radius: float,
    fluid: tuple[float, float],
    place: Point3 = COCHLEA_PLACE,
) -> Cochlea:
    """Draw the fluid spaces of one side over whatever is there, and return where the cochlea is.

    Parameters
    ----------
    patch : Patch
        Drawn on, tissues too.
    canal : Canal
        Of that side.
    sign : int
        1 for the right, -1 for the left.
    radius : float
        Of the canal, mm.
    fluid : tuple of float
        Intensities in T1 and T2.
    place : tuple of float
        As for `InnerEar`.
    """
    mirror = np.array((sign, 1, 1))
    ear = InnerEar(np.array(canal.porus_ras) * mirror, np.array(canal.fundus_ras) * mirror, radius, place)
    for window, distance in _spaces(patch, ear, mirror):
        share = coverage(distance, patch.lattice.spacing)
        patch.blend(window, share, *fluid)
        patch.tissue[window][share > 0.5] = Tissue.CSF
    return Cochlea(point3(ear.cochlea * mirror), COCHLEA_RADII)


def _spaces(patch: Patch, ear: InnerEar, mirror: np.ndarray) -> Iterator:
    for points, radius in (ear.mouth, ear.canal, ear.labyrinth):
        yield from tube(patch.lattice, smooth_path(np.array(points) * mirror, 1.5), radius)
    yield ellipsoid(patch.lattice, ear.cochlea * mirror, COCHLEA_RADII)


def draw_nerves(
    patch: Patch, frame: TumourFrame, canals: dict[str, Canal], look: tuple[float, float] = NERVE_LOOK
) -> None:
    """Draw the nerves on their way from the brainstem to the fundus; ``look`` is T1 and T2 of a nerve."""
    for canal, sign in ((canals["right"], 1), (canals["left"], -1)):
        for shift in (-0.9, 0.9):
            root = frame.points((15, -10, -2 + shift), sign)
            path = smooth_path(
                [root, np.add(canal.porus_ras, (0, shift, shift)), np.add(canal.fundus_ras, (0, shift, 0))],
                1.5,
            )
            for window, distance in tube(patch.lattice, path, _NERVE_RADIUS):
                share = 0.8 * coverage(distance, patch.lattice.spacing) * patch.within(window, CSF=1)
                patch.blend(window, share, *look)
