"""Building blocks shared by all networks, for two and three dimensions.

Every network here pools ``len(channels) - 1`` times by two in each direction and concatenates skip
connections without cropping. Spatial sizes must therefore be divisible by ``2 ** (len(channels) - 1)``: by 8
for the thesis's four widths, so that a volumetric cut may be as thin as 8 slices. Other sizes are not
supported and end in torch's own size mismatch.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from VSClickCorrectLib.networks.convolution import Conv3d
from VSClickCorrectLib.networks.sample_norm import SampleNorm

_CONVOLUTION = {2: nn.Conv2d, 3: Conv3d}
_TRANSPOSED = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
_NORM = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
_POOL = {2: nn.MaxPool2d, 3: nn.MaxPool3d}
_INTERPOLATION = {2: "bilinear", 3: "trilinear"}


def pointwise(dimensions: int, in_channels: int, out_channels: int) -> nn.Module:
    """Return a convolution with kernel 1, which changes the number of channels and nothing else.

    Parameters
    ----------
    dimensions : int
        2 or 3.
    in_channels, out_channels : int
        Channels before and after.
    """
    return _CONVOLUTION[dimensions](in_channels, out_channels, kernel_size=1)


def upsampling(dimensions: int, in_channels: int, out_channels: int) -> nn.Module:
    """Return a transposed convolution, kernel 2 and stride 2, which doubles every side (thesis 4.4.1).

    Parameters
    ----------
    dimensions : int
        2 or 3.
    in_channels, out_channels : int
        Channels before and after.
    """
    return _TRANSPOSED[dimensions](in_channels, out_channels, kernel_size=2, stride=2)


class ConvBlock(nn.Sequential):
    """Twice: convolution 3 with zero padding, BatchNorm, ReLU, dropout (thesis 4.4.1 and 4.5.5).

    Maps ``(b, in_channels, *spatial)`` to ``(b, out_channels, *spatial)``.

    Parameters
    ----------
    dimensions : int
        2 or 3.
    in_channels, out_channels : int
        Channels before and after; the first convolution changes them.
    dropout : float
        Chance of an element to be dropped after each ReLU; 0 leaves the dropout layers out.
    """

    def __init__(self, dimensions: int, in_channels: int, out_channels: int, dropout: float = 0.0):
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        # Layers are named, not numbered, so that weights load whatever the dropout was in training.
        for number, before in ((1, in_channels), (2, out_channels)):
            layers[f"conv{number}"] = _CONVOLUTION[dimensions](before, out_channels, kernel_size=3, padding=1)
            layers[f"norm{number}"] = _NORM[dimensions](out_channels)
            layers[f"relu{number}"] = nn.ReLU(inplace=True)
            if dropout > 0:
                layers[f"dropout{number}"] = nn.Dropout(dropout)
        super().__init__(layers)

    def fold(self) -> None:
        """Let the convolutions do what the BatchNorms after them do, once the block no longer learns."""
        for number in (1, 2):
            convolution = cast(nn.Conv3d, self.get_submodule(f"conv{number}"))
            norm = cast(nn.BatchNorm3d, self.get_submodule(f"norm{number}"))
            if isinstance(norm, SampleNorm):
                continue
            setattr(self, f"conv{number}", fuse_conv_bn_eval(convolution, norm))
            delattr(self, f"norm{number}")


def normalise_each_sample(network: nn.Module) -> None:
    """Let each channel of each sample be normalised by its own mean and variance instead of the batch's.

    Where inputs are of many kinds (a sequence missing, clicks or none) no running average fits them all. The
    names of weights stay, so that a training can begin with those of a network with BatchNorm.

    Parameters
    ----------
    network : nn.Module
        Changed in place.
    """
    for block in network.modules():
        if isinstance(block, ConvBlock):
            for number in (1, 2):
                channels = cast(nn.Conv3d, block.get_submodule(f"conv{number}")).out_channels
                setattr(block, f"norm{number}", SampleNorm(channels))


class AttentionGate(nn.Module):
    """Additive spatial attention on a skip connection (Oktay et al. 2018; thesis eq. 2.1, 2.2, fig. 4.14).

    ``q = psi(relu(W_x x + W_g g + b_g)) + b_psi``, ``alpha = sigmoid(q)``, result ``x * upsample(alpha)``.
    W_x, W_g and psi are 1x1 convolutions; W_x has stride 2, since the skip is twice as large as the gating
    signal, and no bias, since the sum already has b_g.

    Parameters
    ----------
    dimensions : int
        2 or 3.
    skip_channels : int
        Channels of the skip connection x.
    gate_channels : int
        Channels of the gating signal g, the features of the stage below.

    Notes
    -----
    The thesis does not say how many channels the sum has; half of the skip's, as Oktay et al. have it.
    """

    def __init__(self, dimensions: int, skip_channels: int, gate_channels: int):
        super().__init__()
        inner = max(skip_channels // 2, 1)
        convolution = _CONVOLUTION[dimensions]
        self.skip = convolution(skip_channels, inner, kernel_size=1, stride=2, bias=False)
        self.gate = convolution(gate_channels, inner, kernel_size=1)
        self.psi = convolution(inner, 1, kernel_size=1)
        self.interpolation = _INTERPOLATION[dimensions]

    def coefficients(self, skip: Tensor, gate: Tensor) -> Tensor:
        """Return alpha, float ``(b, 1, *spatial of skip)``, between 0 and 1.

        Parameters
        ----------
        skip : Tensor
            ``(b, skip_channels, *spatial)``.
        gate : Tensor
            ``(b, gate_channels, *spatial / 2)``.
        """
        alpha = torch.sigmoid(self.psi(functional.relu(self.skip(skip) + self.gate(gate))))
        return functional.interpolate(
            alpha, size=skip.shape[2:], mode=self.interpolation, align_corners=False
        )

    def forward(self, skip: Tensor, gate: Tensor) -> Tensor:
        """Return the skip connection, scaled voxel by voxel; same shape as ``skip``."""
        return skip * self.coefficients(skip, gate)


class Encoder(nn.Module):
    """The downsampling path: a ConvBlock and a max-pooling 2 with stride 2 per stage (thesis 4.4.1).

    Parameters
    ----------
    dimensions : int
        2 or 3.
    in_channels : int
        Channels of the input.
    channels : sequence of int
        Channels of the stages, shallowest first, without the bottleneck.
    dropout : float
        See ConvBlock.
    """

    def __init__(self, dimensions: int, in_channels: int, channels: Sequence[int], dropout: float = 0.0):
        super().__init__()
        befores = (in_channels, *channels[:-1])
        self.stages = nn.ModuleList(
            ConvBlock(dimensions, before, after, dropout)
            for before, after in zip(befores, channels, strict=True)
        )
        self.pool = _POOL[dimensions](kernel_size=2, stride=2)

    def forward(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return the skip connections, shallowest first, and the last downsampled features."""
        skips = []
        for stage in self.stages:
            skips.append(stage(x))
            x = self.pool(skips[-1])
        return skips, x


class DecoderStage(nn.Module):
    """One step up: gate the skips, upsample, concatenate, ConvBlock (thesis 4.4.1, 4.5.5, 4.6.1).

    Parameters
    ----------
    dimensions : int
        2 or 3.
    in_channels : int
        Channels of the features from below, which are the gating signal too.
    out_channels : int
        Channels of each skip and of the result.
    encoders : int
        How many encoders send a skip. The skips of several are gated one by one, concatenated and brought
        back to ``out_channels`` by a 1x1 convolution (thesis 4.6.1).
    attention : bool
        Whether skips pass an attention gate.
    dropout : float
        See ConvBlock.
    """

    def __init__(
        self,
        dimensions: int,
        in_channels: int,
        out_channels: int,
        *,
        encoders: int = 1,
        attention: bool = False,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.upsampling = upsampling(dimensions, in_channels, out_channels)
        self.gates = nn.ModuleList(
            AttentionGate(dimensions, out_channels, in_channels) for _ in range(encoders if attention else 0)
        )
        several = encoders > 1
        self.adjust = (
            pointwise(dimensions, encoders * out_channels, out_channels) if several else nn.Identity()
        )
        self.block = ConvBlock(dimensions, 2 * out_channels, out_channels, dropout)

    def forward(self, x: Tensor, skips: Sequence[Tensor]) -> Tensor:
        """Return ``(b, out_channels, *spatial)``.

        Parameters
        ----------
        x : Tensor
            ``(b, in_channels, *spatial / 2)``.
        skips : sequence of Tensor
            One ``(b, out_channels, *spatial)`` per encoder.
        """
        if self.gates:
            skips = [gate(skip, x) for gate, skip in zip(self.gates, skips, strict=True)]
        skip = self.adjust(torch.cat(list(skips), dim=1))
        return self.block(torch.cat([skip, self.upsampling(x)], dim=1))


class Decoder(nn.Module):
    """The upsampling path: one DecoderStage per stage of the encoders, deepest first.

    Parameters
    ----------
    dimensions : int
        2 or 3.
    channels : sequence of int
        Channels of the stages, shallowest first, the bottleneck's last.
    encoders, attention, dropout
        See DecoderStage.
    """

    def __init__(
        self,
        dimensions: int,
        channels: Sequence[int],
        *,
        encoders: int = 1,
        attention: bool = False,
        dropout: float = 0.0,
    ):
        super().__init__()
        deepest_first = tuple(reversed(channels))
        self.stages = nn.ModuleList(
            DecoderStage(dimensions, below, here, encoders=encoders, attention=attention, dropout=dropout)
            for below, here in zip(deepest_first, deepest_first[1:], strict=False)
        )

    def forward(self, x: Tensor, *skips: Sequence[Tensor]) -> Tensor:
        """Return the features of the shallowest stage, see `each_stage`."""
        return self.each_stage(x, *skips)[-1]

    def each_stage(self, x: Tensor, *skips: Sequence[Tensor]) -> list[Tensor]:
        """Return the features of every stage, deepest first.

        Parameters
        ----------
        x : Tensor
            The bottleneck's features.
        *skips : sequence of Tensor
            For each encoder its skip connections, shallowest first.
        """
        levels = reversed(list(zip(*skips, strict=True)))
        seen = []
        for stage, level in zip(self.stages, levels, strict=True):
            x = stage(x, level)
            seen.append(x)
        return seen
