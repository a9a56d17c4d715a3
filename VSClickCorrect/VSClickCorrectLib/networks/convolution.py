"""A convolution in three dimensions that is fast, and right, for small volumes, too."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn
from torch.nn import functional


class Conv3d(nn.Conv3d):
    """A convolution of which oneDNN does small ones, too, where the processor computes in float32.

    Of one volume with few channels, as in first layers, or few voxels, as in deep ones, torch itself unfolds
    every neighbourhood in memory (``slow_conv3d``), which takes several times as long.

    Where it computes in bfloat16, oneDNN 3.12 leaves parts of the weights' gradient for volumes of two
    slices unset, so that anything stands there. They are given a third, empty one, as padding gives them.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """See `nn.Conv3d`."""
        if _in_bfloat16_on_cpu(x):
            return self._with_an_empty_slice(x) if self._leaves_unset(x) else super().forward(x)
        if not _in_float32_on_cpu(x):
            return super().forward(x)
        padding = cast("tuple[int, ...]", self.padding)
        return torch.mkldnn_convolution(
            x, self.weight, self.bias, padding, self.stride, self.dilation, self.groups
        )

    def _leaves_unset(self, x: torch.Tensor) -> bool:
        return x.shape[2] == 2 and (self.kernel_size[0], self.padding[0], self.stride[0]) == (3, 1, 1)

    def _with_an_empty_slice(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(functional.pad(x, (0, 0, 0, 0, 0, 1)))[:, :, :2]


def _in_bfloat16_on_cpu(x: torch.Tensor) -> bool:
    if x.device.type != "cpu":
        return False
    if torch.is_autocast_enabled("cpu"):
        return torch.get_autocast_dtype("cpu") is torch.bfloat16
    return x.dtype is torch.bfloat16


def _in_float32_on_cpu(x: torch.Tensor) -> bool:
    fitting = x.device.type == "cpu" and x.dtype is torch.float32
    return fitting and torch.backends.mkldnn.is_available() and not torch.is_autocast_enabled("cpu")
