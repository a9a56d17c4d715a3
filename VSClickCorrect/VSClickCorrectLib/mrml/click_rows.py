"""The clicks of a correction as a table shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.geometry.triples import Point3
from VSClickCorrectLib.session.correction import CorrectionSession


@dataclass(frozen=True)
class ClickRow:
    """A click as a table shows it.

    Parameters
    ----------
    number : int
        The row, from 1.
    kind : ClickKind
        What the click says.
    slice_number : int
        The slice it lies in, as `Grid.slice_number` counts them.
    round : int
        Its round, from 1.
    voxels : int or None
        How many voxels it changed; None while it waits to be applied.
    position_ras : tuple of 3 float
        Where, in RAS mm of the world.
    """

    number: int
    kind: ClickKind
    slice_number: int
    round: int
    voxels: int | None
    position_ras: Point3

    def is_same(self, other: ClickRow) -> bool:
        """Whether a row of another time is of the same click, whatever its number and effect are by then."""
        return (self.kind, self.round, self.position_ras) == (other.kind, other.round, other.position_ras)


def rows_of(session: CorrectionSession, waiting: Iterable[Click]) -> list[ClickRow]:
    """Return the clicks that stand in a session, oldest first, then those that wait to be applied."""
    number_of = session.case.grid.slice_number
    clicks = [(standing.click, standing.round, standing.voxels) for standing in session.standing]
    entries = [*clicks, *((click, session.round, None) for click in waiting)]
    return [
        ClickRow(number, click.kind, number_of(session.index_of(click)), round_, voxels, click.position_ras)
        for number, (click, round_, voxels) in enumerate(entries, start=1)
    ]
