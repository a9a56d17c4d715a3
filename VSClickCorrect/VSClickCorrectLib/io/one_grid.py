"""The sequences of one examination on one grid, by ITK."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import SimpleITK as sitk

from VSClickCorrectLib.errors import ImageError, enough_memory
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case, Scan, Volume
from VSClickCorrectLib.io.pairing import paired


def case_of(
    t1ce: Volume | None, t2: Volume | None, different_patients: bool = False, mask: Scan | None = None
) -> Case:
    """Return the sequences of one examination, and of a mask, as a case; the T2 on the T1ce's grid.

    Parameters are those of `paired`.

    Raises
    ------
    ImageError
        If both are missing, are of different PatientIDs and ``different_patients`` does not say that this is
        right, or their fields of view do not meet.
    """
    t1ce, t2 = paired(t1ce, t2, different_patients, mask)
    if t1ce is not None and t2 is not None and not t1ce.grid.matches(t2.grid):
        t2 = resample_to_grid(t2, t1ce.grid)
    return Case(t1ce, t2)


@enough_memory()
def resample_to_grid(volume: Volume, grid: Grid) -> Volume:
    """Resample a co-registered volume linearly onto another grid; its least value outside its field of view.

    So networks see nothing there: 0 would be tissue where values run below it, and where they begin far above
    it, as of scanners that add an offset, it would leave no contrast to what was imaged.

    Raises
    ------
    ImageError
        If the fields of view do not meet.
    """
    image = image_of(volume.array, volume.grid)
    coverage = _resampled(sitk.Image(image.GetSize(), sitk.sitkUInt8) + 1, image, grid)
    if not coverage.any():
        raise ImageError(
            "the fields of view of the T1ce and the T2 do not meet; "
            "check that both are of the same patient and registered."
        )
    return replace(volume, array=_resampled(image, image, grid, float(volume.array.min())), grid=grid)


def _resampled(values: sitk.Image, geometry: sitk.Image, grid: Grid, outside: float = 0.0) -> np.ndarray:
    values.CopyInformation(geometry)
    # Of one voxel: one of the grid's size would take memory for its place alone.
    at = image_of(np.zeros((1, 1, 1), np.uint8), grid)
    place = at.GetOrigin(), at.GetSpacing(), at.GetDirection()
    resampled = sitk.Resample(values, grid.shape[::-1], sitk.Transform(), sitk.sitkLinear, *place, outside)
    return sitk.GetArrayFromImage(resampled)


def image_of(array: np.ndarray, grid: Grid) -> sitk.Image:
    """Return an array ``(K, J, I)`` on a grid as an ITK image, which lies in LPS."""
    image = sitk.GetImageFromArray(array)
    lps = grid.affine_lps
    image.SetSpacing([float(s) for s in grid.spacing])
    image.SetOrigin([float(o) for o in lps[:3, 3]])
    image.SetDirection([float(d) for d in (lps[:3, :3] / grid.spacing).ravel()])
    return image
