"""Where a file's header says that its image lies: in one place, in two, or in none.

ITK decides, as it does for Slicer, so that an image and its masks lie at one place in both. Of a NIfTI file
the sform counts where it has no shear and either its code is 1 (scanner), or there is no qform, or both
agree; else the qform counts. With neither, and in NRRD files that name no anatomical space, the axes are
taken for those of LPS. What ITK placed is held against the header here, and what a person should know of it
is told.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid, transformed
from VSClickCorrectLib.io.nifti import NiftiHeader
from VSClickCorrectLib.io.nrrd import NrrdHeader

# In voxels.
_TOLERANCE = 0.1


def names_sides(header: object) -> bool:
    """Whether a header says which way the axes run in the patient."""
    if isinstance(header, NiftiHeader):
        return bool(header.qform or header.sform)
    return header.sides if isinstance(header, NrrdHeader) else True


def remarks_on(header: object, grid: Grid, path: Path) -> tuple[str, ...]:
    """Return what a person should know of the place at which an image was read.

    Parameters
    ----------
    header : NiftiHeader, NrrdHeader or another
        The file's header.
    grid : Grid
        Where ITK placed its image.
    path : Path
        The file.

    Raises
    ------
    ImageError
        If the image lies elsewhere than its header says.
    """
    if not names_sides(header):
        return (
            f"The header of {path} does not say where the image lies nor which side is left; it was placed "
            "as Slicer does, the first axis to the left, and no side is told.",
        )
    if isinstance(header, NiftiHeader):
        return _two_places(header, grid, path)
    if isinstance(header, NrrdHeader) and not header.origin:
        return (f"The header of {path} does not say where the image lies; it was placed at the origin.",)
    return ()


def _two_places(header: NiftiHeader, grid: Grid, path: Path) -> tuple[str, ...]:
    away = {name: _distance(grid, form) for name, form in _forms(header).items()}
    used = min(away, key=lambda name: away[name][0])
    if away[used][0] > _TOLERANCE:
        raise ImageError(
            f"{path} would not lie where its {used} says, but {away[used][1]:.1f} mm away; export it again."
        )
    other = max(away, key=lambda name: away[name][0])
    if away[other][0] <= _TOLERANCE:
        return ()
    return (
        f"The header of {path} names two places: the image lies where the {used} says, as in Slicer, up to "
        f"{away[other][1]:.1f} mm from where the {other} says; if it belongs there, copy that to the {used}.",
    )


def _forms(header: NiftiHeader) -> dict[str, np.ndarray]:
    """Return the affines, IJK to RAS mm, that the header names."""
    forms = {}
    if header.sform:
        forms["sform"] = header.unit_mm * np.reshape(header.sform, (3, 4))
    if header.qform:
        *quaternion, x, y, z, third = header.qform
        turn = _rotation(np.array(quaternion)) * np.array(header.spacing) * (1.0, 1.0, third)
        forms["qform"] = header.unit_mm * np.column_stack([turn, (x, y, z)])
    return forms


def _rotation(vector: np.ndarray) -> np.ndarray:
    """Return the rotation of a unit quaternion, given all but its real part, which is not negative."""
    real = math.sqrt(max(0.0, 1.0 - float(vector @ vector)))
    return np.reshape(sitk.VersorTransform([*vector.tolist(), real]).GetMatrix(), (3, 3))


def _distance(grid: Grid, form: np.ndarray) -> tuple[float, float]:
    """Return how far a corner of an image lies at most from where a form has it: in voxels, and in mm."""
    corners = grid.corners_ijk
    told = transformed(corners, form)
    voxels = np.abs(grid.ras_to_ijk(told) - corners).max()
    return float(voxels), float(np.linalg.norm(told - grid.ijk_to_ras(corners), axis=1).max())
