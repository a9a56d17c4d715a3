"""Clicks: what the clinician tells the tool."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import Point3


class ClickKind(str, Enum):
    """What a click says about the place where it was put.

    ``BOUNDARY``: the tumour's border runs here (the thesis's click, section 4.5.2.1).
    ``INCLUDE``: this is tumour. ``EXCLUDE``: this is not.
    """

    BOUNDARY = "boundary"
    INCLUDE = "include"
    EXCLUDE = "exclude"

    @classmethod
    def parse(cls, text: str) -> ClickKind:
        """Read a kind from a markup's description; boundary if empty.

        Raises
        ------
        CorrectionError
            If the text names no kind.
        """
        word = text.strip().lower()
        if not word:
            return cls.BOUNDARY
        try:
            return cls(word)
        except ValueError:
            raise CorrectionError(
                f"'{text}' is no kind of click; describe the point as boundary, include or exclude."
            ) from None


@dataclass(frozen=True)
class Click:
    """One click.

    Parameters
    ----------
    position_ras : tuple of 3 float
        Where, in RAS mm of the world.
    kind : ClickKind
        What it says.
    """

    position_ras: Point3
    kind: ClickKind = ClickKind.BOUNDARY

    def in_slice(self, grid: Grid) -> Click:
        """Return the click in the middle of its slice: in a view across thick ones it lies anywhere in it."""
        return replace(self, position_ras=grid.in_slice(self.position_ras))
