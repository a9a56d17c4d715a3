"""Augmentation of batches: other sides, other contrasts, missing sequences."""

from __future__ import annotations

import torch

# Chance that a sequence is missing; the other one then stays.
MISSING = {"t1ce": 0.1, "t2": 0.3}


def augment(
    channels: torch.Tensor, target: torch.Tensor, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a batch as other patients and scanners would give it.

    Parameters
    ----------
    channels : Tensor
        ``(b, c, slices, rows, columns)``; the first two channels are T1ce and T2, 0 to 1.
    target : Tensor
        ``(b, slices, rows, columns)``.
    generator : torch.Generator
        Source of chance.

    Returns
    -------
    channels, target : Tensor
        Mirrored left to right half of the time, each sequence with its own brightness, contrast and
        gamma, and either sequence missing now and then.
    """
    channels, target = _mirrored(channels, target, generator)
    images = _recoloured(channels[:, :2], generator)
    images = images * _present(images, generator)
    return torch.cat([images, channels[:, 2:]], 1), target


def _mirrored(channels, target, generator):
    flip = _uniform((channels.shape[0],), 0, 1, generator) < 0.5  # noqa: PLR2004
    channels = torch.where(flip[:, None, None, None, None], channels.flip(-1), channels)
    return channels, torch.where(flip[:, None, None, None], target.flip(-1), target)


def _recoloured(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    shape = (*images.shape[:2], 1, 1, 1)
    gain = _uniform(shape, 0.65, 1.2, generator)
    offset = _uniform(shape, -0.04, 0.04, generator)
    gamma = torch.exp(_uniform(shape, -0.3, 0.3, generator))
    # A missing or padded sample is exactly 0 and stays so.
    changed = (images.clamp(0, 1) ** gamma * gain + offset).clamp(0, 1)
    return torch.where(images == 0, images, changed)


def _present(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return 1 or 0 for each sequence of each sample, never 0 for both."""
    draw = _uniform((images.shape[0],), 0, 1, generator)
    t1ce = (draw >= MISSING["t1ce"]).float()
    t2 = (draw < 1 - MISSING["t2"]).float()
    return torch.stack([t1ce, t2], 1)[:, :, None, None, None]


def _uniform(shape, low: float, high: float, generator: torch.Generator) -> torch.Tensor:
    return torch.rand(shape, generator=generator) * (high - low) + low
