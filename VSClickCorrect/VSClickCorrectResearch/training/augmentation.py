"""Augmentation of batches: other sides, other contrasts, missing sequences."""

from __future__ import annotations

import torch


def augment(
    channels: torch.Tensor, targets: torch.Tensor, generator: torch.Generator, images: int = 2
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a batch as other patients and scanners would give it.

    Parameters
    ----------
    channels : Tensor
        ``(b, c, slices, rows, columns)``; the first ones are sequences, 0 to 1.
    targets : Tensor
        ``(b, t, slices, rows, columns)``.
    generator : torch.Generator
        Source of chance.
    images : int
        How many sequences there are: T1ce and T2 by default.

    Returns
    -------
    channels, targets : Tensor
        Mirrored left to right half of the time, each sequence with its own brightness, contrast and gamma.
    """
    flip = _uniform((channels.shape[0], 1, 1, 1, 1), 0, 1, generator, channels.device) < 0.5
    channels = torch.where(flip, channels.flip(-1), channels)
    targets = torch.where(flip, targets.flip(-1), targets)
    return torch.cat([_recoloured(channels[:, :images], generator), channels[:, images:]], 1), targets


def leave_out(
    channels: torch.Tensor, missing_t1ce: float, missing_t2: float, generator: torch.Generator
) -> torch.Tensor:
    """Return a batch in which now and then a sequence is missing, never both.

    Parameters
    ----------
    channels : Tensor
        ``(b, c, slices, rows, columns)``; the first two channels are T1ce and T2.
    missing_t1ce, missing_t2 : float
        Their chances; at most 1 together.
    generator : torch.Generator
        Source of chance.
    """
    draw = _uniform((channels.shape[0], 1, 1, 1), 0, 1, generator, channels.device)
    present = torch.stack([draw >= missing_t1ce, draw < 1 - missing_t2], 1)
    # Where a case has one sequence only, that one stays.
    alone = ~channels[:, [1, 0]].flatten(2).any(2)
    kept = (present | alone[..., None, None, None]).to(channels.dtype)
    return torch.cat([channels[:, :2] * kept, channels[:, 2:]], 1)


def _recoloured(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    shape = (*images.shape[:2], 1, 1, 1)
    gain = _uniform(shape, 0.65, 1.2, generator, images.device)
    offset = _uniform(shape, -0.04, 0.04, generator, images.device)
    gamma = torch.exp(_uniform(shape, -0.3, 0.3, generator, images.device))
    # A missing or padded sample is exactly 0 and stays so.
    changed = (images.clamp(0, 1) ** gamma * gain + offset).clamp(0, 1)
    return torch.where(images == 0, images, changed)


def _uniform(
    shape, low: float, high: float, generator: torch.Generator, device: torch.device
) -> torch.Tensor:
    # Drawn on the processor, so that a seed means the same everywhere.
    return (torch.rand(shape, generator=generator) * (high - low) + low).to(device)
