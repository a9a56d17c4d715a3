"""One correction, the same for every rival: a mask with an uneven border, and a click that mends it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from VSClickCorrectLib.imaging.box import Box
from VSClickCorrectLib.imaging.click import Click
from VSClickCorrectLib.imaging.grid import Grid
from VSClickCorrectLib.imaging.volume import Case
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectLib.session.edit import Change
from VSClickCorrectLib.session.mask import ArrayMask
from VSClickCorrectLib.simulation.errors import uneven_border
from VSClickCorrectLib.simulation.oracle import Oracle
from VSClickCorrectLib.simulation.user import border_clicks

_MARGIN_MM = 8.0
_CLICKS = 5


@dataclass(frozen=True)
class Correction:
    """A click on a border, and what a corrector that knows the truth changes by it.

    Parameters
    ----------
    start, corrected : ndarray of bool
        The mask before and after the click, ``(K, J, I)``.
    change : Change
        What flipped.
    clicks : list of Click
        That click, and where the simulated user would click next.
    """

    start: np.ndarray
    corrected: np.ndarray
    change: Change
    clicks: list[Click]


def correction_of(case: Case, truth: np.ndarray) -> Correction:
    """Return the correction of a mask whose border lies here too far out and there too far in.

    Parameters
    ----------
    case : Case
        The examination.
    truth : ndarray of bool
        The true mask, not empty, ``(K, J, I)``.
    """
    start = _uneven(case.grid, truth)
    mask = ArrayMask(case.grid, start)
    clicks = border_clicks(case.grid, truth, start, _CLICKS)
    edit = CorrectionSession(case, mask, Oracle(truth)).apply(clicks[0])
    return Correction(start, mask.values, edit.change, clicks)


def _uneven(grid: Grid, truth: np.ndarray) -> np.ndarray:
    margin = tuple(int(n) for n in np.ceil(_MARGIN_MM / grid.spacing[::-1]))
    box = Box.around(truth).padded(margin).clipped(grid.shape)
    start = np.zeros_like(truth)
    start[box.slices] = uneven_border(truth[box.slices], grid.spacing[::-1], np.random.default_rng(0))
    return start
