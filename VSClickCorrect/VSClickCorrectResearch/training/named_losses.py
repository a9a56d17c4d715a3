"""Losses as an experiment names them: every parameter is a number of its file."""

from __future__ import annotations

from torch import Tensor

from VSClickCorrectResearch.training import losses


def dice_focal(
    logits: Tensor, targets: Tensor, focal_share: float = 1.0, alpha: float = 0.25, gamma: float = 2.0
) -> Tensor:
    """Return the DiceFocal loss (thesis eq. 2.6, section 2.2.2.3).

    ``L_DiceFocal = L_Dice + focal_share * L_Focal``

    Parameters
    ----------
    logits, targets : Tensor
        ``(b, c, *spatial)``.
    focal_share : float
        The equation's γ, which trades one for the other; the thesis gives no number, so both count alike.
    alpha, gamma : float
        Of `losses.focal`.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    return losses.dice_loss(logits, targets) + focal_share * losses.focal(logits, targets, alpha, gamma)


def correction(logits: Tensor, targets: Tensor, peak: float = 3.0) -> Tensor:
    """Return `losses.correction_loss`, w having the value ``peak`` in the middle and 1 in the corners.

    Parameters
    ----------
    logits, targets : Tensor
        ``(b, c, *spatial)``; the last two directions are in the plane of the cut.
    peak : float
        See `losses.center_weights`; the thesis says only that the middle counts more.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    return losses.correction_loss(logits, targets, losses.center_weights(logits.shape[-2:], peak))


def volumetric_correction(logits: Tensor, targets: Tensor, peak: float = 3.0, alpha: float = 0.75) -> Tensor:
    """Return `losses.volumetric_correction_loss` with such weights in the clicked slice.

    Parameters
    ----------
    logits, targets : Tensor
        ``(b, c, depth, height, width)``.
    peak : float
        As for `correction`.
    alpha : float
        Share of the Dice loss of the whole cut; 0.75 in the thesis.

    Raises
    ------
    ValueError
        If the shapes differ, or they are not volumes.
    """
    weights = losses.center_weights(logits.shape[-2:], peak)
    return losses.volumetric_correction_loss(logits, targets, weights, alpha)
