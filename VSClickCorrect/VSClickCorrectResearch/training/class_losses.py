"""Losses of networks that tell several classes apart.

All take logits ``(b, 1 + classes, *spatial)``, the background first, and the numbers of the classes as
targets ``(b, 1, *spatial)``; inside, ``p = softmax(logits)`` and ``y`` is 1 for the class that a voxel has.
Overlaps are summed over each sample by itself, as in `training.losses`.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from VSClickCorrectResearch.training.losses import SMOOTH


def class_dice(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the Dice loss, a mean over samples and over the classes, the background left out.

    ``L = 1 - 2 sum(p_l y_l) / sum(p_l + y_l)`` for each class l

    Parameters
    ----------
    logits, targets : Tensor
        ``(b, 1 + classes, *spatial)`` and ``(b, 1, *spatial)``.

    Raises
    ------
    ValueError
        If the shapes do not fit, or a target is no class.
    """
    p, y = _prepare(logits, targets)
    overlap, total = (p * y).sum(dim=2)[:, 1:], (p + y).sum(dim=2)[:, 1:]
    return (1 - (2 * overlap + SMOOTH) / (total + SMOOTH)).mean()


def generalised_class_dice(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the generalised Dice loss (Sudre et al. 2017), a mean over samples.

    ``L = 1 - 2 sum_l w_l sum(p_l y_l) / sum_l w_l sum(p_l + y_l)``, ``w_l = 1 / sum(y_l)^2``, over all
    classes l and the background. The weight of a class that a sample does not have would be infinite; it is
    that of the smallest class that it has.

    Parameters
    ----------
    logits, targets : Tensor
        ``(b, 1 + classes, *spatial)`` and ``(b, 1, *spatial)``.

    Raises
    ------
    ValueError
        If the shapes do not fit, or a target is no class.
    """
    p, y = _prepare(logits, targets)
    size = y.sum(dim=2)
    w = torch.where(size > 0, size.clamp_min(1).pow(-2), 0.0)
    w = torch.where(size > 0, w, w.amax(dim=1, keepdim=True))
    overlap, total = (w * (p * y).sum(dim=2)).sum(dim=1), (w * (p + y).sum(dim=2)).sum(dim=1)
    return (1 - 2 * overlap / total).mean()


def class_entropy(logits: Tensor, targets: Tensor, tumour_weight: float = 1.0) -> Tensor:
    """Return the cross-entropy, a mean over voxels; those of a class count ``tumour_weight`` times.

    Raises
    ------
    ValueError
        If the shapes do not fit, or a target is no class.
    """
    _prepare(logits, targets)
    weights = logits.new_full((logits.shape[1],), tumour_weight).float()
    weights[0] = 1.0
    return functional.cross_entropy(logits.float(), targets[:, 0].long(), weights)


def one_hot(targets: Tensor, count: int) -> Tensor:
    """Return ``(b, count, *spatial)`` floats, 1 for the class that a voxel of ``(b, 1, *spatial)`` has."""
    return functional.one_hot(targets[:, 0].long(), count).movedim(-1, 1).float()


def _prepare(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return p and y, both ``(b, 1 + classes, voxels)`` in single precision."""
    if targets.shape != (len(logits), 1, *logits.shape[2:]):
        shapes = f"{tuple(logits.shape)} and {tuple(targets.shape)}"
        raise ValueError(f"logits and targets are {shapes}; the targets need one channel and the same voxels")
    if targets.max() >= logits.shape[1]:
        raise ValueError(f"a target is of class {int(targets.max())}, but there are {logits.shape[1] - 1}")
    p = torch.softmax(logits.float(), dim=1)
    return p.flatten(2), one_hot(targets, logits.shape[1]).flatten(2)
