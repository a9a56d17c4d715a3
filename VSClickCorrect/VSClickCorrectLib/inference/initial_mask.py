"""What the initial networks found: candidates, and how sure they are of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import ndimage
from scipy.special import expit, logit

from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import index3
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.model_entry import CERTAINTY, FEATURES
from VSClickCorrectLib.measure.measurements import head_middle

# From here on a candidate is said to be found; below, the user is told to look.
SURE = 0.7
# More would be pages to turn, not a choice; and what is so much less likely than the best is none.
_MAX_CANDIDATES, _LEAST_SHARE = 4, 0.15
# Pieces of one tumour are no farther apart.
JOINED_MM = 3.0
# Two tumours, one on each side, lie so far apart and so nearly where the other's mirror image does: each
# comes from its canal. A meningioma, which looks much the same, comes from anywhere along the bone. Few
# patients have two, so the networks must be surer of the second.
_BETWEEN_SIDES_MM, _MIRRORED_MM, _SECOND_SURE = 25.0, 8.0, 0.8
_NEIGHBOURS = np.ones((3, 3, 3), bool)
# The volume at which its logarithm is 0 in the calibration.
_UNIT_MM3 = 100.0
# Nothing is more or less likely to the locator.
_LEAST_ODDS = 1e-4
# For models that nobody calibrated.
_UNCALIBRATED = {"intercept": -4.0, "confidence": 6.0, "log_volume": 0.5, "located_log_odds": 0.4}


@dataclass(frozen=True, eq=False)
class InitialMask:
    """One candidate of the initial networks, and those after it.

    Parameters
    ----------
    box : Box
        Native voxels, ``(k, j, i)``; empty if nothing was found.
    values : ndarray of bool
        The mask in ``box``.
    confidence : float
        Mean probability inside the mask as it was seen first, 0 if nothing was found.
    located : float
        Mean probability of the locator in the mask.
    certainty : float
        Chance that this is the tumour, DSC above 0.5, as calibrated on validation cases; 0 to 1.
    others : tuple of InitialMask
        Candidates that are less likely, best first; each without others of its own.
    models : tuple of str
        Name and hash of each network that looked, for the record of what made a mask.
    features : tuple of float
        Mean inside the mask of what the deepest and the last stage of the network's decoder saw, one a
        channel; empty if not known.
    """

    box: Box
    values: np.ndarray
    confidence: float
    located: float = 0.0
    certainty: float = 0.0
    others: tuple[InitialMask, ...] = ()
    models: tuple[str, ...] = ()
    features: tuple[float, ...] = ()

    @property
    def found(self) -> bool:
        """Whether there is anything in the mask."""
        return bool(self.values.any())

    @property
    def sure(self) -> bool:
        """Whether the networks are sure enough to say that they found the tumour."""
        return self.found and self.certainty >= SURE

    @property
    def candidates(self) -> tuple[InitialMask, ...]:
        """All that was found, best first; empty if nothing was."""
        return (replace(self, others=()), *self.others) if self.found else ()

    def meets(self, other: InitialMask) -> bool:
        """Whether the two masks share voxels."""
        shared = self.box.intersection(other.box)
        if shared.empty:
            return False
        values = [part.values[shared.slices_in(part.box)] for part in (self, other)]
        return bool((values[0] & values[1]).any())

    def on(self, grid: Grid) -> np.ndarray:
        """Return the whole mask, bool, shape ``grid.shape``."""
        whole = np.zeros(grid.shape, bool)
        whole[self.box.slices] = self.values
        return whole


NOTHING = InitialMask(Box((0, 0, 0), (0, 0, 0)), np.zeros((0, 0, 0), bool), 0.0)


def best_first(candidates: Iterable[InitialMask]) -> InitialMask:
    """Return the most likely candidate, the next ones among its ``others``.

    Of two that share voxels, as windows that overlap may show, the less likely one is dropped.
    """
    kept: list[InitialMask] = []
    for one in sorted(candidates, key=lambda part: -part.certainty):
        enough = one.found and (not kept or one.certainty >= _LEAST_SHARE * kept[0].certainty)
        if enough and not any(one.meets(other) for other in kept):
            kept.append(one)
    if not kept:
        return NOTHING
    return replace(kept[0], others=tuple(kept[1:_MAX_CANDIDATES]))


def joined(found: InitialMask, case: Case) -> InitialMask:
    """Return tumours on both sides as the first candidate, each alone after it, if there may be two.

    The networks must be sure of both, and one must lie nearly where the other's mirror image does.
    """
    likely = (one for one in found.others if one.certainty >= _SECOND_SURE)
    second = next((one for one in likely if _mirrored(found, one, case)), None)
    if second is None:
        return found
    box, first, grid = found.box.union(second.box), replace(found, others=()), case.grid
    values = (found.on(grid) | second.on(grid))[box.slices]
    others = (first, second, *(one for one in found.others if one is not second))[: _MAX_CANDIDATES - 1]
    return replace(second, box=box, values=values, others=others, models=found.models, features=())


def _mirrored(one: InitialMask, other: InitialMask, case: Case) -> bool:
    voxels = [np.argwhere(part.values).mean(axis=0) + part.box.start for part in (one, other)]
    places = case.grid.index_to_ras(np.array(voxels))
    right, ahead, up = np.abs(np.diff(places, axis=0)[0])
    alike = right >= _BETWEEN_SIDES_MM and np.hypot(ahead, up) <= _MIRRORED_MM
    return bool(alike and np.prod(places[:, 0] - head_middle(case.reference).right_mm) < 0)


def best_parts(grid: Grid, box: Box, probability: np.ndarray, threshold: float) -> list[InitialMask]:
    """Return the parts with the most probability in all, their holes filled.

    Pieces that lie closer together than `JOINED_MM` are one part: a cyst or the porus may divide a tumour.

    Parameters
    ----------
    grid : Grid
        The native grid.
    box : Box
        Native voxels, ``(k, j, i)``.
    probability : ndarray of float32
        Of tumour, in ``box``.
    threshold : float
        Probability from which a voxel is tumour.
    """
    seen, spacing = probability >= threshold, grid.spacing[::-1]
    tight = Box.of_array(seen)
    if tight is None:
        return []
    # Only where pieces may meet: most of a box is no tumour, and distances take long to work out.
    near = tight.padded(index3(np.ceil(JOINED_MM / 2 / spacing))).clipped(seen.shape)
    probability, corner = probability[near.slices], near.shifted(box.start).start
    labels, count = _labelled(seen[near.slices], spacing)
    weight = ndimage.sum_labels(probability, labels, np.arange(1, count + 1))
    places = ndimage.find_objects(labels)
    parts = []
    for number in np.argsort(weight)[::-1][:_MAX_CANDIDATES]:
        place = places[number]
        values = _without_holes(labels[place] == number + 1, grid)
        there = Box(tuple(s.start for s in place), tuple(s.stop for s in place)).shifted(corner)
        parts.append(InitialMask(there, values, float(probability[place][values].mean())))
    return parts


def certainty_of(found: InitialMask, case: Case, calibration: dict[str, Any]) -> float:
    """Return the chance that a candidate is the tumour.

    Parameters
    ----------
    found : InitialMask
        The candidate.
    case : Case
        In which it was found.
    calibration : dict
        Of the model's entry: ``intercept`` and the coefficients of `certainty_features`, of a logistic
        regression; empty if it was never calibrated. One for other features, as of an earlier version, counts
        as none.
    """
    volume, t1ce = case.grid.volume_of(found.values), case.t1ce is not None
    features = certainty_features(found.confidence, volume, found.located, t1ce, found.features)
    counted = {len(calibration[name]) for name in FEATURES if name in calibration}
    known = counted <= {len(found.features)} and (not counted or FEATURES[-1] in calibration)
    return chance_of(features, calibration if calibration and known else _UNCALIBRATED)


def chance_of(features: Mapping[str, Any], calibration: Mapping[str, Any]) -> float:
    """Return the chance that coefficients give `certainty_features`; what they lack counts nothing.

    Features count within the limits of what the calibration has seen. A speck, in which one sample of the
    deepest stage decides, may have a hundred times as much.
    """
    said = sum(calibration[name] * features[name] for name in CERTAINTY if name in calibration)
    if "features" in calibration:
        coefficients, more, least, most = (np.array(calibration[name]) for name in FEATURES)
        seen = np.clip(features["features"], least, most)
        said += (coefficients + features["t1ce"] * more) @ seen
    return float(expit(said))


def certainty_features(
    confidence: float, volume_mm3: float, located: float, t1ce: bool, features: Sequence[float] = ()
) -> dict[str, Any]:
    """Return what certainty is calibrated on, by name: a number each, and as many as there are features.

    Most wrong candidates have the locator's 0.96 or 0.99 where right ones have 0.999 or more: log odds tell
    them apart. Without a T1ce what looks the same is less likely to be right. What enhances and is no tumour
    is as likely as one to the network's last layer, and not the same to those before it: the nearest to that
    tells kinds of enhancement apart, the deepest what lies around.
    """
    log_volume = float(np.log(max(volume_mm3, 1.0) / _UNIT_MM3))
    log_odds = float(logit(np.clip(located, _LEAST_ODDS, 1 - _LEAST_ODDS)))
    return {
        "intercept": 1.0,
        "confidence": confidence,
        "log_volume": log_volume,
        "located_log_odds": log_odds,
        "t1ce": float(t1ce),
        "features": features,
    }


def _labelled(seen: np.ndarray, spacing: np.ndarray) -> tuple[np.ndarray, int]:
    """Return a number for each voxel that is seen, the same for pieces that lie close together."""
    labels, count = ndimage.label(seen, _NEIGHBOURS)
    if count < 2:
        return labels, count
    around = ndimage.distance_transform_edt(~seen, sampling=spacing) <= JOINED_MM / 2
    labels, count = ndimage.label(around, _NEIGHBOURS)
    return np.where(seen, labels, 0), count


def _without_holes(values: np.ndarray, grid: Grid) -> np.ndarray:
    """Fill holes within axial slices, as contours drawn by hand do: dark cores belong to the tumour."""
    order = grid.axial_order()
    filled = [ndimage.binary_fill_holes(one) for one in order.arranged(values)]
    return order.restored(np.stack(filled))
