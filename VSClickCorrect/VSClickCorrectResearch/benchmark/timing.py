"""What was measured: a name, a unit, and every value, so that the spread is told with the median."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Timing:
    """One line of the table.

    Parameters
    ----------
    what : str
        What was measured, in a few words.
    unit : str
        ``ms``, ``s``, ``MB`` or ``GFLOP/s``.
    values : tuple of float
        Every single measurement, in the order taken.
    """

    what: str
    unit: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median."""
        return float(np.median(self.values))

    @property
    def spread(self) -> tuple[float, float]:
        """The 10th and 90th percentiles."""
        low, high = np.percentile(self.values, [10, 90])
        return float(low), float(high)


def milliseconds(what: str, seconds: Sequence[float]) -> Timing:
    """Return a line in milliseconds from times in seconds."""
    return Timing(what, "ms", tuple(round(1000 * s, 4) for s in seconds))


def number(value: float) -> str:
    """Return a value with three digits that count."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}"


def timed(action: Callable[[], object]) -> float:
    """Return how many seconds an action takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def peak_megabytes() -> float | None:
    """Return the most memory this process has had, MB, or None where the system does not tell (Windows)."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
