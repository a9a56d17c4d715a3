"""What the simulator is made of: heads with their canals, and the shapes of real tumours."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import Point3


class Tissue(IntEnum):
    """What a voxel of a head is made of, as far as the simulator tells it apart."""

    BACKGROUND = 0  # air, also outside the head
    CSF = 1
    BRAIN = 2
    BONE = 3  # dark: bone, air cells, dura's shadow
    SOFT = 4  # scalp, fat, muscle, mucosa: everything else bright outside the brain


@dataclass(frozen=True)
class Canal:
    """The internal auditory canal of one side.

    Parameters
    ----------
    porus_ras : tuple of float
        Opening into the cerebellopontine angle, RAS mm of the head's grid.
    fundus_ras : tuple of float
        Blind lateral end, RAS mm.
    """

    porus_ras: Point3
    fundus_ras: Point3


@dataclass(frozen=True)
class Cochlea:
    """The cochlea of one side, an ellipsoid along the head's axes.

    Parameters
    ----------
    center_ras, radii : tuple of 3 float
        RAS mm, and mm along R, A and S.
    """

    center_ras: Point3
    radii: Point3


@dataclass(frozen=True, eq=False)
class Head:
    """A head without a schwannoma, the background of simulated cases.

    Parameters
    ----------
    name : str
        Unique among the heads.
    grid : Grid
        Axis-aligned in RAS: its affine is diagonal but for the origin.
    t1, t2 : ndarray of float32, shape (k, j, i)
        Intensities from 0 to 1, where 1 is the 99.8th percentile of the head. ``t2`` is synthesised
        from ``t1`` and ``tissue`` where the head has no T2 of its own.
    tissue : ndarray of uint8, shape (k, j, i)
        Values of `Tissue`.
    canals : dict
        `Canal` of the patient's ``"right"`` and ``"left"``.
    contrast : bool
        Whether ``t1`` was acquired after contrast agent.
    cochleas : dict
        `Cochlea` of both sides where they were drawn; empty for a real head, in which nobody drew them.
    """

    name: str
    grid: Grid
    t1: np.ndarray
    t2: np.ndarray
    tissue: np.ndarray
    canals: dict[str, Canal]
    contrast: bool
    cochleas: dict[str, Cochlea] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class TumourShape:
    """The shape of a real tumour, as that of a right side (left ones are mirrored).

    The frame is the shape's own: voxel ``[0, 0, 0]`` is its origin, x runs to the patient's right, y to
    anterior and z to superior, so that index ``(k, j, i)`` lies at ``spacing * (i, j, k)`` mm. Lateral
    is therefore +x.

    Parameters
    ----------
    name : str
        The case it comes from.
    distance : ndarray of float32, shape (k, j, i)
        Signed distance to the surface in mm, negative inside, on an isotropic grid.
    spacing : float
        Voxel size in mm.
    tip : tuple of float
        Lateral end, the part in the canal, as ``(x, y, z)`` mm.
    volume_mm3 : float
        Volume of the shape.
    """

    name: str
    distance: np.ndarray
    spacing: float
    tip: Point3
    volume_mm3: float
