"""The clicks of a correction as a table shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

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
    key : int
        By what it is known: its number among all clicks of the session; negative while it waits.
    """

    number: int
    kind: ClickKind
    slice_number: int
    round: int
    voxels: int | None
    position_ras: Point3
    key: int

    def is_same(self, before: ClickRow) -> bool:
        """Whether a row shown before is of the same click, be it that it waited then and is applied now."""
        applied = before.key < 0 < self.key and replace(self, voxels=None, key=before.key) == before
        return self.key == before.key or applied


def rows_of(session: CorrectionSession, waiting: Mapping[int, Click]) -> list[ClickRow]:
    """Return the clicks that stand in a session, oldest first, then those that wait to be applied, by key."""
    number_of = session.case.grid.slice_number
    clicks = [(one.click, one.round, one.voxels, one.number) for one in session.standing]
    entries = [*clicks, *((click, session.round, None, key) for key, click in waiting.items())]
    return [
        ClickRow(n, click.kind, number_of(session.index_of(click)), round_, voxels, click.position_ras, key)
        for n, (click, round_, voxels, key) in enumerate(entries, start=1)
    ]
