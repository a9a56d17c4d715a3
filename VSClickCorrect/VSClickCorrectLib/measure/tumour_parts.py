"""What is measured of a tumour's parts: in the internal auditory canal, and outside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.resampling import ROUNDING_MM
from VSClickCorrectLib.measure.measurements import Diameter, Measurements, measure

INTRAMEATAL, EXTRAMEATAL, COCHLEA = "intrameatal", "extrameatal", "cochlea"
# The classes that the tumour itself is made of.
TUMOUR_PARTS = (INTRAMEATAL, EXTRAMEATAL)
PARTS = (*TUMOUR_PARTS, COCHLEA)
# Upper ends, mm, of the consensus's grades 1 to 4, and what it calls grades 1 to 5.
_GRADES = (10.0, 20.0, 30.0, 40.0)
_WORDS = ("small", "medium", "moderately large", "large", "giant")


def tumour_numbers(classes: Sequence[str]) -> tuple[int, ...]:
    """Return the numbers, from 1, of the classes that the tumour is made of: `TUMOUR_PARTS`, else all."""
    ours = [n for n, name in enumerate(classes, 1) if name in TUMOUR_PARTS]
    return tuple(ours or range(1, len(classes) + 1))


@dataclass(frozen=True, eq=False)
class PartMeasurements:
    """What is measured of both parts.

    Parameters
    ----------
    intrameatal_mm3, extrameatal_mm3 : float
        Their volumes.
    outside : Measurements
        Of the extrameatal part.

    References
    ----------
    J. Kanzaki et al., "New and modified reporting systems from the consensus meeting on systems for reporting
    results in vestibular schwannoma", Otology & Neurotology 24, 2003.
    """

    intrameatal_mm3: float
    extrameatal_mm3: float
    outside: Measurements

    @property
    def diameter(self) -> Diameter | None:
        """The extrameatal diameter: the largest of the extrameatal part in an axial slice.

        It is what the consensus of 2003 has clinicians report of a tumour's size; the part in the canal is
        left out. None where nothing is extrameatal.
        """
        return self.outside.diameter

    @property
    def grade(self) -> int | None:
        """The consensus's grade by that diameter, 0 (purely intrameatal) to 5; None without any tumour.

        Grades 1 to 5: up to 10, 20, 30 and 40 mm, and more. Koos's grades are others: they need the
        brainstem.
        """
        if self.diameter is None:
            return 0 if self.intrameatal_mm3 else None
        # Where the head lies in the scanner must not decide the grade of a diameter of just 10 mm.
        return 1 + sum(self.diameter.mm > limit + ROUNDING_MM for limit in _GRADES)

    def as_text(self) -> str:
        """Return everything as plain lines with units."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        if self.grade is None:
            yield "The tumour has no part."
            return
        share = 100 * self.extrameatal_mm3 / (self.intrameatal_mm3 + self.extrameatal_mm3)
        yield f"Intrameatal volume: {self.intrameatal_mm3:.1f} mm³"
        yield f"Extrameatal volume: {self.extrameatal_mm3:.1f} mm³ ({share:.0f} %)"
        if self.diameter is None:
            yield "Extrameatal diameter: none, the tumour is purely intrameatal (2003 consensus: grade 0)"
            return
        place = f"axial slice {self.outside.slice_number} of {self.outside.grid.axial_shape[0]}"
        grade = f"2003 consensus: grade {self.grade}, {_WORDS[self.grade - 1]}"
        yield f"Largest extrameatal axial diameter: {self.diameter.mm:.1f} mm ({place}; {grade})"
        yield from self.outside.note_on_parts("extrameatal tumour")


def measure_parts(
    grid: Grid, box: Box | None, intrameatal: np.ndarray | None, extrameatal: np.ndarray | None
) -> PartMeasurements:
    """Measure a tumour whose parts are known.

    Parameters
    ----------
    grid : Grid
        The grid of the whole image.
    box : Box or None
        A box that holds both; None if the mask is empty.
    intrameatal, extrameatal : ndarray of bool or None
        The parts in that box; None where ``box`` is.

    Raises
    ------
    ImageError
        If a voxel is in both.
    """
    if box is None or intrameatal is None or extrameatal is None:
        return PartMeasurements(0.0, 0.0, measure(grid, None, None))
    common = int(np.count_nonzero(intrameatal & extrameatal))
    if common:
        raise ImageError(f"the intrameatal and the extrameatal part share {common} voxels; part them first.")
    inside, outside = grid.volume_of(intrameatal), grid.volume_of(extrameatal)
    return PartMeasurements(inside, outside, measure(grid, box, extrameatal))
