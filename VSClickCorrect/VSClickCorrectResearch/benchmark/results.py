"""Everything that was measured, and its JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from VSClickCorrectResearch.benchmark.arithmetic import NetworkRate
from VSClickCorrectResearch.benchmark.comparisons.comparison import Comparison
from VSClickCorrectResearch.benchmark.timing import Timing
from VSClickCorrectResearch.benchmark.variants import Variant

PARTS = ("cut", "network", "merge", "write", "notify and journal")
SESSION = "clicks of a session, in order"
# As many clicks at either end of a long session are compared.
ENDS = 100


@dataclass(frozen=True)
class SizeTimes:
    """What was measured on volumes of one size.

    Parameters
    ----------
    size : str
        As ``512×512×120``.
    rows : tuple of Timing
        In the order measured; the clicks of the long session, `SESSION`, among them.
    """

    size: str
    rows: tuple[Timing, ...]

    def row(self, what: str) -> Timing | None:
        """Return the line of that name, None if the system could not tell it."""
        return next((row for row in self.rows if row.what == what), None)

    def session(self) -> np.ndarray:
        """Return the milliseconds of the long session's clicks, in order."""
        return np.array(next(row.values for row in self.rows if row.what == SESSION))

    def session_ends(self) -> tuple[float, float]:
        """Return the median of the first clicks of the long session, and of the last."""
        times = self.session()
        return float(np.median(times[:ENDS])), float(np.median(times[-ENDS:]))


@dataclass
class BenchmarkResults:
    """One run of the benchmark.

    Parameters
    ----------
    command : str
        That would measure it again.
    machine : dict
        From `machine.describe`.
    start : sequence of Timing
        Starts of new processes.
    sizes : sequence of SizeTimes
        Smallest first.
    comparisons : list of Comparison
        Other ways to do the same, side by side.
    missing : list of str
        One sentence for each other program that could not be measured.
    networks : sequence of NetworkRate
        Against the machine's limit.
    variants : sequence of Variant
        The corrector run in other ways; what ships comes first.
    """

    command: str
    machine: dict[str, str]
    start: Sequence[Timing] = ()
    sizes: list[SizeTimes] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    networks: Sequence[NetworkRate] = ()
    variants: Sequence[Variant] = ()

    def to_json(self) -> dict:
        """Return everything as JSON-ready values."""
        return asdict(self)
