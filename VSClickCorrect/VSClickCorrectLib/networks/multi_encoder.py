"""The best correction model: a U-Net with one encoder for the images, one for the mask (thesis 4.6, 4.7)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from VSClickCorrectLib.networks.blocks import ConvBlock, Decoder, Encoder, pointwise
from VSClickCorrectLib.networks.fusion import FUSIONS


class MultiEncoderUNet(nn.Module):
    """U-Net with two encoders, whose skip connections pass attention gates of their own (figure 4.16).

    The last downsampled features of both encoders are concatenated before the bottleneck. At each decoder
    stage the two gated skips are concatenated, brought to one stage's channels by a 1x1 convolution and
    concatenated with the upsampled features. Another fusion takes the place of both concatenations
    (thesis 5.1).

    Returns LOGITS, not probabilities: the sigmoid is applied outside.

    Parameters
    ----------
    dimensions : int
        2 for cuts of one slice, 3 for volumetric cuts (thesis 4.7).
    image_channels : int
        Channels of the images: T1ce and T2.
    mask_channels : int
        Channels of the mask to correct.
    out_channels : int
        Channels of the result.
    channels : sequence of int
        Widths of the stages, shallowest first; the last one is the bottleneck's. Both encoders have the same.
    dropout : float
        Chance of dropout after each ReLU of the convolutional blocks.
    fusion : {"concatenation", "gated", "attention"}
        How the features of both encoders become one; see `networks.fusion`.
    """

    def __init__(
        self,
        dimensions: int,
        image_channels: int = 2,
        mask_channels: int = 1,
        out_channels: int = 1,
        channels: Sequence[int] = (32, 64, 128, 256),
        dropout: float = 0.4,
        fusion: str = "concatenation",
    ):
        super().__init__()
        self.image_channels = image_channels
        self.image_encoder = Encoder(dimensions, image_channels, channels[:-1], dropout)
        self.mask_encoder = Encoder(dimensions, mask_channels, channels[:-1], dropout)
        self.fusion: nn.Module = nn.Identity()
        joined = 2 * channels[-2]
        if fusion in FUSIONS:
            joined = channels[-2]
            self.fusion = FUSIONS[fusion](dimensions, joined, encoders=2)
        self.bottleneck = ConvBlock(dimensions, joined, channels[-1], dropout)
        self.decoder = Decoder(dimensions, channels, encoders=2, attention=True, dropout=dropout)
        if fusion in FUSIONS:
            for stage, width in zip(self.decoder.stages, reversed(channels[:-1]), strict=True):
                stage.adjust = FUSIONS[fusion](dimensions, width, encoders=2)
        self.head = pointwise(dimensions, channels[0], out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits.

        Parameters
        ----------
        x : Tensor
            Float ``(b, image_channels + mask_channels, *spatial)``, images first; each side divisible by
            ``2 ** (len(channels) - 1)``. One tensor, so that all correctors are called alike.

        Returns
        -------
        Tensor
            Float ``(b, out_channels, *spatial)``.
        """
        image_skips, image = self.image_encoder(x[:, : self.image_channels])
        mask_skips, mask = self.mask_encoder(x[:, self.image_channels :])
        x = self.bottleneck(self.fusion(torch.cat([image, mask], dim=1)))
        return self.head(self.decoder(x, image_skips, mask_skips))
