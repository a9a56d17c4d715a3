"""Volumes: an MRI sequence on its grid, and the case they form."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid

NOT_FINITE = "the image holds NaN or infinite values; export it again or replace them first."
# How networks see a sequence as 0 to 1: between bounds that outliers do not move, or between its extremes.
INTENSITIES = ROBUST, MIN_MAX = ("robust", "min-max")
# Networks compute in single precision.
_MAX_VALUE, _LEAST_RANGE = float(np.finfo(np.float32).max), float(np.finfo(np.float32).tiny)
# In single precision values so many times as large as what they differ by still differ in 4096 steps.
_MOST_OFFSET = 2.0**12
# What fills an image lies so far below all others, as a share of what these span.
_FILL_GAP = 0.25


@dataclass(frozen=True)
class Scan:
    """Whose a sequence is, where, when and as what it was made, by its header; empty where that does not say.

    Parameters
    ----------
    patient, frame, description, series : str
        PatientID, FrameOfReferenceUID, SeriesDescription and SeriesInstanceUID.
    date : str
        StudyDate.
    """

    patient: str
    frame: str
    description: str
    series: str
    date: str = ""


@dataclass(frozen=True, eq=False)
class Volume:
    """One MRI sequence.

    Parameters
    ----------
    array : ndarray
        ``(K, J, I)``, any real dtype, the scanner's own intensities.
    grid : Grid
        Where it lies.
    remarks : tuple of str
        What whoever opens it should know of how it was read: whole sentences.
    sides_known : bool
        Whether it is known which way the axes run in the patient.
    scan : Scan or None
        Whose it is, by the header of DICOM.

    Raises
    ------
    ImageError
        If the array is not three-dimensional, does not fit the grid, or holds NaN, infinite or absurdly large
        values.
    """

    array: np.ndarray
    grid: Grid
    remarks: tuple[str, ...] = ()
    sides_known: bool = True
    scan: Scan | None = None

    def __post_init__(self) -> None:
        if self.array.ndim != 3 or self.array.shape != self.grid.shape:
            raise ImageError(
                f"the image has shape {self.array.shape}; a single three-dimensional volume is needed."
            )
        if self.array.dtype.kind == "f" and self.array.size:
            # NaN passes through both.
            extreme = max(-float(self.array.min()), float(self.array.max()))
            if not np.isfinite(extreme):
                raise ImageError(NOT_FINITE)
            if extreme > _MAX_VALUE:
                raise ImageError(f"the image holds values as large as {extreme:.0e}; export it again.")

    @property
    def series(self) -> str:
        """SeriesInstanceUID of the DICOM from which it was read, empty where it was not."""
        return self.scan.series if self.scan is not None else ""

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the voxels, their number along each axis and their type, whoever has read them.

        Where they lie is the grid's to tell: its last digits differ from one file format to another.
        """
        stored = self.array.astype(stored_type(self.array.dtype), copy=False)
        digest = hashlib.sha256(f"{stored.dtype.str}{stored.shape}".encode("ascii"))
        digest.update(np.ascontiguousarray(stored).data)
        return digest.hexdigest()

    @cached_property
    def intensity_range(self) -> tuple[float, float]:
        """Robust minimum and maximum, by which networks see the sequence as 0 to 1 (section 4.2)."""
        # In axial order, so that of a large image the same voxels are looked at however they are stored.
        return robust_range(self.grid.axial_order().arranged(self.array))

    @cached_property
    def extremes(self) -> tuple[float, float]:
        """Least and greatest value, by which the thesis sees the sequence as 0 to 1 (section 4.2)."""
        low, high = (float(value) for value in (self.array.min(), self.array.max()))
        return low, _above(low, high)

    def normalised(self, box: Box, intensities: str = ROBUST) -> np.ndarray:
        """Return the voxels of ``box`` as float32 between 0 and 1.

        Parameters
        ----------
        box : Box
            Array order, ``(k, j, i)``.
        intensities : {"robust", "min-max"}
            Which values become 0 and 1: those of `intensity_range`, or `extremes`.
        """
        low, high = self.extremes if intensities == MIN_MAX else self.intensity_range
        # Differences of what single precision just holds, or does not tell apart, need double.
        single = _LEAST_RANGE <= high - low < _MAX_VALUE / 2
        single = single and max(-low, high) <= _MOST_OFFSET * (high - low)
        kind = np.dtype(np.float32 if single else np.float64)
        # In place: of a whole head each copy takes as long as the arithmetic.
        values = self.array[box.slices].astype(kind)
        values -= low
        values /= high - low
        np.clip(values, 0.0, 1.0, out=values)
        return values.astype(np.float32, copy=False)


def robust_range(array: np.ndarray, samples: int = 400_000) -> tuple[float, float]:
    """Return a minimum and a maximum that single bright voxels, air and what fills do not move.

    Parameters
    ----------
    array : ndarray
        ``(K, J, I)``.
    samples : int
        About how many voxels are looked at.

    Returns
    -------
    low, high : float
        The 0.5th percentile of all voxels and the 99.8th of those brighter than the mean (the head);
        ``high`` is greater than ``low``.
    """
    stride = max(1, round((array.size / samples) ** (1 / 3)))
    values = without_fill(array[::stride, ::stride, ::stride].astype(np.float64).ravel())
    low = float(np.percentile(values, 0.5))
    bright = values[values > values.mean()]
    high = float(np.percentile(bright, 99.8)) if bright.size else low
    return low, _above(low, high)


def without_fill(values: np.ndarray) -> np.ndarray:
    """Return values without the one that fills what was never acquired, where it would take the contrast.

    Programs that resample fill with -1000 or -32768, as in CT. Nothing else is one value below zero, and
    farther below the next one than a quarter of what all the others span.

    Parameters
    ----------
    values : ndarray, ``(n,)``
        Intensities of an image, all or some.
    """
    least = values.min(initial=0)
    others = values[values > least] if least < 0 else values[:0]
    if not others.size:
        return values
    nearest, most = float(others.min()), float(np.percentile(others, 99.8))
    return others if nearest - float(least) > _FILL_GAP * (most - nearest) else values


def _above(low: float, high: float) -> float:
    """Return ``high``, or where it is not above ``low`` something that is, however large that may be."""
    return high if high > low else max(low + 1.0, float(np.nextafter(low, np.inf)))


def stored_type(dtype: np.dtype) -> np.dtype:
    """Return the type in which a scene holds voxels: neither logical nor half precision."""
    held: dict[str, np.dtype] = {"?": np.dtype(np.uint8), "e": np.dtype(np.float32)}
    return held.get(dtype.char, dtype).newbyteorder("<")


@dataclass(frozen=True, eq=False)
class Case:
    """The co-registered sequences of one examination, on one native grid.

    Parameters
    ----------
    t1ce, t2 : Volume or None
        Contrast-enhanced T1 and T2; either may be missing, not both.

    Raises
    ------
    ImageError
        If both are missing or their grids differ.
    """

    t1ce: Volume | None
    t2: Volume | None = None

    def __post_init__(self) -> None:
        if self.t1ce is None and self.t2 is None:
            raise ImageError("no image was given; a T1ce or a T2 volume is needed.")
        if self.t1ce is not None and self.t2 is not None and not self.t1ce.grid.matches(self.t2.grid):
            raise ImageError(
                "the T1ce and the T2 volume lie on different grids; resample the T2 to the T1ce first."
            )

    @property
    def grid(self) -> Grid:
        """The native grid: the T1ce's, or the T2's where it stands alone."""
        return self.reference.grid

    @property
    def reference(self) -> Volume:
        """The volume whose grid is the native one: the T1ce, or the T2 where it stands alone."""
        return next(iter(self.present.values()))

    @property
    def present(self) -> dict[str, Volume]:
        """The sequences that are there, by name, that of the native grid first."""
        return {name: volume for name, volume in self.sequences.items() if volume is not None}

    def fingerprints(self) -> dict[str, str]:
        """Return the `Volume.fingerprint` of each sequence that is there, by name."""
        # Hashing lets other threads run.
        with ThreadPoolExecutor() as pool:
            return dict(
                zip(self.present, pool.map(lambda v: v.fingerprint, self.present.values()), strict=True)
            )

    @property
    def remarks(self) -> list[str]:
        """What whoever opens the case should know of how its sequences were read."""
        return [remark for volume in self.present.values() for remark in volume.remarks]

    @property
    def sequences(self) -> dict[str, Volume | None]:
        """The sequences by name, in the order in which networks take them."""
        return {"t1ce": self.t1ce, "t2": self.t2}
