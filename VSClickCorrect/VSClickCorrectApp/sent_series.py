"""The DICOM series in the archives that a browser sent, and which of them are the case's T1ce and T2."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from VSClickCorrectApp.reading.offered_series import SEQUENCES, OfferedSeries

# Where an archive or a folder goes that holds both sequences.
BOTH = "scans"


@dataclass(frozen=True)
class Row:
    """A series in the archive of a slot."""

    slot: str
    series: OfferedSeries

    @property
    def key(self) -> str:
        """What the page calls it."""
        return f"{self.slot}/{self.series.uid}"


class SentSeries:
    """Knows the series of all archives; what is plain by their headers is chosen at once.

    Attributes
    ----------
    rows : tuple of Row
        All series.
    chosen : dict of str to Row
        The case's T1ce and T2, by ``"t1ce"`` and ``"t2"``, as far as they are chosen.
    """

    def __init__(self) -> None:
        self.rows: tuple[Row, ...] = ()
        self.chosen: dict[str, Row] = {}

    def put(self, slot: str, series: Sequence[OfferedSeries], others: Collection[str] = ()) -> None:
        """Offer the series of the archive in a slot.

        Parameters
        ----------
        slot : str
            ``"t1ce"``, ``"t2"`` or `BOTH`.
        series : sequence of OfferedSeries
            All in the archive.
        others : collection of str
            The sequences that come from somewhere else.
        """
        self.drop(slot)
        rows = tuple(Row(slot, one) for one in series)
        self.rows += rows
        for sequence in SEQUENCES if slot == BOTH else (slot,):
            if sequence not in others and (row := _only(sequence, rows)):
                self.chosen[sequence] = row
        if slot == BOTH and len(rows) == 1:
            # One alone may be either, by itself.
            self.chosen.pop("t1ce" if series[0].is_t2 else "t2", None)

    def drop(self, slot: str) -> None:
        """Forget the series of a slot."""
        self.rows = tuple(row for row in self.rows if row.slot != slot)
        self.chosen = {sequence: row for sequence, row in self.chosen.items() if row.slot != slot}

    def choose(self, sequence: str, key: str) -> None:
        """Choose a series as T1ce or T2, or none if it was chosen; the other one of its study comes along."""
        row = next((row for row in self.rows if row.key == key), None)
        if row is None or sequence not in SEQUENCES:
            return
        if self.chosen.get(sequence) == row:
            del self.chosen[sequence]
            return
        self.chosen = {other: one for other, one in self.chosen.items() if one != row} | {sequence: row}
        partner = next(other for other in SEQUENCES if other != sequence)
        beside = [one for one in self.rows if one != row and _are_of_one_study(one, row)]
        if row.slot == BOTH and partner not in self.chosen and (one := _only(partner, beside)):
            self.chosen[partner] = one

    def is_unclear(self, slot: str) -> bool:
        """Whether a slot holds series of which none is chosen."""
        taken = {row.slot for row in self.chosen.values()}
        return slot not in taken and any(row.slot == slot for row in self.rows)

    @property
    def offered(self) -> tuple[Row, ...]:
        """What is to be shown: archives of one series leave no choice."""
        slots = [row.slot for row in self.rows]
        return tuple(row for row in self.rows if row.slot == BOTH or slots.count(row.slot) > 1)


def _only(sequence: str, rows: Sequence[Row]) -> Row | None:
    """Return the one row that may be a sequence, None if there are several or there is none."""
    fitting = [row for row in rows if sequence in row.series.meant]
    return fitting[0] if len(fitting) == 1 else None


def _are_of_one_study(one: Row, other: Row) -> bool:
    return (one.slot, one.series.study) == (other.slot, other.series.study)
