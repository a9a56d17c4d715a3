"""The series of the archives and folders that a browser sends, to choose T1ce and T2 from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trame_server import Server
from trame_server.utils.typed_state import TypedState
from VSClickCorrectLib.workflow.observable import Signal

from VSClickCorrectApp.page_host import PageHost
from VSClickCorrectApp.reading.offered_series import SEQUENCES
from VSClickCorrectApp.sent_series import Row
from VSClickCorrectApp.uploads import Uploads


@dataclass
class SeriesState:
    """What the page knows of them, and whether an archive is being looked into."""

    rows: list = field(default_factory=list)
    looking: bool = False


class SeriesLogic:
    """Looks into an archive once it is whole, and takes what the user chooses.

    Parameters
    ----------
    server : Server
        Its state holds `SeriesState`.
    host : PageHost
        Runs what takes long.
    uploads : Uploads
        Where files are.

    Attributes
    ----------
    changed : Signal
        Files may have gone, as they were looked into or others were chosen.
    """

    def __init__(self, server: Server, host: PageHost, uploads: Uploads) -> None:
        self._host, self._uploads = host, uploads
        self.changed = Signal()
        self.typed_state = TypedState(server.state, SeriesState)
        self._looks = 0
        self.choose = host.bound(self._choose)

    def look(self, slot: str) -> None:
        """Look, in a task of its own, which series the file of a slot holds if it is an archive of scans."""
        self._host.start(self._look(slot))

    def _choose(self, sequence: str, key: str) -> None:
        """Choose a series as ``t1ce`` or ``t2``; once more, and it is none."""
        self._uploads.choose(sequence, key)
        self._host.say(_told(self._uploads.series.chosen))
        self.changed.emit()

    def update(self) -> None:
        """Show what is there now."""
        series, data = self._uploads.series, self.typed_state.data
        data.looking = self._looks > 0
        data.rows = [_shown(row, series.chosen) for row in series.offered]

    async def _look(self, slot: str) -> None:
        self._looks += 1
        self.update()
        try:
            await self._host.background(lambda: self._uploads.look(slot))
        finally:
            self._looks -= 1
            self.changed.emit()


def _told(chosen: Mapping[str, Row]) -> str:
    """Return a sentence on what is chosen."""
    parts = [
        f"the {SEQUENCES[s]} is '{row.series.name}' {row.series.date}".rstrip()
        for s, row in sorted(chosen.items())
    ]
    return f"{' and '.join(parts) or 'no series is chosen'}."


def _shown(row: Row, chosen: Mapping[str, Row]) -> dict[str, Any]:
    one = row.series
    columns, rows, slices = one.size
    return {
        "key": row.key,
        "patient": one.patient,
        "date": one.date,
        "name": one.name,
        "slices": slices,
        "size": f"{columns} × {rows}",
        **{sequence: chosen.get(sequence) == row for sequence in SEQUENCES},
    }
