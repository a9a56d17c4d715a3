"""What is measured of a tumour's mask: volume, axial diameters, slices, centroid, side, and what changed.

Only the voxels of a box around the mask are looked at. Diameters are measured in the slices of the grid that
lie closest to axial, as a reader measures them on screen, not in the plane of a tilted patient.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import Point3, point3
from VSClickCorrectLib.geometry.volume import Volume, without_fill
from VSClickCorrectLib.measure.diameters import Ends, longest_across, longest_line

# A mask whose centroid lies so near to the middle is on neither side.
MIDDLE_MM = 3.0
# An image that is narrower from left to right shows part of a head only, and the side cannot be told by it.
HEAD_MM = 110.0
# The smallest quarter of the tumours of VS-SEG; there the limits of agreement between observers are widest.
SMALL_MM3 = 637.0
SMALL_AGREEMENT_PERCENT = 27
_NEIGHBOURS = np.ones((3, 3, 3), bool)
_HEAD_SAMPLES = 400_000


def signed(value: float) -> str:
    """Return a change with its sign and one decimal; what rounds to nothing is no loss: +0.0."""
    return f"{round(value, 1) + 0.0:+.1f}"


@dataclass(frozen=True)
class Diameter:
    """A straight line from outline to outline in one axial slice.

    Parameters
    ----------
    mm : float
        Its length.
    start_ras, end_ras : tuple of 3 float
        Its ends, RAS mm.
    """

    mm: float
    start_ras: Point3
    end_ras: Point3


@dataclass(frozen=True)
class Middle:
    """What divides left from right.

    Parameters
    ----------
    right_mm : float
        R coordinate of the middle.
    of : str
        Whose middle it is: ``head`` or ``image``.
    known : bool
        Whether it is known which side of it is left.
    """

    right_mm: float
    of: str
    known: bool = True


@dataclass(frozen=True)
class MaskChange:
    """How a mask differs from the one with which the correction began.

    Parameters
    ----------
    added, removed : int
        Voxels that are set now and were not, and the other way.
    volume_mm3 : float
        Volume now less the volume then.
    volume_percent : float or None
        The same in per cent of the volume then; None if the mask was empty.
    dice : float
        Dice score coefficient of both, 0 to 1; 1 if both are empty.
    """

    added: int
    removed: int
    volume_mm3: float
    volume_percent: float | None
    dice: float

    def as_text(self) -> str:
        """Return the change as plain lines."""
        percent = "" if self.volume_percent is None else f" ({signed(self.volume_percent)} %)"
        return (
            f"Voxels added: {self.added}, removed: {self.removed}\n"
            f"Change of volume: {signed(self.volume_mm3)} mm³{percent}\n"
            f"DSC to the mask at the start: {self.dice:.3f}"
        )


@dataclass(frozen=True, eq=False)
class Measurements:
    """What is measured of one mask.

    Parameters
    ----------
    grid : Grid
        The grid of the whole image.
    box : Box
        The voxels that hold the mask, as tight as can be; empty if the mask is.
    values : ndarray of bool
        The mask in that box.
    parts : int
        How many connected parts it has. The diameters are those of the largest: a line from one part to
        another measures nothing.
    diameter : Diameter or None
        The largest axial diameter: the longest line between two points of the outline in one axial slice. It
        is neither the Feret diameter of the whole tumour, which may run across slices, nor the extrameatal
        diameter of the consensus of 2003, which leaves out what lies in the meatus.
    perpendicular : Diameter or None
        The longest line at a right angle to it, from outline to outline, in the same slice.
    slice_number : int or None
        The axial slice of both, counted from 1 at the bottom.
    centroid_ras : tuple of 3 float or None
        Mean of the voxel centres, RAS mm.
    middle : Middle
        What ``side`` is told by.
    """

    grid: Grid
    box: Box
    values: np.ndarray
    parts: int
    diameter: Diameter | None
    perpendicular: Diameter | None
    slice_number: int | None
    centroid_ras: Point3 | None
    middle: Middle

    @property
    def voxels(self) -> int:
        """Number of voxels."""
        return int(np.count_nonzero(self.values))

    @property
    def volume_mm3(self) -> float:
        """Volume in mm³."""
        return self.grid.volume_of(self.values)

    @property
    def volume_cm3(self) -> float:
        """Volume in cm³."""
        return self.volume_mm3 / 1000

    @property
    def slices(self) -> tuple[int, int] | None:
        """First and last axial slice that holds a voxel, counted from 1 at the bottom; None if empty."""
        if self.box.empty:
            return None
        axial = self.grid.box_in(self.grid.axial_order(), self.box)
        return axial.start[0] + 1, axial.stop[0]

    @property
    def right_of_middle_mm(self) -> float | None:
        """How far the centroid lies to the patient's right of the middle, negative to the left."""
        return None if self.centroid_ras is None else self.centroid_ras[0] - self.middle.right_mm

    @property
    def side(self) -> str | None:
        """``left`` or ``right`` of the patient, or ``middle`` within 3 mm of it; None if the mask is empty.

        ``both`` where it has parts on either side, as of two tumours: between them there is nothing.
        ``untold`` where the image's header does not say which side is left; ``unknown`` where the image is
        narrower than 110 mm, so that its middle need not be the head's.
        """
        offset = self.right_of_middle_mm
        if offset is None:
            return None
        if not self.middle.known:
            return "untold"
        if _width_mm(self.grid) < HEAD_MM:
            return "unknown"
        if self._on_both_sides:
            return "both"
        if abs(offset) < MIDDLE_MM:
            return "middle"
        return "right" if offset > 0 else "left"

    # Windows and reports ask several times, and between two tumours lies half an image.
    @cached_property
    def _on_both_sides(self) -> bool:
        if self.parts < 2:
            return False
        labels, count = ndimage.label(self.values, _NEIGHBOURS)
        middles = ndimage.center_of_mass(self.values, labels, np.arange(1, count + 1))
        right = self.grid.index_to_ras(np.add(middles, self.box.start))[:, 0] - self.middle.right_mm
        return bool(right.min() <= -MIDDLE_MM and right.max() >= MIDDLE_MM)

    @property
    def small(self) -> bool:
        """Whether the tumour is so small that observers differ much about its volume."""
        return 0 < self.volume_mm3 < SMALL_MM3

    def change_against(self, start: Measurements) -> MaskChange:
        """Return how this mask differs from ``start``, a mask on the same grid."""
        box = self.box.union(start.box) if not (self.box.empty or start.box.empty) else None
        common = 0
        if box is not None:
            now, then = (_within(m, box) for m in (self, start))
            common = int(np.count_nonzero(now & then))
        total = self.voxels + start.voxels
        volume = self.volume_mm3 - start.volume_mm3
        return MaskChange(
            added=self.voxels - common,
            removed=start.voxels - common,
            volume_mm3=volume,
            volume_percent=100 * volume / start.volume_mm3 if start.voxels else None,
            dice=2 * common / total if total else 1.0,
        )

    def note_on_parts(self, what: str) -> Iterator[str]:
        """Yield a line where the diameters are not those of all of it; ``what`` the mask is called in it."""
        if self.parts > 1:
            yield f"Note: the {what} has {self.parts} separate parts; the diameters are those of the largest."

    def as_text(self) -> str:
        """Return everything as plain lines with units and nothing about the patient, for the clipboard."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        if self.diameter is None or self.perpendicular is None or self.slices is None:
            yield "The mask is empty."
            return
        first, last = self.slices
        count = self.grid.axial_shape[0]
        height = (last - first + 1) * self.grid.axial_spacing[0]
        yield f"Volume: {self.volume_mm3:.1f} mm³ ({self.volume_cm3:.2f} cm³)"
        place = f"axial slice {self.slice_number} of {count}"
        yield f"Largest axial diameter: {self.diameter.mm:.1f} mm ({place})"
        yield f"Largest perpendicular to it in that slice: {self.perpendicular.mm:.1f} mm"
        yield f"Axial slices: {first} to {last} of {count}, counted from the bottom ({height:.1f} mm)"
        axes = "R {:.1f}, A {:.1f}, S {:.1f} mm" if self.middle.known else "{:.1f}, {:.1f}, {:.1f} mm"
        yield f"Centroid: {axes.format(*self.centroid_ras or ())}"
        yield f"Side: {self._side_text()}"
        yield from self.note_on_parts("mask")
        if self.small:
            share = self.volume_mm3 * SMALL_AGREEMENT_PERCENT / 100
            yield (
                f"Note: among small tumours observers differ by up to about {SMALL_AGREEMENT_PERCENT} % of "
                f"the volume, which is {share:.0f} mm³ here; a smaller change need not be growth."
            )

    def _side_text(self) -> str:
        if self.side == "untold":
            return "not told, the image's header does not say which side is left"
        if self.side == "unknown":
            return "not told, the image shows part of the head only"
        offset = self.right_of_middle_mm or 0.0
        place = f"{abs(offset):.1f} mm {'right' if offset > 0 else 'left'} of the {self.middle.of}'s middle"
        side = {"middle": "in the middle", "both": "on both sides"}.get(self.side or "", self.side)
        return f"{side} (centroid {place})"


def measure(
    grid: Grid, box: Box | None, values: np.ndarray | None, middle: Middle | None = None
) -> Measurements:
    """Measure a mask.

    Parameters
    ----------
    grid : Grid
        The grid of the whole image.
    box : Box or None
        A box that holds the whole mask, as `Mask.extent` gives it; None if the mask is empty.
    values : ndarray of bool or None
        The mask in that box, of its shape; None where ``box`` is.
    middle : Middle, optional
        What divides left from right, see `head_middle`; the middle of the image if left out.
    """
    middle = middle or Middle(float(grid.center_ras[0]), "image")
    tight = Box.of_array(values) if values is not None and box is not None else None
    if box is None or values is None or tight is None:
        nothing = Box((0, 0, 0), (0, 0, 0))
        return Measurements(grid, nothing, np.zeros((0, 0, 0), bool), 0, None, None, None, None, middle)
    values = values[tight.slices]
    tight = tight.shifted(box.start)
    labels, parts = ndimage.label(values, _NEIGHBOURS)
    largest = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    number, found = _widest(grid, largest)
    lines = [_line(grid, tight, number, ends) for ends in found]
    centroid = point3(grid.index_to_ras(np.argwhere(values).mean(axis=0) + tight.start))
    slice_number = grid.box_in(grid.axial_order(), tight).start[0] + number + 1
    return Measurements(grid, tight, values, parts, lines[0], lines[1], slice_number, centroid, middle)


def head_middle(volume: Volume) -> Middle:
    """Return the middle of the head, from left to right.

    It lies half-way between the outermost parts of the head, which is what is brighter than the image's mean,
    the outermost hundredth of it on either side left out: ears, fat and noise.
    """
    stride = max(1, round((volume.array.size / _HEAD_SAMPLES) ** (1 / 3)))
    every = volume.grid.every(stride)
    values = volume.array[every]
    bright = np.argwhere(values > without_fill(values.ravel()).mean()) * stride + [
        along.start for along in every
    ]
    if bright.size == 0:
        return Middle(float(volume.grid.center_ras[0]), "image", volume.sides_known)
    right = volume.grid.index_to_ras(bright)[:, 0]
    return Middle(float(np.percentile(right, (1, 99)).mean()), "head", volume.sides_known)


def _widest(grid: Grid, values: np.ndarray) -> tuple[int, list[Ends]]:
    """Return the axial slice, counted in ``values``, with the longest line, that line and the one across."""
    spacing = tuple(grid.axial_spacing[1:])
    planes = list(grid.axial_order().arranged(values))
    reaches = [_reach(plane, spacing) for plane in planes]
    best, ends, length = -1, (np.zeros(2), np.zeros(2)), 0.0
    # Those that may be longest come first, so that most need not be looked at in full.
    for number in sorted(range(len(planes)), key=lambda n: -reaches[n]):
        if reaches[number] <= length:
            break
        found = longest_line(planes[number], spacing)
        if (long := float(np.linalg.norm(found[1] - found[0]))) > length:
            best, ends, length = number, found, long
    return best, [ends, longest_across(planes[best], spacing, ends)]


def _reach(plane: np.ndarray, spacing: tuple[float, float]) -> float:
    """Return a length in mm that no line across the mask in a slice exceeds."""
    hits = [np.flatnonzero(plane.any(axis=axis)) for axis in (1, 0)]
    sides = [(np.ptp(h) + 1) * size if h.size else 0.0 for h, size in zip(hits, spacing, strict=True)]
    return math.hypot(*sides)


def _line(grid: Grid, box: Box, number: int, ends: Ends) -> Diameter:
    """Return a line in the patient, given its ends in mm (rows, columns) within an axial slice of ``box``."""
    order = grid.axial_order()
    _, rows, columns = grid.axial_spacing
    shape = [box.shape[axis] for axis in order.axes]
    points = []
    for end in ends:
        axial = np.array([number, end[0] / rows, end[1] / columns])
        index = np.empty(3)
        for n, axis in enumerate(order.axes):
            index[axis] = box.start[axis] + (shape[n] - 1 - axial[n] if order.flips[n] else axial[n])
        points.append(grid.index_to_ras(index))
    return Diameter(float(np.linalg.norm(points[1] - points[0])), point3(points[0]), point3(points[1]))


def _width_mm(grid: Grid) -> float:
    """Return how far an image reaches along that of its axes which is nearest to left and right.

    An oblique slab's corners lie farther apart than that, and show a part of the head all the same.
    """
    return float(grid.axial_shape[2] * grid.axial_spacing[2])


def _within(measured: Measurements, box: Box) -> np.ndarray:
    values = np.zeros(box.shape, bool)
    values[measured.box.slices_in(box)] = measured.values
    return values
