"""What a comparison gives: the same work done by us and by another program, in turns, and its seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from VSClickCorrectResearch.benchmark.errors import ProgramMissing


@dataclass(frozen=True)
class Comparison:
    """Our way and another program's, measured in turns in one process.

    Parameters
    ----------
    name : str
        What was done, and by whom else.
    our_seconds, reference_seconds : tuple of float
        Of each repeat.
    equal : float or None
        Dice score between the two results: 1 if they are the same to the voxel. None where the results
        cannot be the same, as the note says.
    target : float
        How many times faster ours is meant to be.
    note : str
        One sentence: what exactly was compared.
    """

    name: str
    our_seconds: tuple[float, ...]
    reference_seconds: tuple[float, ...]
    equal: float | None
    target: float
    note: str

    @property
    def ratio(self) -> float:
        """How many times faster ours is, by medians."""
        return float(np.median(self.reference_seconds) / np.median(self.our_seconds))


def in_turns(
    repeats: int, ours: Callable[[], float], reference: Callable[[], float]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Call both as often, and let each begin every other time: what slows the machine slows both.

    Parameters
    ----------
    repeats : int
        How often.
    ours, reference : callable
        Do the work once and return its seconds, without those of setting it up or checking it.

    Returns
    -------
    ours, reference : tuple of float
        Seconds of each repeat.
    """
    seconds: dict[Callable[[], float], list[float]] = {ours: [], reference: []}
    for n in range(repeats):
        for one in (ours, reference) if n % 2 == 0 else (reference, ours):
            seconds[one].append(one())
    return tuple(seconds[ours]), tuple(seconds[reference])


def require(package: str, name: str) -> None:
    """Raise `ProgramMissing` if a package, known to a person as ``name``, is not installed."""
    if find_spec(package) is None:
        raise ProgramMissing(
            f"{name} is not installed, so nothing was compared with it; "
            'install it with: pip install "vsclickcorrect[bench]".'
        )
