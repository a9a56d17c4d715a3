"""Bringing the T2 to the T1ce: known matrices, and rigid registration where there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import SimpleITK as sitk

from VSClickCorrectLib.errors import ImageError, enough_memory
from VSClickCorrectLib.geometry.grid import LPS_FROM_RAS, Grid, transformed
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.io.one_grid import image_of

# Coarse to fine: the voxels on which the sequences are compared, mm.
_LEVELS_MM = (4.0, 2.0, 1.0)
_BINS = 48
_SAMPLES_AT_MOST = 40_000
# Into so many parts an axis of a field of view is divided to see how much of it overlaps.
_PARTS = 32
# What messages call the two, if nothing else is said.
SEQUENCES = ("the T1ce", "the T2")
# On synthetic scans 0.3 mm off; unrelated images and those that are registered already gain less.
_LEAST_GAIN = 0.002


@dataclass(frozen=True, eq=False)
class Registration:
    """How a T2 was registered to a T1ce, and how well.

    Parameters
    ----------
    matrix : (4, 4) array
        RAS mm of the T1ce's frame to RAS mm of the T2's: the identity where the registration did not help.
    improved : bool
        Whether it raised the normalised mutual information by more than chance does.
    nmi_before, nmi_after : float
        Normalised mutual information, (H(a) + H(b)) / H(a, b), between 1 and 2, by the headers' geometry
        and as registered.
    translation_mm, rotation_degrees : float
        What the registration found: how far it moves the middle of the T2, and by what angle it turns it.
    overlap : float
        Share of the T2's field of view that lies in the T1ce's, as registered.
    """

    matrix: np.ndarray
    improved: bool
    nmi_before: float
    nmi_after: float
    translation_mm: float
    rotation_degrees: float
    overlap: float


@enough_memory()
def register(
    t1ce: Volume,
    t2: Volume,
    progress: Callable[[float, str], None] = lambda fraction, message: None,
    names: tuple[str, str] = SEQUENCES,
) -> Registration:
    """Register a T2 to the T1ce of the same examination, rigidly, by Mattes' mutual information.

    Two scans of a head that were made on different days, of any sequence, are registered as well.

    The search begins where the headers put the two, since scans of one examination share a scanner's frame;
    only where their fields of view do not meet does it begin with middle on middle. It turns about the
    middle of the T2 and goes from coarse to fine.

    Parameters
    ----------
    t1ce, t2 : Volume
        The sequences, each on its own grid.
    progress : callable, optional
        Called with a fraction between 0 and 1 and what is going on.
    names : tuple of 2 str
        What messages call the two.

    Raises
    ------
    ImageError
        If nothing in the two can be compared.
    """
    # Who only reads what a registration found waits for no import.
    from scipy.spatial.transform import Rotation

    unmoved, middle = np.eye(4), t2.grid.center_ras
    overlap_before = overlap_share(t1ce, t2, unmoved)
    shift = t1ce.grid.center_ras - middle if overlap_before == 0 else np.zeros(3)
    center, translation = ((LPS_FROM_RAS[:3, :3] @ vector).tolist() for vector in (middle, shift))
    # From the T2's frame to the T1ce's, LPS.
    transform: sitk.Transform = sitk.Euler3DTransform(center, 0.0, 0.0, 0.0, translation)
    for number, size in enumerate(_LEVELS_MM):
        progress(number / len(_LEVELS_MM), f"registering {names[1]} to {names[0]}")
        found = _refined(_coarse(t2, size), _coarse(t1ce, size), transform, size)
        if found is None:
            raise ImageError(
                f"{names[1]} cannot be registered to {names[0]}, too little of the two overlaps; "
                "check that both are of the same patient."
            )
        transform = found
    matrix = np.linalg.inv(ras_matrix(transform))
    before, after = (mutual_information(t1ce, t2, m) for m in (unmoved, matrix))
    overlap = overlap_share(t1ce, t2, matrix)
    # Where little overlaps, mutual information says little.
    improved = after > before + _LEAST_GAIN and overlap >= 0.5 * overlap_before
    return Registration(
        matrix if improved else unmoved,
        improved,
        before,
        after,
        float(np.linalg.norm(transformed(middle, np.linalg.inv(matrix)) - middle)),
        float(np.degrees(Rotation.from_matrix(matrix[:3, :3]).magnitude())),
        overlap,
    )


def moved(volume: Volume, matrix: np.ndarray) -> Volume:
    """Return a volume where a registration puts it; not a voxel is resampled.

    Parameters
    ----------
    volume : Volume
        The T2.
    matrix : (4, 4) array
        RAS mm of the T1ce's frame to RAS mm of the T2's, rigid.
    """
    return replace(volume, grid=Grid(volume.grid.shape, np.linalg.inv(matrix) @ volume.grid.affine))


def ras_matrix(transform: sitk.Transform) -> np.ndarray:
    """Return a linear transform of ITK, which maps LPS, as the matrix of RAS mm."""
    matrix = np.eye(4)
    matrix[:3, 3] = transform.TransformPoint((0.0, 0.0, 0.0))
    for n, unit in enumerate(np.eye(3)):
        matrix[:3, n] = np.array(transform.TransformPoint(unit.tolist())) - matrix[:3, 3]
    return LPS_FROM_RAS @ matrix @ LPS_FROM_RAS


def _coarse(volume: Volume, size_mm: float) -> sitk.Image:
    """Return a smoothed copy with voxels of about ``size_mm``, where they are smaller."""
    # What fills an image would smear its edges far below all tissue.
    array = np.maximum(volume.array, volume.intensity_range[0], dtype=np.float32)
    image = image_of(array, volume.grid)
    factors = [max(1, round(size_mm / s)) for s in volume.grid.spacing]
    # No axis may be averaged away.
    factors = [min(f, max(1, n // 8)) for f, n in zip(factors, image.GetSize(), strict=True)]
    return sitk.BinShrink(image, factors)


def _refined(
    fixed: sitk.Image, moving: sitk.Image, start: sitk.Transform, size_mm: float
) -> sitk.Transform | None:
    """Return a better transform than ``start``; None if too little of the two overlaps."""
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(_BINS)
    share = min(1.0, _SAMPLES_AT_MOST / fixed.GetNumberOfPixels())
    method.SetMetricSamplingStrategy(method.REGULAR if share < 1 else method.NONE)
    method.SetMetricSamplingPercentage(share, seed=1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(size_mm / 2, size_mm / 200, 150)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(sitk.Euler3DTransform(start), inPlace=False)
    # The same sums in the same order, whatever the machine.
    method.SetNumberOfThreads(1)
    try:
        with enough_memory():
            found = method.Execute(fixed, moving)
        return sitk.Euler3DTransform(sitk.CompositeTransform(found).GetNthTransform(0))
    except RuntimeError:
        return None


def _sampled(t1ce: Volume, t2: Volume, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return T2 and T1ce at points of the T2's, and which of these lie in the T1ce's field of view."""
    fixed = _coarse(t2, 2.0)
    inverse = LPS_FROM_RAS @ np.linalg.inv(matrix) @ LPS_FROM_RAS
    transform = sitk.AffineTransform(inverse[:3, :3].ravel().tolist(), inverse[:3, 3].tolist())
    moving = _coarse(t1ce, 2.0)
    values = sitk.GetArrayFromImage(sitk.Resample(moving, fixed, transform, sitk.sitkLinear, np.nan))
    return sitk.GetArrayFromImage(fixed), values, np.isfinite(values)


def overlap_share(t1ce: Volume, t2: Volume, matrix: np.ndarray) -> float:
    """Return the share of the T2's field of view that lies in the T1ce's, 0 to 1.

    Parameters
    ----------
    t1ce, t2 : Volume
        The sequences.
    matrix : (4, 4) array
        RAS mm of the T1ce's frame to RAS mm of the T2's.
    """
    middles = [(np.arange(_PARTS) + 0.5) / _PARTS * n - 0.5 for n in t2.grid.shape[::-1]]
    points = t2.grid.ijk_to_ras(np.stack(np.meshgrid(*middles), axis=-1).reshape(-1, 3))
    return t1ce.grid.share_within(transformed(points, np.linalg.inv(matrix)))


def mutual_information(t1ce: Volume, t2: Volume, matrix: np.ndarray) -> float:
    """Return the normalised mutual information, (H(a) + H(b)) / H(a, b), between 1 and 2.

    Parameters are those of `overlap_share`; without overlap it is 1.
    """
    a, b, inside = _sampled(t1ce, t2, matrix)
    if not inside.any():
        return 1.0
    counts, _, _ = np.histogram2d(a[inside], b[inside], bins=_BINS)
    joint = counts / counts.sum()
    single = _entropy(joint.sum(axis=0)) + _entropy(joint.sum(axis=1))
    return single / together if (together := _entropy(joint)) > 0 else 1.0


def _entropy(shares: np.ndarray) -> float:
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())
