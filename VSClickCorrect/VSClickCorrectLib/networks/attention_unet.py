"""The first correction model: a 2D Attention U-Net (thesis 4.5.5, figure 4.13)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from VSClickCorrectLib.networks.blocks import ConvBlock, Decoder, Encoder, pointwise


class AttentionUNet2D(nn.Module):
    """2D U-Net whose skip connections pass attention gates.

    Returns LOGITS, not probabilities: the sigmoid is applied outside.

    Parameters
    ----------
    in_channels : int
        Channels of the input: T1ce, T2 and the mask to correct.
    out_channels : int
        Channels of the result.
    channels : sequence of int
        Widths of the stages, shallowest first; the last one is the bottleneck's. The thesis names the widths
        of its 3D U-Net only and calls the rest of this network standard, so they are the same here.
    dropout : float
        Chance of dropout after each ReLU of the convolutional blocks.
    attention : bool
        Whether there are gates; False gives the plain U-Net of table 4.3.

    References
    ----------
    Oktay et al., Attention U-Net: Learning Where to Look for the Pancreas, MIDL 2018.
    """

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 1,
        channels: Sequence[int] = (32, 64, 128, 256),
        dropout: float = 0.4,
        attention: bool = True,
    ):
        super().__init__()
        self.encoder = Encoder(2, in_channels, channels[:-1], dropout)
        self.bottleneck = ConvBlock(2, channels[-2], channels[-1], dropout)
        self.decoder = Decoder(2, channels, attention=attention, dropout=dropout)
        self.head = pointwise(2, channels[0], out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits.

        Parameters
        ----------
        x : Tensor
            Float ``(b, in_channels, height, width)``; each side divisible by ``2 ** (len(channels) - 1)``.

        Returns
        -------
        Tensor
            Float ``(b, out_channels, height, width)``.
        """
        skips, x = self.encoder(x)
        return self.head(self.decoder(self.bottleneck(x), skips))
