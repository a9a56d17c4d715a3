"""Rounds of simulated clicks, played through the same session as the clinician's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from VSClickCorrectLib.evaluation.metrics import dice
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


def play_rounds(
    case: Case,
    truth: np.ndarray,
    start: np.ndarray,
    corrector: Proposer,
    play: Play,
    starter: Starter | None = None,
) -> list[float]:
    """Return the DSC before the first and after each round.

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
    """
    mask = ArrayMask(case.grid, start)
    session = CorrectionSession(case, mask, corrector, starter, play.merge)
    scores = [dice(mask.values, truth)]
    for _ in range(play.rounds):
        clicks = border_clicks(case.grid, truth, mask.values, play.clicks)
        for group in [clicks] if play.together else [[click] for click in clicks]:
            if group:
                session.apply_together(group)
        session.next_round()
        scores.append(dice(mask.values, truth))
    return scores
