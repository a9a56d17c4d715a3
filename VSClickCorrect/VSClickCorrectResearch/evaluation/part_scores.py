"""How well a model of parts parts tumours: of a mask that is right, or of one that was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.measure.tumour_parts import EXTRAMEATAL, INTRAMEATAL, measure_parts, tumour_numbers

from VSClickCorrectResearch.datasets.class_cases import ClassCase
from VSClickCorrectResearch.evaluation.class_scores import class_dices, generalised_dice_score

if TYPE_CHECKING:
    from VSClickCorrectLib.inference.initial import InitialSegmenter
    from VSClickCorrectLib.inference.parts import PartsSegmenter


@dataclass(frozen=True)
class PartScores:
    """What is measured of one case.

    Parameters
    ----------
    name : str
        The case's.
    dices : tuple of float or None
        DSC of each class, None of one that the truth does not have.
    generalised : float
        The generalised Dice score.
    diameter_error_mm : float or None
        The extrameatal diameter less the true one; None where there is none, or other classes are told apart.
    """

    name: str
    dices: tuple[float | None, ...]
    generalised: float
    diameter_error_mm: float | None


def score_parts(
    case: ClassCase, segmenter: PartsSegmenter, initial: InitialSegmenter | None = None
) -> PartScores | None:
    """Part the tumour of a case and score it on its own grid; None if it has no tumour.

    Parameters
    ----------
    case : ClassCase
        The case, whose classes are known.
    segmenter : PartsSegmenter
        What parts it.
    initial : InitialSegmenter, optional
        What finds the mask that is parted; the true one is taken if left out. What is not found has no parts.

    Raises
    ------
    ModelError
        If the model needs a sequence that the case's list does not name.
    """
    names = tuple(segmenter.model.entry.classes)
    tumour = np.isin(case.labels, tumour_numbers(names))
    if not tumour.any():
        return None
    mask = initial.segment(_examination(case)).on(case.grid) if initial else tumour
    numbers = np.zeros(case.grid.shape, np.uint8)
    if mask.any():
        found = segmenter.find(case, ArrayMask(case.grid, mask))
        numbers[found.box.slices] = found.numbers
    diameters = [_diameter(case, names, labels) for labels in (numbers, case.labels)]
    error = None if None in diameters else diameters[0] - diameters[1]  # type: ignore[operator]
    return PartScores(
        case.name,
        tuple(class_dices(numbers, case.labels, len(names))),
        generalised_dice_score(numbers, case.labels, len(names)),
        error,
    )


def _examination(case: ClassCase) -> Case:
    """Return the sequences in which a tumour is looked for."""
    return Case(case.volumes.get("t1ce"), case.volumes.get("t2"))


def _diameter(case: ClassCase, names: Sequence[str], labels: np.ndarray) -> float | None:
    if not {INTRAMEATAL, EXTRAMEATAL} <= set(names):
        return None
    parts = [labels == 1 + names.index(name) for name in (INTRAMEATAL, EXTRAMEATAL)]
    diameter = measure_parts(case.grid, case.grid.box, *parts).diameter
    return None if diameter is None else diameter.mm
