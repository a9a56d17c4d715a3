"""The initial model: a 3D U-Net (thesis 4.4.1, figure 4.6)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from VSClickCorrectLib.networks.blocks import ConvBlock, Decoder, Encoder, normalise_each_sample, pointwise


class UNet3D(nn.Module):
    """3D U-Net with one encoder stage, and one decoder stage, per width before the last.

    Returns LOGITS, not probabilities: the thesis's final sigmoid is applied outside, so that losses can use
    numerically safe forms.

    Parameters
    ----------
    in_channels : int
        Channels of the input, T1ce and T2.
    out_channels : int
        Channels of the result.
    channels : sequence of int
        Widths of the stages, shallowest first; the last one is the bottleneck's.
    each_sample : bool
        Whether samples are normalised one by one instead of by BatchNorm.

    References
    ----------
    Çiçek et al., 3D U-Net: Learning Dense Volumetric Segmentation from Sparse Annotation, MICCAI 2016.
    """

    def __init__(
        self,
        in_channels: int = 2,
        out_channels: int = 1,
        channels: Sequence[int] = (32, 64, 128, 256),
        each_sample: bool = False,
    ):
        super().__init__()
        self.encoder = Encoder(3, in_channels, channels[:-1])
        self.bottleneck = ConvBlock(3, channels[-2], channels[-1])
        self.decoder = Decoder(3, channels)
        self.head = pointwise(3, channels[0], out_channels)
        if each_sample:
            normalise_each_sample(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits.

        Parameters
        ----------
        x : Tensor
            Float ``(b, in_channels, depth, height, width)``; each side divisible by
            ``2 ** (len(channels) - 1)``.

        Returns
        -------
        Tensor
            Float ``(b, out_channels, depth, height, width)``.
        """
        return self.head(self.features(x)[-1])

    def features(self, x: Tensor) -> list[Tensor]:
        """Return what each decoder stage sees, deepest first; the last one is what the head sees.

        Float ``(b, channels[n], *spatial / 2 ** n)``, ``n`` from ``len(channels) - 2`` to 0.
        """
        skips, x = self.encoder(x)
        return self.decoder.each_stage(self.bottleneck(x), skips)
