"""A convolution in three dimensions that is fast for small volumes, too."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn


class Conv3d(nn.Conv3d):
    """A convolution of which oneDNN does small ones, too, where the processor computes in float32.

    Of one volume with few channels, as in first layers, or few voxels, as in deep ones, torch itself unfolds
    every neighbourhood in memory (``slow_conv3d``), which takes several times as long.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """See `nn.Conv3d`."""
        if not _in_float32_on_cpu(x):
            return super().forward(x)
        padding = cast("tuple[int, ...]", self.padding)
        return torch.mkldnn_convolution(
            x, self.weight, self.bias, padding, self.stride, self.dilation, self.groups
        )


def _in_float32_on_cpu(x: torch.Tensor) -> bool:
    fitting = x.device.type == "cpu" and x.dtype is torch.float32
    return fitting and torch.backends.mkldnn.is_available() and not torch.is_autocast_enabled("cpu")
