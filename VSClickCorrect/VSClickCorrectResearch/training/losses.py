"""Losses of the initial model (thesis 4.4.2) and of the correction models (4.5.4, 4.7.1).

All take logits and targets of the same shape ``(b, c, *spatial)`` and return a scalar; inside,
``p = sigmoid(logits)``. Targets are boolean, integer or float from 0 to 1; a fraction is a voxel that the
tumour fills in part. The overlap losses (Dice, generalised Dice, Tversky, correction) sum over the spatial
directions of each sample, so that a large tumour in a batch does not drown a small one, and then take the
mean over the batch. With fractional targets their lowest value is above 0 and lies at a hard prediction; add
cross-entropy where calibrated fractions matter.

Half-precision logits are brought to single precision first: sums over a volume overflow in half precision.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from monai.losses import DiceLoss, TverskyLoss
from torch import Tensor
from torch.nn import functional

SMOOTH = 1e-3
"""Added to numerator and denominator of an overlap: a thousandth of a voxel. Empty against empty is then a
perfect overlap (loss 0), while a single voxel missed, or invented on an empty target, still costs 0.999;
the customary 1 would make it cost 0.5."""


def weighted_bce(logits: Tensor, targets: Tensor, positive_weight: float = 10.0) -> Tensor:
    """Return the weighted binary cross-entropy (thesis 4.4.2).

    ``L = -mean(positive_weight * y * log p + (1 - y) * log(1 - p))``

    Parameters
    ----------
    logits, targets : Tensor
        ``(b, c, *spatial)``.
    positive_weight : float
        How much more a tumour voxel counts. The thesis gives none; tumours fill 0.6 % of a volume at most.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    logits, targets = _prepare(logits, targets)
    weight = logits.new_tensor(positive_weight)
    return functional.binary_cross_entropy_with_logits(logits, targets, pos_weight=weight)


def dice_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the Dice loss (thesis eq. 2.3, 2.4), a mean over samples and channels.

    ``L = 1 - 2 sum(p y) / sum(p + y)``

    Parameters
    ----------
    logits, targets : Tensor
        ``(b, c, *spatial)``.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    return DiceLoss(sigmoid=True, smooth_nr=SMOOTH, smooth_dr=SMOOTH)(*_prepare(logits, targets))


def generalised_dice(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the generalised Dice loss (Sudre et al. 2017), a mean over samples and channels.

    ``L = 1 - 2 sum_l w_l sum(p_l y_l) / sum_l w_l sum(p_l + y_l)``, ``w_l = 1 / max(sum(y_l), 1)^2``, over
    two classes l of each channel, tumour (p, y) and background (1 - p, 1 - y). A voxel of a small tumour
    outweighs one of the background by the squared ratio of their volumes. A class that fills less than one
    voxel weighs as if it filled one, else its weight would grow without bounds, and not exist where the
    target is empty.

    Parameters
    ----------
    logits, targets : Tensor
        ``(b, c, *spatial)``.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    logits, targets = _prepare(logits, targets)
    # Tumour and background as sigmoids of their own: 1 - p loses its digits where p is close to 1.
    p = torch.stack([torch.sigmoid(logits), torch.sigmoid(-logits)]).flatten(3)
    y = torch.stack([targets, 1 - targets]).flatten(3)
    w = y.sum(dim=3).clamp_min(1).pow(-2)
    intersection, total = (w * (p * y).sum(dim=3)).sum(dim=0), (w * (p + y).sum(dim=3)).sum(dim=0)
    # No voxel is outside both classes, so that the total is never 0.
    return (1 - 2 * intersection / total).mean()


def dice_bce(logits: Tensor, targets: Tensor, bce_share: float = 1.0) -> Tensor:
    """Return the Dice loss plus ``bce_share`` times the plain binary cross-entropy (thesis 4.4.3).

    Parameters
    ----------
    logits, targets : Tensor
        ``(b, c, *spatial)``.
    bce_share : float
        Weight of the cross-entropy; the thesis gives none, so both count alike.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    return dice_loss(logits, targets) + bce_share * weighted_bce(logits, targets, positive_weight=1.0)


def focal(logits: Tensor, targets: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """Return the focal loss (Lin et al. 2017; thesis 2.2.2.2, 4.4.3).

    ``L = -mean(alpha * y * (1 - p)^gamma * log p + (1 - alpha) * (1 - y) * p^gamma * log(1 - p))``

    Parameters
    ----------
    logits, targets : Tensor
        ``(b, c, *spatial)``.
    alpha : float
        Weight of tumour against background, from 0 to 1. The thesis gives none; Lin et al. found 0.25.
    gamma : float
        How strongly voxels that are right already are played down, at least 0. Lin et al. found 2.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    logits, targets = _prepare(logits, targets)
    log_p, log_q = functional.logsigmoid(logits), functional.logsigmoid(-logits)
    # Powers by way of logarithms: p ** gamma has an infinite slope at p = 0 where gamma is below 1.
    positive = alpha * targets * torch.exp(gamma * log_q) * log_p
    negative = (1 - alpha) * (1 - targets) * torch.exp(gamma * log_p) * log_q
    return -(positive + negative).mean()


def tversky(logits: Tensor, targets: Tensor, alpha: float = 0.3, beta: float = 0.7) -> Tensor:
    """Return the Tversky loss (Salehi et al. 2017; thesis 2.2.2.2, 4.4.3), a mean over samples and channels.

    ``L = 1 - TI``, ``TI = TP / (TP + alpha * FP + beta * FN)`` with ``TP = sum(p y)``,
    ``FP = sum(p (1 - y))``, ``FN = sum((1 - p) y)``. With alpha = beta = 0.5 this is the Dice loss.

    Parameters
    ----------
    logits, targets : Tensor
        ``(b, c, *spatial)``.
    alpha, beta : float
        Weights of false positives and false negatives. The thesis gives none; Salehi et al. found 0.3 and
        0.7 best for small lesions.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    return _tversky_losses(logits, targets, alpha, beta).mean()


def focal_tversky(
    logits: Tensor, targets: Tensor, alpha: float = 0.3, beta: float = 0.7, gamma: float = 0.75
) -> Tensor:
    """Return the Focal Tversky loss (thesis eq. 2.5), a sum over channels, a mean over samples.

    ``L = sum_c (1 - TI_c)^gamma``

    Parameters
    ----------
    logits, targets : Tensor
        ``(b, c, *spatial)``.
    alpha, beta : float
        See `tversky`.
    gamma : float
        Exponent, above 0. The thesis gives none; Abraham and Khan (2019) found 1 / gamma = 4 / 3.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    missing = _tversky_losses(logits, targets, alpha, beta)
    # Where the overlap is perfect the slope of a power below 1 is infinite; the floor cuts it off.
    return missing.clamp_min(1e-7).pow(gamma).sum(dim=1).mean()


def center_weights(
    shape: Sequence[int],
    peak: float = 3.0,
    *,
    device: torch.device | str | None = None,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Return the weight map w of eq. 4.1: 1 in the corners of a cut, rising to ``peak`` in its middle.

    ``w = 1 + (peak - 1) * (1 + cos(pi * r)) / 2`` with r the distance from the geometric middle, as a
    fraction of a corner's. The thesis says only that middle pixels weigh more. A raised cosine is flat where
    the click was put, which is off the true border by a pixel or so, and has no edge anywhere; 3 keeps the
    rest of the cut, where the mask must not be spoiled, from losing its say.

    Parameters
    ----------
    shape : sequence of 2 int
        Height and width in pixels. For even sizes the middle lies between pixels, so that the map is
        symmetric under flips and its highest value slightly below ``peak``.
    peak : float
        Weight of the middle.
    device, dtype
        Of the map.

    Returns
    -------
    Tensor
        ``(height, width)``.
    """
    height, width = ((size - 1) / 2 for size in shape)
    rows = torch.linspace(-height, height, shape[0], device=device, dtype=dtype)
    columns = torch.linspace(-width, width, shape[1], device=device, dtype=dtype)
    corner = math.hypot(height, width) or 1.0
    radius = torch.hypot(rows[:, None], columns[None, :]) / corner
    return 1 + (peak - 1) * (1 + torch.cos(math.pi * radius)) / 2


def correction_loss(logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the correction loss (thesis eq. 4.1, section 4.5.4), a mean over samples and channels.

    ``L_corr = 1 - 2 sum(p y w) / sum((p + y) w)``

    Parameters
    ----------
    logits, targets : Tensor
        ``(b, c, *spatial)``; the last two directions are in the plane of the cut.
    weights : Tensor, optional
        w, broadcast to ``(b, c, *spatial)``; by default `center_weights` of the plane.

    Raises
    ------
    ValueError
        If the shapes of logits and targets differ.
    """
    logits, targets = _prepare(logits, targets)
    if weights is None:
        weights = center_weights(logits.shape[-2:], device=logits.device, dtype=logits.dtype)
    return _weighted_dice(torch.sigmoid(logits), targets, weights.to(logits))


def volumetric_correction_loss(
    logits: Tensor,
    targets: Tensor,
    weights: Tensor | None = None,
    alpha: float = 0.75,
    middle: int | None = None,
) -> Tensor:
    """Return the loss for volumetric cuts (thesis eq. 4.2, section 4.7.1).

    ``L_total = L_corr(middle slice) + alpha * L_dice(whole cut)``

    Parameters
    ----------
    logits, targets : Tensor
        ``(b, c, depth, height, width)``.
    weights : Tensor, optional
        In-plane weights, see `correction_loss`.
    alpha : float
        Share of the Dice loss; 0.75 in the thesis.
    middle : int, optional
        Index of the clicked slice, by default ``depth // 2``: the thesis's depths 8 and 16 have no slice in
        the very middle, and it does not say which of the two it means.

    Raises
    ------
    ValueError
        If the shapes of logits and targets differ, or they are not volumes.
    """
    if logits.ndim != 5:
        raise ValueError(f"A volumetric cut is (b, c, depth, height, width), not {tuple(logits.shape)}.")
    whole = dice_loss(logits, targets)
    index = logits.shape[2] // 2 if middle is None else middle
    return correction_loss(logits[:, :, index], targets[:, :, index], weights) + alpha * whole


def sparing_loss(logits: Tensor, targets: Tensor, current: Tensor, harm: float = 3.0) -> Tensor:
    """Return a cross-entropy that punishes spoiling what was right already, a mean over samples.

    ``L = -sum(w (y log p + (1 - y) log(1 - p))) / sum(w)`` over channels and voxels of a sample, with
    ``w = 1 + (harm - 1) * (1 - |current - y|)``: ``harm`` where the present mask is right, 1 where it is as
    wrong as can be, and between them in proportion to how far its value is from the target's. The weights of
    a sample are divided by their sum, so that ``harm`` moves attention and leaves the size of the loss alone.

    Parameters
    ----------
    logits, targets : Tensor
        ``(b, c, *spatial)``.
    current : Tensor
        The mask before the correction, of the same shape; boolean, or soft from 0 to 1.
    harm : float
        How much more a voxel counts that was right; 1 gives the plain cross-entropy.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    _, current = _prepare(logits, current)
    logits, targets = _prepare(logits, targets)
    weights = 1 + (harm - 1) * (1 - (current - targets).abs())
    entropy = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return ((weights * entropy).flatten(1).sum(dim=1) / weights.flatten(1).sum(dim=1)).mean()


def _prepare(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    # Broadcasting would turn a forgotten channel into a wrong loss without a word.
    if logits.shape != targets.shape:
        raise ValueError(f"Logits {tuple(logits.shape)} and targets {tuple(targets.shape)} differ in shape.")
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    return logits, targets.to(logits)


def _weighted_dice(p: Tensor, y: Tensor, w: Tensor) -> Tensor:
    intersection = (p * y * w).flatten(2).sum(dim=2)
    total = ((p + y) * w).flatten(2).sum(dim=2)
    return (1 - (2 * intersection + SMOOTH) / (total + SMOOTH)).mean()


def _tversky_losses(logits: Tensor, targets: Tensor, alpha: float, beta: float) -> Tensor:
    # Half, since the Dice form counts hits twice: alpha = beta = 0.5 is then exactly the Dice loss.
    smooth = SMOOTH / 2
    loss = TverskyLoss(
        sigmoid=True, alpha=alpha, beta=beta, reduction="none", smooth_nr=smooth, smooth_dr=smooth
    )
    return loss(*_prepare(logits, targets))
