"""Rounds of simulated clicks, played through the same session as the clinician's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.inference.doubt_map import Doubter
from VSClickCorrectLib.inference.doubtful_places import doubtful_places
from VSClickCorrectLib.session.correction import DEFAULT_MERGE, CorrectionSession, InitialProposer, Proposer

from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.evaluation.metrics import Scores, dice, score
from VSClickCorrectResearch.simulation.hand import Hand
from VSClickCorrectResearch.simulation.led_user import clicks_near, random_places
from VSClickCorrectResearch.simulation.thesis_user import thesis_clicks
from VSClickCorrectResearch.simulation.user import border_clicks, part_clicks

KNOWING, LED, RANDOM, GUIDED, THESIS = USERS = ("knowing", "led", "random", "guided", "thesis")


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
    hand : Hand
        How far from where they were meant clicks are made.
    user : str
        Who clicks, one of `USERS`: who knows where the mask is most wrong, who is led to the places that the
        networks doubt, who looks at places of the mask's border at random, who knows and mends parts that
        are missed or wrong as a whole by include and exclude clicks, as the user guide says, or who clicks by
        the thesis's Algorithm 1 to the letter.
    """

    rounds: int = 3
    clicks: int = 5
    together: bool = True
    hand: Hand = field(default_factory=Hand)
    user: str = KNOWING


@dataclass(frozen=True)
class Method:
    """One way of correcting.

    Parameters
    ----------
    name : str
        What tables and curves call it.
    proposer : Proposer
        The network or baseline.
    merge : str
        How its proposals enter the mask, one of `clicks.merging.MERGES`.
    initial_proposer : callable, optional
        As for `CorrectionSession`.
    doubter : callable, optional
        Leads the user who is led; see `inference.doubt_map.Doubter`.
    """

    name: str
    proposer: Proposer
    merge: str = DEFAULT_MERGE
    initial_proposer: InitialProposer | None = None
    doubter: Doubter | None = None


class Start(NamedTuple):
    """What is corrected.

    Parameters
    ----------
    mask : ndarray of bool
        ``(K, J, I)``.
    confidence : float or None
        Of the networks that made it, 0 to 1.
    click : Click or None
        As it is meant; made before the first round and part of the start.
    """

    mask: np.ndarray
    confidence: float | None = None
    click: Click | None = None


@dataclass(frozen=True, eq=False)
class Round:
    """What one round of clicks did; round 0 is the start.

    Parameters
    ----------
    clicks : tuple of Click
        The clicks as they were made, in that order; none where nothing was left to mend.
    mask : ndarray of bool
        The mask after the round, ``(K, J, I)``.
    scores : Scores
        Of that mask.
    dice : tuple of float
        DSC after each application: after every click where they were applied one by one, else one value.
    milliseconds : tuple of float
        Of each application, from the click to the written voxels; 0 where all its clicks were refused.
    refused : int
        Clicks that the session refused, which changed nothing.
    """

    clicks: tuple[Click, ...]
    mask: np.ndarray
    scores: Scores
    dice: tuple[float, ...] = ()
    milliseconds: tuple[float, ...] = ()
    refused: int = 0


def play_rounds(case: LabelledCase, start: Start, method: Method, play: Play) -> Iterator[Round]:
    """Yield the start and every round of a correction by the simulated user.

    Parameters
    ----------
    case : LabelledCase
        The sequences and the truth.
    start : Start
        What to begin with.
    method : Method
        Who corrects.
    play : Play
        How the simulated user works.

    Yields
    ------
    Round
        ``play.rounds + 1`` of them.
    """
    mask = ArrayMask(case.grid, start.mask)
    session = CorrectionSession(case.case, mask, method.proposer, method.initial_proposer, method.merge)
    errors, places = play.hand.errors(case.name), play.hand.places(case.name)
    meant: Sequence[Click] = () if start.click is None else (start.click,)
    for number in range(play.rounds + 1):
        if number:
            session.next_round()
            meant = _meant(case, session, mask, method, play, places)
        clicks = tuple(play.hand.clicked(case.grid, click, errors) for click in meant)
        scores, times, refused = [], [], 0
        for group in [clicks] if play.together and clicks else [(click,) for click in clicks]:
            milliseconds, left_out = apply_accepted(session, group)
            times.append(milliseconds)
            scores.append(dice(mask.values, case.truth))
            refused += left_out
        after = mask.values.copy()
        yield Round(clicks, after, score(case.grid, after, case.truth), tuple(scores), tuple(times), refused)


def _meant(
    case: LabelledCase,
    session: CorrectionSession,
    mask: ArrayMask,
    method: Method,
    play: Play,
    rng: np.random.Generator,
) -> Sequence[Click]:
    """Return the clicks of a round as they are meant."""
    if play.user == KNOWING:
        return border_clicks(case.grid, case.truth, mask.values, play.clicks)
    if play.user == GUIDED:
        parts = part_clicks(case.grid, case.truth, mask.values, play.clicks)
        return [*parts, *border_clicks(case.grid, case.truth, mask.values, play.clicks - len(parts))]
    if play.user == THESIS:
        return thesis_clicks(case.grid, case.truth, mask.values, rng)[: play.clicks]
    if play.user == RANDOM:
        places = random_places(case.grid, mask.values, play.clicks, rng)
    else:
        doubt = method.doubter(session.case, mask, session.clicks) if method.doubter else None
        places = [] if doubt is None else [one.position_ras for one in doubtful_places(doubt)[: play.clicks]]
    return clicks_near(case.grid, case.truth, mask.values, places)


def apply_accepted(session: CorrectionSession, clicks: Sequence[Click]) -> tuple[float, int]:
    """Apply clicks together, without those that are refused; returns milliseconds and how many those are."""
    # One refused click would hold up the others; the user takes it away, and they are seen on one mask still.
    accepted = [click for click in clicks if _is_accepted(session, click)]
    refused = len(clicks) - len(accepted)
    return (session.apply_together(accepted).milliseconds if accepted else 0.0), refused


def _is_accepted(session: CorrectionSession, click: Click) -> bool:
    try:
        session.check([click])
    except CorrectionError:
        return False
    return True
