"""Slices as one volume: placed where their headers say, and held against these once they are placed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import LPS_FROM_RAS, SHEAR_TOLERANCE, Grid
from VSClickCorrectLib.geometry.triples import Index3, index3
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.io.dicom_frames import Frame
from VSClickCorrectLib.io.dicom_order import Plane, in_order, position_rounding
from VSClickCorrectLib.io.image_files import MAX_VOXELS, named

# Nearer to where it says no reader could tell where a slice lies.
TOLERANCE_MM = 0.1
# Farther the slices of no stack are pushed aside from one to the next.
_STEEPEST_DEGREES = 45.0


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices in order, and the lattice on which they come to lie.

    Parameters
    ----------
    frames : list of Frame
        From the first to the last.
    plane : Plane
        The plane of them all.
    affine : (4, 4) array
        Of the volume: IJK to LPS, mm.
    shifts : (K, 2) array
        Column and row of the volume at which the first pixel of each slice lies.
    off_mm : float
        How far a position may be off for the decimals to which it was written.
    """

    frames: list[Frame]
    plane: Plane
    affine: np.ndarray
    shifts: np.ndarray
    off_mm: float

    @property
    def shifted(self) -> bool:
        """Whether slices are pushed aside against each other."""
        return bool(self.shifts.any())

    def grid(self, shape: Index3, what: str) -> Grid:
        """Return the volume's grid; raises `ImageError` if no scan has such a one."""
        if math.prod(shape) > MAX_VOXELS:
            raise ImageError(
                f"{what} would take {'×'.join(map(str, shape[::-1]))} voxels upright; crop it first."
            )
        with named(what):
            return Grid(shape, LPS_FROM_RAS @ self.affine)


def stacked(frames: Sequence[Frame], slices: Sequence[np.ndarray], what: str) -> Volume:
    """Return the volume that slices form, in whatever order they are given.

    Parallel slices at one distance lie on a grid. Where each is pushed aside, as by a tilted gantry, they are
    resampled within their own planes onto an upright one, and the volume's remarks say so.

    Parameters
    ----------
    frames : sequence of Frame
        Where each slice lies.
    slices : sequence of ndarray
        Their pixels, ``(rows, columns)`` each.
    what : str
        What a message calls them, ``the DICOM series in series``.

    Raises
    ------
    ImageError
        If they do not say where they lie, are not parallel, lie at one place or at different distances, or
        would not come to lie within 0.1 mm of where they say; the message names those that do not fit.
    """
    if len({array.shape for array in slices}) > 1:
        raise ImageError(f"{what} mixes slices of different sizes; export each scan on its own.")
    order, stack = placed(frames, slices[0].shape, what)
    arrays = [slices[n] for n in order]
    # What a slice is pushed aside at most, but for the last digits of the numbers.
    aside = np.ceil(stack.shifts.max(axis=0) - 1e-6).astype(int)[::-1]
    shape = index3((len(order), *(slices[0].shape + aside)))
    grid = stack.grid(shape, what)
    array = _upright(arrays, stack, shape) if stack.shifted else np.stack(arrays)
    return Volume(array, grid, tuple(_remarks(stack, shape, what)))


def placed(frames: Sequence[Frame], size: tuple[int, ...], what: str) -> tuple[list[int], Stack]:
    """Return the numbers of slices from the first to the last, and where they come to lie.

    Parameters are those of `in_order`, errors those of `stacked`.
    """
    order, plane = in_order(frames, size, what)
    stack = _placed([frames[n] for n in order], plane, what)
    _check(stack, size, what)
    return order, stack


def _placed(frames: list[Frame], plane: Plane, what: str) -> Stack:
    """Find the affine of slices in order, and how they are pushed aside against it."""
    positions = np.array([frame.position for frame in frames], float)
    numbers = np.arange(len(frames))
    # Of a single slice nothing tells how thick it is.
    step, first = plane.normal, positions[0]
    if len(frames) > 1:
        step, first = np.polyfit(numbers, positions, 1)
    aside = step - (step @ plane.normal) * plane.normal
    lean = float(np.linalg.norm(aside) / abs(step @ plane.normal))
    rounding = position_rounding(frames)
    # Of all three numbers together.
    off = math.sqrt(3) * rounding
    even = np.abs(positions - (first + numbers[:, None] * step)).max() <= TOLERANCE_MM + 2 * rounding
    # By so much the normal may be off for the rounding of the orientation.
    if even and SHEAR_TOLERANCE < lean <= 2 * plane.rounding:
        plane, lean = plane.across(step), 0.0
    elif even and lean > SHEAR_TOLERANCE and _upright_but_for(rounding, plane, positions):
        step, first, lean = step - aside, first + numbers.mean() * aside, 0.0
    if even and lean <= SHEAR_TOLERANCE:
        return Stack(frames, plane, _affine(plane, step, first), np.zeros((len(frames), 2)), off)
    if lean > math.tan(math.radians(_STEEPEST_DEGREES)):
        raise ImageError(
            f"{what} is no stack: from slice to slice they lie farther aside than apart; export it again."
        )
    # Column and row, of each first pixel, on a lattice along the slices' own axes.
    places = positions @ np.stack([plane.row, plane.column], 1) / plane.pixel
    corner = places.min(axis=0)
    heights = positions @ plane.normal
    up, base = np.polyfit(numbers, heights, 1)
    origin = plane.normal * base + np.stack([plane.row, plane.column], 1) @ (corner * plane.pixel)
    return Stack(frames, plane, _affine(plane, plane.normal * up, origin), places - corner, off)


def _upright_but_for(rounding: float, plane: Plane, positions: np.ndarray) -> bool:
    """Whether slices can lie straight one above the other, each number of their positions off by so much."""
    axes = np.stack([plane.row, plane.column], 1)
    explained = 2 * rounding * np.abs(axes).sum(axis=0)
    turned = plane.rounding * np.linalg.norm(positions[-1] - positions[0])
    return bool((np.ptp(positions @ axes, axis=0) <= explained + turned).all())


def _affine(plane: Plane, step: np.ndarray, origin: np.ndarray) -> np.ndarray:
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = plane.row * plane.pixel[0], plane.column * plane.pixel[1]
    affine[:3, 2], affine[:3, 3] = step, origin
    return affine


def _check(stack: Stack, size: tuple[int, ...], what: str) -> None:
    """Refuse a volume in which a corner of a slice lies elsewhere than the slice's own header says."""
    rows, columns = size
    reach = math.hypot(*(np.array((columns, rows)) * stack.plane.pixel))
    allowed = TOLERANCE_MM + 2 * stack.plane.rounding * reach + 2 * stack.off_mm
    for number, (frame, shift) in enumerate(zip(stack.frames, stack.shifts, strict=True)):
        own = Plane.of(frame)
        for corner in product((0, columns - 1), (0, rows - 1)):
            told = own.place(frame.position, corner)
            ijk = np.array([*(np.array(corner) + shift), number])
            away = float(np.linalg.norm(stack.affine[:3, :3] @ ijk + stack.affine[:3, 3] - told))
            if not away <= allowed:
                raise ImageError(
                    f"{what} does not lie on one grid: {frame.name} lies {away:.1f} mm from where the others "
                    "would have it; export the scan again."
                )


def _upright(arrays: Sequence[np.ndarray], stack: Stack, shape: Index3) -> np.ndarray:
    """Shift each slice within its own plane, linearly; around it lies the scan's lowest value."""
    # Its import takes as long as that of all else that reads a file, mostly in a process of its own.
    from scipy import ndimage

    lowest = float(min(array.min() for array in arrays))
    upright = np.empty(shape, np.float32)
    for target, array, (column, row) in zip(upright, arrays, stack.shifts, strict=True):
        target[:] = lowest
        target[: array.shape[0], : array.shape[1]] = array
        target[:] = ndimage.shift(target, (row, column), order=1, mode="grid-constant", cval=lowest)
    return upright


def _remarks(stack: Stack, shape: Index3, what: str) -> list[str]:
    remarks = []
    if stack.shifted:
        size = "×".join(map(str, shape[::-1]))
        remarks.append(
            f"Slices of {what} are tilted or pushed aside against each other, so they were resampled within "
            f"their planes onto an upright grid of {size} voxels; masks lie on that grid."
        )
    reach = stack.plane.rounding * max(np.array(shape[:0:-1]) * stack.plane.pixel)
    if reach > TOLERANCE_MM:
        remarks.append(
            f"Slices of {what} have their orientation rounded in the headers, so that their far edge may lie "
            f"{reach:.1f} mm elsewhere."
        )
    return remarks
