"""How sure the initial networks may be of a candidate, learnt from cases whose tumour is known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage
from scipy.optimize import minimize
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.initial_mask import certainty_features
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.model_entry import CERTAINTY
from VSClickCorrectLib.io.files import write_text

from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.evaluation.metrics import FOUND, dice

# A prior of coefficients around 5: cases that can be told apart must not make certainties of 0 and 1.
_RIDGE = 0.02
_FEWEST = 10


@dataclass(frozen=True)
class Candidate:
    """What was found in a case, and whether it is the tumour.

    Parameters
    ----------
    confidence : float
        Mean probability inside the candidate.
    volume_mm3 : float
        Its volume.
    located : float
        Mean probability of the locator in it.
    t1ce : bool
        Whether the networks saw a T1ce.
    right : bool
        Whether its DSC is above 0.5 with the truth, or with the one tumour of several in which it lies.
    """

    confidence: float
    volume_mm3: float
    located: float
    t1ce: bool
    right: bool


def candidates_of(case: LabelledCase, segmenter: InitialSegmenter) -> Iterator[Candidate]:
    """Yield all candidates of a case, as it is and with either sequence alone.

    In a head without a tumour none is right.
    """
    tumours, _ = ndimage.label(case.truth, np.ones((3, 3, 3)))
    for shown in _with_less(case.case):
        for one in segmenter.search(shown).candidates:
            mask, volume = one.on(case.grid), case.grid.volume_of(one.values)
            own = np.bincount(tumours[mask & case.truth], minlength=2).argmax()
            right = max(dice(mask, case.truth), dice(mask, tumours == max(own, 1))) > FOUND
            yield Candidate(one.confidence, volume, one.located, shown.t1ce is not None, right)


def _with_less(case: Case) -> list[Case]:
    alone = [replace(case, **{other: None}) for other in case.present] if len(case.present) > 1 else []
    return [case, *alone]


def fit_certainty(candidates: Sequence[Candidate]) -> dict[str, float]:
    """Return the coefficients of a logistic regression, by the names of a model's ``certainty``.

    Parameters
    ----------
    candidates : sequence of Candidate
        Of validation cases: neither those of the training nor those of a test.

    Raises
    ------
    ModelError
        If there are fewer than ten, or all are right, or none is.
    """
    right = np.array([one.right for one in candidates], float)
    if len(candidates) < _FEWEST or right.min() == right.max():
        raise ModelError(
            f"{len(candidates)} candidates, {int(right.sum())} of them right, are too few to calibrate by; "
            f"take more cases, at least {_FEWEST} with tumours that are found and some that are not."
        )
    features = [
        certainty_features(one.confidence, one.volume_mm3, one.located, one.t1ce) for one in candidates
    ]
    rows = np.array([[1.0, *(f[name] for name in CERTAINTY[1:])] for f in features])

    def loss(coefficients: np.ndarray) -> float:
        logits = rows @ coefficients
        misfit = np.logaddexp(0, logits) - right * logits
        return float(misfit.sum() + _RIDGE * (coefficients[1:] ** 2).sum())

    found = minimize(loss, np.zeros(len(CERTAINTY))).x
    return {name: round(float(value), 4) for name, value in zip(CERTAINTY, found, strict=True)}


def write_certainty(models: ModelFolder, name: str, certainty: dict[str, float]) -> None:
    """Write a model's certainty into its manifest; nothing else of it changes.

    Raises
    ------
    ImageError
        If the manifest cannot be written.
    """
    path = models.folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    for entry in manifest["models"]:
        if entry["name"] == name:
            entry["certainty"] = certainty
    write_text(path, json.dumps(manifest, indent=2) + "\n")
