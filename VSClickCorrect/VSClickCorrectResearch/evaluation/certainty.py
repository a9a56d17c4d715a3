"""How sure the initial networks may be of a candidate, learnt from cases whose tumour is known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import ndimage
from scipy.optimize import minimize
from scipy.special import expit
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.initial_mask import InitialMask, certainty_features
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.model_entry import CERTAINTY, FEATURES
from VSClickCorrectLib.io.files import write_text

from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.evaluation.metrics import FOUND, dice

# A prior of coefficients around 5: cases that can be told apart must not make certainties of 0 and 1.
_RIDGE = 0.02
# There are as many features as a network has channels, each here of variance 1.
_FEATURE_RIDGE, _LEAST_SPREAD = 8.0, 1e-6
# Of candidates less far out than so many percent a feature counts as it is.
_LIMITS = (1, 99)
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
    features : tuple of float
        Of the network's decoder, see `InitialMask`; as many in every candidate.
    """

    confidence: float
    volume_mm3: float
    located: float
    t1ce: bool
    right: bool
    features: tuple[float, ...] = ()

    @property
    def measured(self) -> dict[str, Any]:
        """What certainty is calibrated on."""
        return certainty_features(self.confidence, self.volume_mm3, self.located, self.t1ce, self.features)


def candidates_of(case: LabelledCase, segmenter: InitialSegmenter) -> Iterator[Candidate]:
    """Yield all candidates of a case, as it is and with either sequence alone.

    In a head without a tumour none is right.
    """
    tumours = tumours_of(case.truth)
    for shown in with_less(case.case):
        for one in segmenter.search(shown).candidates:
            yield judged(one, shown, tumours)


def tumours_of(truth: np.ndarray) -> np.ndarray:
    """Return the truth with a number for each of its connected parts."""
    return ndimage.label(truth, np.ones((3, 3, 3)))[0]


def judged(one: InitialMask, shown: Case, tumours: np.ndarray) -> Candidate:
    """Return a candidate that was found in what was shown, held against `tumours_of` its truth."""
    volume, right = shown.grid.volume_of(one.values), _is_right(one.on(shown.grid), tumours)
    return Candidate(one.confidence, volume, one.located, shown.t1ce is not None, right, one.features)


def _is_right(mask: np.ndarray, tumours: np.ndarray) -> bool:
    """Return whether a mask has a DSC above 0.5 with all tumours, or with the one that it meets most."""
    truth = tumours > 0
    own = np.bincount(tumours[mask & truth], minlength=2).argmax()
    return max(dice(mask, truth), dice(mask, tumours == max(own, 1))) > FOUND


def with_less(case: Case) -> list[Case]:
    """Return a case as it is, and with each sequence alone where it has both."""
    alone = [replace(case, **{other: None}) for other in case.present] if len(case.present) > 1 else []
    return [case, *alone]


def fit_certainty(candidates: Sequence[Candidate]) -> dict[str, Any]:
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
    measured = [one.measured for one in candidates]
    numbers = np.array([[one[name] for name in CERTAINTY] for one in measured])
    features = np.array([one.features for one in candidates])
    limits = np.percentile(features, _LIMITS, axis=0)
    features = np.clip(features, *limits)
    middle, spread = features.mean(axis=0), np.maximum(features.std(axis=0), _LEAST_SPREAD)
    seen = (features - middle) / spread
    # With a T1ce they may tell something else than without.
    rows = np.hstack([numbers, seen, seen * numbers[:, [CERTAINTY.index("t1ce")]]])
    ridge = np.repeat([0.0, _RIDGE, _FEATURE_RIDGE], [1, len(CERTAINTY) - 1, 2 * len(spread)])
    found = _regression(rows, right, ridge)
    lists = np.reshape(found[len(CERTAINTY) :], (2, -1)) / spread
    named = dict(zip(CERTAINTY, found, strict=False))
    named["intercept"] -= lists[0] @ middle
    named["t1ce"] -= lists[1] @ middle
    rounded = [*lists.round(4).tolist(), *limits.round(4).tolist()]
    of_features = dict(zip(FEATURES, rounded, strict=True)) if features.size else {}
    return {name: round(float(value), 4) for name, value in named.items()} | of_features


def _regression(rows: np.ndarray, right: np.ndarray, ridge: np.ndarray) -> np.ndarray:
    """Return the coefficients of a logistic regression whose squares are penalised."""

    def loss(coefficients: np.ndarray) -> tuple[float, np.ndarray]:
        logits = rows @ coefficients
        misfit = np.logaddexp(0, logits) - right * logits
        slope = rows.T @ (expit(logits) - right) + 2 * ridge * coefficients
        return float(misfit.sum() + (ridge * coefficients**2).sum()), slope

    return minimize(loss, np.zeros(rows.shape[1]), jac=True).x


def write_certainty(models: ModelFolder, name: str, certainty: dict[str, Any]) -> None:
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
