"""One correction, the same for every program: a mask with an uneven border, and a click that mends it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import index3
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectLib.session.edit import Change
from VSClickCorrectLib.session.oracle import Oracle

from VSClickCorrectResearch.simulation.mask_perturbations import uneven_border
from VSClickCorrectResearch.simulation.user import border_clicks

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
    margin = index3(np.ceil(_MARGIN_MM / grid.spacing[::-1]))
    box = Box.around(truth).padded(margin).clipped(grid.shape)
    start = np.zeros_like(truth)
    start[box.slices] = uneven_border(truth[box.slices], grid.spacing[::-1], np.random.default_rng(0))
    return start
