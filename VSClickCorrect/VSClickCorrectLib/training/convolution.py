"""Gradients of 3D convolutions by way of faster ones, for training on a processor.

On processors without AVX-512 the backward pass of a 3D convolution takes five to ten times its forward
pass, where arithmetic says twice. The gradient of the input is again a convolution and runs as fast as the
forward pass; the gradient of the weights is a sum of those of 2D convolutions, one for each distance
between slices.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.grad import conv2d_weight


class _Convolution(torch.autograd.Function):
    """A 3x3x3 convolution with zero padding of 1."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return functional.conv3d(x, weight, bias, padding=1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        gradient = gradients[0].contiguous(memory_format=torch.channels_last_3d)
        back = None
        if ctx.needs_input_grad[0]:
            turned = weight.flip(2, 3, 4).transpose(0, 1).contiguous(memory_format=torch.channels_last_3d)
            back = functional.conv3d(gradient, turned, padding=1)
        return back, _weight_gradient(x, gradient, weight), gradient.sum((0, 2, 3, 4))


def _weight_gradient(x: Tensor, gradient: Tensor, weight: Tensor) -> Tensor:
    shape, depth = (weight.shape[0], weight.shape[1], 3, 3), x.shape[2]
    result = torch.zeros_like(weight)
    for offset in (-1, 0, 1):
        source = x[:, :, max(offset, 0) : depth + min(offset, 0)]
        target = gradient[:, :, max(-offset, 0) : depth + min(-offset, 0)]
        result[:, :, offset + 1] = conv2d_weight(_slices(source), shape, _slices(target), padding=1)
    return result


def _slices(volume: Tensor) -> Tensor:
    """Return the slices of ``(b, c, d, h, w)`` as a batch ``(b * d, c, h, w)``, channels last in memory."""
    moved = volume.permute(0, 2, 3, 4, 1)
    return moved.reshape(-1, *moved.shape[2:]).permute(0, 3, 1, 2)


class QuickConv3d(nn.Conv3d):
    """A 3x3x3 convolution with zero padding of 1 whose backward pass takes the faster way."""

    def forward(self, x: Tensor) -> Tensor:
        """Return what `nn.Conv3d` returns."""
        if not torch.is_grad_enabled() or x.device.type != "cpu":
            return super().forward(x)
        return cast(Tensor, _Convolution.apply(x, self.weight, self.bias))


def quicken(network: nn.Module) -> None:
    """Let the 3x3x3 convolutions of a network take the faster gradients wherever it runs on a processor.

    Forward pass and weights stay what they are; gradients differ by rounding.

    Parameters
    ----------
    network : nn.Module
        Changed in place.
    """
    for module in network.modules():
        if type(module) is nn.Conv3d and module.kernel_size == (3, 3, 3) and module.padding == (1, 1, 1):
            # The class is exchanged, not the method: copies of the network must use their own weights.
            module.__class__ = QuickConv3d
