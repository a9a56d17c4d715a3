"""What a rival's file gives: the same work done by us and by them, in turns, and how long each took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from VSClickCorrectLib.errors import RivalMissing


@dataclass(frozen=True)
class Comparison:
    """Our way and theirs, measured in turns in one process.

    Parameters
    ----------
    name : str
        What was done, and by whom else.
    ours, theirs : tuple of float
        Seconds of each repeat.
    equal : float or None
        Dice score between the two results: 1 if they are the same to the voxel. None where the results
        cannot be the same, as the note says.
    target : float
        How many times faster ours is meant to be.
    note : str
        One sentence: what exactly was compared.
    """

    name: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    equal: float | None
    target: float
    note: str

    @property
    def ratio(self) -> float:
        """How many times faster ours is, by medians."""
        return float(np.median(self.theirs) / np.median(self.ours))


def in_turns(
    repeats: int, ours: Callable[[], float], theirs: Callable[[], float]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Call both as often, and let each begin every other time: what slows the machine slows both.

    Parameters
    ----------
    repeats : int
        How often.
    ours, theirs : callable
        Do the work once and return its seconds, without those of setting it up or checking it.

    Returns
    -------
    ours, theirs : tuple of float
        Seconds of each repeat.
    """
    seconds: dict[Callable[[], float], list[float]] = {ours: [], theirs: []}
    for n in range(repeats):
        for one in (ours, theirs) if n % 2 == 0 else (theirs, ours):
            seconds[one].append(one())
    return tuple(seconds[ours]), tuple(seconds[theirs])


def require(package: str, name: str) -> None:
    """Raise `RivalMissing` if a package, known to a person as ``name``, is not installed."""
    if find_spec(package) is None:
        raise RivalMissing(
            f"{name} is not installed, so nothing was compared with it; "
            'install it with: pip install "vsclickcorrect[bench]".'
        )
