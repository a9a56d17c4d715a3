"""The time of real work on a case, and the time by which the ages of files are told."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from VSClickCorrectLib.io.temporary import TemporaryFolder

# So long a person may look without moving a finger; of a longer gap only this much counts.
IDLE_S = 120.0


class WorkClock:
    """Counts seconds to the next sign of work, from now on; a long gap, as of a telephone call, is 120 s.

    Parameters
    ----------
    now : callable
        Returns seconds that never go back.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._last: float | None = now()

    def work(self) -> float:
        """Note a sign of work; return the seconds that count since the last."""
        if self._last is None:
            return 0.0
        now = self._now()
        gap, self._last = now - self._last, now
        return min(max(gap, 0.0), IDLE_S)

    def stop(self) -> float:
        """Stop counting; return the seconds that count since the last sign of work."""
        seconds = self.work()
        self._last = None
        return seconds


def drive_time(folder: Path) -> float:
    """Return the time by the clock of a folder's drive, in seconds as `time.time`.

    Clocks of computers that share a folder may differ by an hour; the drive dates the files of all of them.
    Where none can be made it is this computer's time.
    """
    try:
        return told_drive_time(folder)
    except OSError:
        return time.time()


def told_drive_time(folder: Path) -> float:
    """Return the time as `drive_time`; raises OSError where no file can be made."""
    with TemporaryFolder(".writing-", folder) as made:
        return made.stat().st_mtime
