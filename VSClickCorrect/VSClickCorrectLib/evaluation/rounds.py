"""Rounds of simulated clicks, played through the same session as the clinician's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from VSClickCorrectLib.evaluation.metrics import Scores, dice, score
from VSClickCorrectLib.imaging.click import Click
from VSClickCorrectLib.imaging.volume import Case
from VSClickCorrectLib.session.correction import DEFAULT_MERGE, CorrectionSession, Proposer, Starter
from VSClickCorrectLib.session.mask import ArrayMask
from VSClickCorrectLib.simulation.user import border_clicks


@dataclass(frozen=True)
class Play:
    """How the simulated user works.

    Parameters
    ----------
    rounds : int
        Rounds of clicks.
    clicks : int
        Boundary clicks a round at most, one a slice.
    together : bool
        Whether a round's clicks are applied at once or one by one.
    merge : str
        One of `imaging.merging.MERGES`.
    """

    rounds: int = 3
    clicks: int = 5
    together: bool = True
    merge: str = DEFAULT_MERGE


@dataclass(frozen=True, eq=False)
class Round:
    """What one round of clicks did; round 0 is the start.

    Parameters
    ----------
    clicks : tuple of Click
        The clicks, in the order in which they were placed; none in round 0 or where nothing was left to mend.
    mask : ndarray of bool
        The mask after the round, ``(K, J, I)``.
    scores : Scores
        Of that mask.
    dice : tuple of float
        DSC after each application: after every click where they were applied one by one, else one value.
    milliseconds : tuple of float
        Of each application, from the click to the written voxels.
    """

    clicks: tuple[Click, ...]
    mask: np.ndarray
    scores: Scores
    dice: tuple[float, ...] = ()
    milliseconds: tuple[float, ...] = ()


def play_rounds(
    case: Case,
    truth: np.ndarray,
    start: np.ndarray,
    corrector: Proposer,
    play: Play,
    starter: Starter | None = None,
) -> Iterator[Round]:
    """Yield the start and every round of a correction by the simulated user.

    Parameters
    ----------
    case : Case
        The sequences.
    truth, start : ndarray of bool
        The true mask and the one to begin with, ``(K, J, I)``.
    corrector, starter
        As for `CorrectionSession`.
    play : Play
        How the simulated user works.

    Yields
    ------
    Round
        ``play.rounds + 1`` of them.
    """
    mask = ArrayMask(case.grid, start)
    session = CorrectionSession(case, mask, corrector, starter, play.merge)
    yield Round((), mask.values.copy(), score(case.grid, mask.values, truth))
    for _ in range(play.rounds):
        clicks = tuple(border_clicks(case.grid, truth, mask.values, play.clicks))
        scores, times = [], []
        for group in [clicks] if play.together and clicks else [(click,) for click in clicks]:
            times.append(session.apply_together(group).milliseconds)
            scores.append(dice(mask.values, truth))
        session.next_round()
        after = mask.values.copy()
        yield Round(clicks, after, score(case.grid, after, truth), tuple(scores), tuple(times))
