"""The plane of the porus, which parts what lies in the internal auditory canal from what lies outside it.

Nobody draws that plane; here it is derived, from where the cochlea lies and from where the tumour widens. It
is a stand-in for what a reader sees of the bone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import Point3, point3

# Where tumours of VS-SEG lie, seen from the cochlea's centre, in mm: a point on the canal's axis near the
# fundus (medial, anterior, superior), and the plane's distance from it. Of all directions this one, 40° from
# medial towards the back as the petrous bone's posterior face runs, parts canal from cistern most sharply.
_AXIS = np.array([0.0, -3.5, 2.2])
_TILT = math.radians(40)
_DEPTH_MM = 7.5
# A tumour that widens within this reach of the plane tells where its own porus is: a little before it widens
# most.
_REACH_MM = 2.5
_LEAD_MM = 1.0
_STEP_MM = 0.5
_SMOOTH_MM = 1.0
# Over a millimetre a section grows by so many mm² at a porus; in the canal and in the cistern it does not.
_WIDENS_MM2 = 15.0
_NEIGHBOURS = np.ones((3, 3, 3), bool)

Piece = tuple[Box, np.ndarray]


@dataclass(frozen=True)
class PorusPlane:
    """A plane; what its normal points to is extrameatal.

    Parameters
    ----------
    point_ras : tuple of 3 float
        Any of its points, RAS mm.
    normal_ras : tuple of 3 float
        Of length 1, out of the canal.
    """

    point_ras: Point3
    normal_ras: Point3

    def depth(self, points_ras: np.ndarray) -> np.ndarray:
        """Return how far points ``(n, 3)`` lie outside the canal, mm; negative in it."""
        return (np.asarray(points_ras) - self.point_ras) @ np.asarray(self.normal_ras)

    def extrameatal(self, grid: Grid, box: Box, values: np.ndarray) -> np.ndarray:
        """Return those voxels of a mask whose centres lie outside the canal.

        Parameters
        ----------
        grid : Grid
            The grid of the whole image.
        box : Box
            Where the mask is.
        values : ndarray of bool
            The mask in the box.
        """
        voxels = np.argwhere(values)
        outside = np.zeros(values.shape, bool)
        outside[tuple(voxels[self.depth(grid.index_to_ras(voxels + box.start)) > 0].T)] = True
        return outside


def porus_normal(side: str) -> Point3:
    """Return the direction, RAS, out of the canal of a ``right`` or ``left`` ear; the head lies straight."""
    medial = -1.0 if side == "right" else 1.0
    return medial * math.cos(_TILT), -math.sin(_TILT), 0.0


def porus_plane(grid: Grid, tumour: Piece, cochlea_ras: Point3) -> PorusPlane:
    """Derive the plane of the porus from a tumour and where the cochlea beside it lies.

    The cochlea lies in the same bone as the canal, so the plane is expected at a fixed place beside it. Where
    the tumour widens sharply within 2.5 mm of that place, as it does where it leaves the canal, the plane is
    put there. What came of it in 118 patients of VS-SEG stands in ``Resources/Docs/data.md``.

    Parameters
    ----------
    grid : Grid
        The grid of the whole image; the head is taken to lie about straight in it.
    tumour : tuple of Box and ndarray of bool
        The mask in a box that holds it.
    cochlea_ras : tuple of 3 float
        The cochlea's centre, RAS mm; see `cochlea_centre`.

    Raises
    ------
    ImageError
        If the tumour is empty, or lies neither left nor right of the cochlea.
    """
    points = _points(grid, tumour, "tumour")
    medial = float(np.sign(points.mean(axis=0)[0] - cochlea_ras[0]))
    if not medial:
        raise ImageError("the tumour lies neither left nor right of the cochlea; check both masks.")
    normal = np.array(porus_normal("left" if medial > 0 else "right"))
    start = cochlea_ras + _AXIS * (medial, 1, 1)
    depth = _widening((points - start) @ normal, grid.voxel_volume)
    return PorusPlane(point3(start + depth * normal), point3(normal))


def cochlea_centre(grid: Grid, cochlea: Piece, tumour: Piece) -> Point3:
    """Return the centre of the cochlea beside a tumour, RAS mm; of both ears' that which is nearer.

    Raises
    ------
    ImageError
        If either mask is empty.
    """
    place = _points(grid, tumour, "tumour").mean(axis=0)
    _points(grid, cochlea, "cochlea")
    box, values = cochlea
    labels, count = ndimage.label(values, _NEIGHBOURS)
    middles = np.array(ndimage.center_of_mass(values, labels, range(1, count + 1))) + box.start
    centres = grid.index_to_ras(middles)
    # What is stray is no cochlea: of parts about as large as the largest, the nearest.
    sizes = np.bincount(labels.ravel())[1:]
    centres = centres[sizes * 2 >= sizes.max()]
    return point3(centres[np.argmin(np.linalg.norm(centres - place, axis=1))])


def _widening(depths: np.ndarray, voxel_mm3: float) -> float:
    """Return how deep, in mm, the tumour begins to widen, or the place where that is expected."""
    most = _DEPTH_MM + _LEAD_MM
    edges = np.arange(most - 3 * _REACH_MM, most + 3 * _REACH_MM + _STEP_MM, _STEP_MM)
    sections = np.histogram(depths, edges)[0] * voxel_mm3 / _STEP_MM
    grows = np.gradient(ndimage.gaussian_filter1d(sections, _SMOOTH_MM / _STEP_MM), _STEP_MM)
    places = (edges[:-1] + edges[1:]) / 2
    near = np.abs(places - most) <= _REACH_MM
    best = int(np.argmax(grows[near]))
    return float(places[near][best]) - _LEAD_MM if grows[near][best] >= _WIDENS_MM2 else _DEPTH_MM


def _points(grid: Grid, piece: Piece, what: str) -> np.ndarray:
    box, values = piece
    voxels = np.argwhere(values)
    if not len(voxels):
        raise ImageError(f"the mask of the {what} is empty, so the porus cannot be derived; draw it first.")
    return grid.index_to_ras(voxels + box.start)
