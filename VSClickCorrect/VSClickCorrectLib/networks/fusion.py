"""How features of several encoders become one, other than by the thesis's concatenation."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from VSClickCorrectLib.networks.blocks import pointwise

_POOL = {2: nn.AdaptiveAvgPool2d, 3: nn.AdaptiveAvgPool3d}


class GatedFusion(nn.Module):
    """Weighs encoders against each other, anew in every channel of every voxel.

    ``z = softmax over encoders of (W [x_1, ..., x_n] + b)``, result ``sum(z_i x_i)``; W is a 1x1 convolution.

    Parameters
    ----------
    dimensions : int
        2 or 3.
    channels : int
        Of each encoder's features, and of the result.
    encoders : int
        How many there are.

    References
    ----------
    Arevalo et al., Gated Multimodal Units for Information Fusion, ICLR workshop 2017.
    """

    def __init__(self, dimensions: int, channels: int, encoders: int):
        super().__init__()
        self._encoders = encoders
        self.weigh = pointwise(dimensions, encoders * channels, encoders * channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(b, channels, *spatial)`` for all features, ``(b, encoders * channels, *spatial)``."""
        logits, features = (one.unflatten(1, (self._encoders, -1)) for one in (self.weigh(x), x))
        return (torch.softmax(logits, dim=1) * features).sum(dim=1)


class AttentionFusion(nn.Module):
    """Weighs each channel of each encoder by what all of them see in the whole cut, then joins them.

    ``s = sigmoid(W_2 relu(W_1 mean(x) + b_1) + b_2)`` with x the features of all and the mean over voxels; a
    1x1 convolution of ``s x`` has the channels of one encoder.

    Parameters
    ----------
    dimensions, channels, encoders : int
        As for `GatedFusion`.

    References
    ----------
    Hu et al., Squeeze-and-Excitation Networks, CVPR 2018.
    """

    def __init__(self, dimensions: int, channels: int, encoders: int):
        super().__init__()
        joined = encoders * channels
        inner = max(joined // 8, 1)
        self.attend = nn.Sequential(
            _POOL[dimensions](1),
            pointwise(dimensions, joined, inner),
            nn.ReLU(),
            pointwise(dimensions, inner, joined),
            nn.Sigmoid(),
        )
        self.join = pointwise(dimensions, joined, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(b, channels, *spatial)`` for all features, ``(b, encoders * channels, *spatial)``."""
        return self.join(self.attend(x) * x)


FUSIONS: dict[str, type[nn.Module]] = {"gated": GatedFusion, "attention": AttentionFusion}
"""By name, all but the thesis's own, ``"concatenation"``."""
