"""What makes a mask unlikely to be a vestibular schwannoma, for a question before it becomes a label."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.mrml.i18n import tr as _

# A ball of 3 mm has 14 mm³; hardly any tumour that is outlined is smaller.
_SMALLEST_MM3 = 15.0
_NEIGHBOURS = np.ones((3, 3, 3), bool)


def question_about(case: str, values: np.ndarray, grid: Grid) -> str:
    """Return what to ask before a mask becomes a case's label; empty if there is no doubt.

    Parameters
    ----------
    case : str
        The case's name.
    values : ndarray of bool
        The mask, ``(K, J, I)``.
    grid : Grid
        Its grid.
    """
    if not values.any():
        question = _("The mask of case {case} is empty. Is there no tumour? Then OK labels the case so.")
        return question.format(case=case)
    doubts = _doubts(values, grid)
    if not doubts:
        return ""
    question = _("The mask of case {case} {doubts}. Is it meant so? Then OK writes it as the label.")
    return question.format(case=case, doubts=_(" and ").join(doubts))


def question_without(case: str, values: np.ndarray, grid: Grid) -> str:
    """Return what to ask before a case is labelled as one without a tumour; arguments as `question_about`."""
    volume = grid.volume_of(values)
    question = _("The mask of case {case} has {volume:.0f} mm³, which the label will not hold. Go on?")
    return question.format(case=case, volume=volume) if volume else ""


def _doubts(values: np.ndarray, grid: Grid) -> list[str]:
    labels, _count = ndimage.label(values[Box.around(values).slices], _NEIGHBOURS)
    sizes = sorted(np.bincount(labels.ravel())[1:] * grid.voxel_volume, reverse=True)
    doubts = []
    if len(sizes) > 1:
        listed = ", ".join(f"{size:.0f}" for size in sizes[:3]) + (" …" if len(sizes) > 3 else "")
        doubts.append(_("has {count} parts ({sizes} mm³)").format(count=len(sizes), sizes=listed))
    if sum(sizes) < _SMALLEST_MM3:
        doubts.append(_("has only {volume:.0f} mm³").format(volume=sum(sizes)))
    return doubts
