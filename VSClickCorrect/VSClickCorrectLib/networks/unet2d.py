"""A slice-wise initial model: a 2D U-Net of any depth, equally wide at every depth."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from VSClickCorrectLib.networks.blocks import ConvBlock, pointwise, upsampling


class UNet2D(nn.Module):
    """2D U-Net whose blocks all have as many features; its skip connections are a stack.

    A volume is seen slice by slice, each on its own. Returns LOGITS, not probabilities.

    Parameters
    ----------
    in_channels : int
        Channels of the input, T1ce and T2.
    out_channels : int
        Channels of the result.
    depth : int
        Blocks of the encoder, the deepest included: every one but that is followed by a max-pooling.
    features : int
        Channels of every block.

    References
    ----------
    Ronneberger et al., U-Net: Convolutional Networks for Biomedical Image Segmentation, MICCAI 2015.
    """

    def __init__(self, in_channels: int = 2, out_channels: int = 1, depth: int = 4, features: int = 32):
        super().__init__()
        befores = (in_channels, *[features] * (depth - 1))
        self.encoder = nn.ModuleList(ConvBlock(2, before, features) for before in befores)
        self.upsamplings = nn.ModuleList(upsampling(2, features, features) for _ in befores[1:])
        self.decoder = nn.ModuleList(ConvBlock(2, 2 * features, features) for _ in befores[1:])
        self.head = pointwise(2, features, out_channels)
        self._multiple = 2 ** (depth - 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits.

        Parameters
        ----------
        x : Tensor
            Float ``(b, in_channels, height, width)``, or ``(b, in_channels, slices, height, width)``. Sides
            may have any length, since they are filled up with zeros.

        Returns
        -------
        Tensor
            Float, of the same shape but for ``out_channels`` channels.
        """
        if x.ndim == 4:
            return self._of_slices(x)
        batch = x.shape[0]
        slices = x.transpose(1, 2).flatten(0, 1)
        return self._of_slices(slices).unflatten(0, (batch, -1)).transpose(1, 2)

    def _of_slices(self, x: Tensor) -> Tensor:
        rows, columns = x.shape[2:]
        x = functional.pad(x, (0, -columns % self._multiple, 0, -rows % self._multiple))
        stack: list[Tensor] = []
        for block in self.encoder[:-1]:
            stack.append(block(x))
            x = functional.max_pool2d(stack[-1], kernel_size=2)
        x = self.encoder[-1](x)
        for up, block in zip(self.upsamplings, self.decoder, strict=True):
            x = block(torch.cat([stack.pop(), up(x)], dim=1))
        return self.head(x)[..., :rows, :columns]
