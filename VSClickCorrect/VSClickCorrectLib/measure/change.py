"""How a tumour changed between two examinations, and how much of that observers would differ by anyway.

References
----------
Figures and thresholds are those of the literature on vestibular schwannoma: growth is a change of more than
2 mm or of 20 % of the volume; the limits of agreement between observers are 27 % of the volume in the
smallest quarter of tumours and 7 % in the largest. Of 2D size, the product of two diameters, observers differ
by twice as much as of volume (40 % against 20 %), so by about as much of each diameter.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid, transformed
from VSClickCorrectLib.geometry.triples import index3
from VSClickCorrectLib.measure.measurements import (
    SMALL_AGREEMENT_PERCENT,
    SMALL_MM3,
    Measurements,
    measure,
    signed,
)

GROWTH_PERCENT = 20.0
GROWTH_MM = 2.0
# The largest quarter of the tumours of VS-SEG.
LARGE_MM3 = 3222.0
LARGE_AGREEMENT_PERCENT = 7
# So much of a mask may be lost when it is laid on the other grid, by its edge's rounding.
_LOST = 0.15
# Headers keep spacings in single precision, whose rounding is no growth.
_ROUNDING = 1e-6
# So many voxels of a mask at most are asked whether they lie in a field of view.
_TRIED = 100_000


def agreement_percent(volume_mm3: float) -> float:
    """Return by how much of a tumour's volume, or of a diameter, observers differ, in per cent.

    Between the smallest and the largest quarter it falls evenly with the logarithm of the volume.

    Parameters
    ----------
    volume_mm3 : float
        The tumour's volume.
    """
    if volume_mm3 <= SMALL_MM3:
        return float(SMALL_AGREEMENT_PERCENT)
    share = min(1.0, math.log(volume_mm3 / SMALL_MM3) / math.log(LARGE_MM3 / SMALL_MM3))
    return SMALL_AGREEMENT_PERCENT + share * (LARGE_AGREEMENT_PERCENT - SMALL_AGREEMENT_PERCENT)


@dataclass(frozen=True)
class SizeChange:
    """How one figure changed.

    Parameters
    ----------
    before, after : float
        The figure, mm³ or mm.
    uncertainty : float
        By how much observers would differ, in the same unit.
    threshold : float
        The change from which on it is called growth, in the same unit.
    above : bool
        Whether growth begins beyond the threshold, not at it.
    """

    before: float
    after: float
    uncertainty: float
    threshold: float
    above: bool = False

    @property
    def change(self) -> float:
        """After less before."""
        return self.after - self.before

    @property
    def percent(self) -> float | None:
        """The change in per cent of before; None where there was nothing."""
        return 100 * self.change / self.before if self.before else None

    @property
    def reaches_threshold(self) -> bool:
        """Whether it changed by as much as is called growth, in either direction."""
        size = abs(self.change)
        near = math.isclose(size, self.threshold, rel_tol=_ROUNDING)
        return size > self.threshold and not near if self.above else size >= self.threshold or near

    @property
    def is_certain(self) -> bool:
        """Whether it changed by more than observers differ."""
        return abs(self.change) > self.uncertainty

    @property
    def verdict(self) -> str:
        """``growth``, ``shrinkage``, ``stable``, or ``uncertain`` within what observers differ by."""
        if not self.reaches_threshold:
            return "stable"
        if not self.is_certain:
            return "uncertain"
        return "growth" if self.change > 0 else "shrinkage"


@dataclass(frozen=True, eq=False)
class FollowUp:
    """Two examinations of one tumour.

    Parameters
    ----------
    before, after : Measurements
        Of each mask on its own grid.
    laid : Measurements or None
        The later mask laid on the earlier one's grid, where it is known how they lie to each other.
    placed_by : str
        How that is known: ``grid`` (both lie on one), ``registration``, ``header`` (the registration did not
        help), ``outside`` (the later tumour does not lie within the earlier scan), ``coarse`` (it does, but
        is too small for that scan's slices), or empty.
    remarks : tuple of str
        What is to be known of scans and masks, whole sentences.
    """

    before: Measurements
    after: Measurements
    laid: Measurements | None
    placed_by: str
    remarks: tuple[str, ...] = ()

    @property
    def volume(self) -> SizeChange:
        """The change in volume, each measured on its own grid, mm³."""
        before, after = self.before.volume_mm3, self.after.volume_mm3
        return SizeChange(before, after, self._percent / 100 * before, GROWTH_PERCENT / 100 * before)

    @property
    def diameter(self) -> SizeChange:
        """The change in the largest axial diameter, mm; in the same planes where `laid` is known."""
        before, after = (0.0 if m.diameter is None else m.diameter.mm for m in (self.before, self._later))
        pixel = max(float(m.grid.axial_spacing[1:].max()) for m in (self.before, self.after))
        return SizeChange(before, after, max(self._percent / 100 * before, pixel), GROWTH_MM, above=True)

    @property
    def dice(self) -> float | None:
        """Dice score coefficient of both masks in one frame, 0 to 1; None where that is not known."""
        return None if self.laid is None else self.laid.change_against(self.before).dice

    def as_text(self) -> str:
        """Return everything as plain lines with units and nothing about the patient."""
        return "\n".join(self._lines())

    @property
    def _later(self) -> Measurements:
        return self.laid or self.after

    @property
    def _percent(self) -> float:
        """What observers differ by at the smaller of both sizes: there they differ most."""
        return agreement_percent(min(self.before.volume_mm3, self.after.volume_mm3))

    def _lines(self) -> Iterator[str]:
        yield from self.remarks
        if not self.before.voxels or not self.after.voxels:
            which = "earlier" if not self.before.voxels else "later"
            yield f"The {which} mask is empty, so there is no change to tell."
            return
        yield from _described("Volume", "mm³", self.volume, f"{GROWTH_PERCENT:.0f} % of the volume")
        yield from _described("Largest axial diameter", "mm", self.diameter, f"more than {GROWTH_MM:.0f} mm")
        # Of two tumours one may be the largest before, the other after.
        yield from self.before.note_on_parts("earlier mask")
        yield from self._later.note_on_parts("later mask")
        yield _PLACED[self.placed_by]
        if self.dice is not None:
            yield f"DSC of both masks in one frame: {self.dice:.3f}"
        if self.dice == 0:
            yield "Note: the masks do not meet; check that both are of the same tumour."


_IN_ONE = "both diameters were measured in the earlier scan's slices."
_PLACED = {
    "grid": "Both masks lie on one grid, so they were compared as they lie.",
    "registration": f"The scans were registered rigidly; {_IN_ONE}",
    "header": f"Registration did not improve on where the headers place the scans, which was kept; {_IN_ONE}",
    "outside": "The later tumour does not lie within the earlier scan's field of view, so each diameter was "
    "measured in its own slices; check that both scans are of the same patient.",
    "coarse": "The later tumour is too small for the earlier scan's slices, so each diameter was measured in "
    "its own slices.",
    # Of one scan, too, files may hold the slices with tumour alone.
    "": "The masks do not lie on one grid; each diameter was measured in its own slices, which may be tilted "
    "against each other. Name both scans to have them laid into one frame.",
}
_VERDICTS = {
    "growth": "growth by that threshold",
    "shrinkage": "shrinkage by that threshold",
    "uncertain": "reaches that threshold, but observers differ by as much; not certain",
    "stable": "does not reach that threshold",
}


def _described(name: str, unit: str, size: SizeChange, threshold: str) -> Iterator[str]:
    yield f"{name}: {size.before:.1f} {unit} before, {size.after:.1f} {unit} after"
    percent = signed(size.percent or 0.0)
    yield (
        f"  Change: {signed(size.change)} {unit} ({percent} %), observers differ by up to about "
        f"± {size.uncertainty:.1f} {unit} at this size"
    )
    yield f"  Threshold of growth ({threshold}): {_VERDICTS[size.verdict]}"


def follow_up(
    before: Measurements, after: Measurements, matrix: np.ndarray | None = None, placed_by: str = ""
) -> FollowUp:
    """Compare two examinations of one tumour.

    Parameters
    ----------
    before, after : Measurements
        Of each mask on its own grid.
    matrix : (4, 4) array, optional
        RAS mm of the earlier scan's frame to RAS mm of the later's, rigid. Without it masks on one grid are
        taken as of one scan.
    placed_by : str
        Where the matrix is from, ``registration`` or ``header``.
    """
    if matrix is None and before.grid.matches(after.grid):
        return FollowUp(before, after, after, "grid")
    if matrix is None or not after.voxels:
        return FollowUp(before, after, None, placed_by)
    if not _lies_within(after, before.grid, matrix):
        return FollowUp(before, after, None, "outside")
    laid = _laid(after, before.grid, matrix)
    return FollowUp(before, after, laid, placed_by if laid is not None else "coarse")


def _lies_within(measured: Measurements, grid: Grid, matrix: np.ndarray) -> bool:
    """Whether a mask lies in another grid's field of view, but for a share of `_LOST`."""
    voxels = np.argwhere(measured.values)
    places = measured.grid.index_to_ras(voxels[:: 1 + len(voxels) // _TRIED] + measured.box.start)
    return grid.share_within(transformed(places, np.linalg.inv(matrix))) >= 1 - _LOST


def _laid(measured: Measurements, grid: Grid, matrix: np.ndarray) -> Measurements | None:
    """Measure a mask laid on another grid, in whose field of view it lies; None if too much of it is lost."""
    own = measured.grid.cropped(measured.box)
    to_own = np.linalg.inv(own.affine) @ matrix @ grid.affine
    corners = np.array(np.meshgrid(*([-1, n] for n in own.shape[::-1]))).reshape(3, -1).T
    reach = transformed(corners, np.linalg.inv(to_own))
    low = np.floor(reach.min(axis=0)).astype(int)[::-1]
    high = np.ceil(reach.max(axis=0)).astype(int)[::-1] + 1
    box = Box(index3(low), index3(high)).clipped(grid.shape)
    if box.empty:
        return None
    turned = to_own[:3, :3][::-1, ::-1]
    offset = turned @ np.array(box.start) + to_own[:3, 3][::-1]
    shares = ndimage.affine_transform(
        measured.values.astype(np.float32), turned, offset, box.shape, order=1, mode="grid-constant"
    )
    laid = measure(grid, box, shares >= 0.5)
    return laid if laid.volume_mm3 >= (1 - _LOST) * measured.volume_mm3 else None
