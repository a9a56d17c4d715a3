"""`SampleNorm` on a card: torch's own puts channels-last memory into another order, layer by layer."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from VSClickCorrectLib.networks.sample_norm import SampleNorm

_SPACE = (2, 3, 4)


class CardNorm(SampleNorm):
    """The same normalisation, layout kept, means and variances in single precision."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``(b, channels, k, j, i)``."""
        return _Normalised.apply(x, self.weight, self.bias, self.eps)


def use_card_norms(network: nn.Module) -> None:
    """Replace a network's norms by `CardNorm`, which shares their weights."""
    for module in network.modules():
        if type(module) is SampleNorm:
            module.__class__ = CardNorm


class _Normalised(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
        mean = x.mean(_SPACE, dtype=torch.float32)
        square = torch.linalg.vector_norm(x, dim=_SPACE, dtype=torch.float32).square() / x[0, 0].numel()
        per_deviation = ((square - mean.square()).clamp(min=0) + eps).rsqrt()
        scale = weight * per_deviation
        ctx.save_for_backward(x, weight, mean, per_deviation)
        return torch.addcmul(_everywhere(bias - mean * scale), x, _everywhere(scale)).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        x, weight, mean, per_deviation = ctx.saved_tensors
        voxels = x[0, 0].numel()
        for_bias = gradient.sum(_SPACE, dtype=torch.float32)
        for_weight = (gradient * x).sum(_SPACE, dtype=torch.float32)
        for_weight = (for_weight - mean * for_bias) * per_deviation
        scale = weight * per_deviation
        slope = -scale * per_deviation * for_weight / voxels
        shift = -scale * for_bias / voxels - slope * mean
        for_x = torch.addcmul(_everywhere(shift), gradient, _everywhere(scale))
        for_x = torch.addcmul(for_x, x, _everywhere(slope)).to(x.dtype)
        return for_x, for_weight.sum(0), for_bias.sum(0), None


def _everywhere(of_channels: Tensor) -> Tensor:
    return of_channels[..., None, None, None]
