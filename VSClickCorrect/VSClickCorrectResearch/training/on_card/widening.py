"""A wider network that does at first what a narrower one does, so that nothing learned is lost.

References
----------
Chen, Goodfellow and Shlens: Net2Net: Accelerating Learning via Knowledge Transfer, ICLR 2016.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

# Twins would stay twins without it; of a layer's own deviation.
_NOISE = 0.05

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class _Widened:
    """Which of so many channels each channel of the wider network stands for."""

    source: Tensor
    count: int

    @property
    def share(self) -> Tensor:
        """How many channels stand for the same one, for each channel."""
        return torch.bincount(self.source, minlength=self.count)[self.source]


def widened(weights: Mapping[str, Tensor], channels: Sequence[int], seed: int = 0) -> Weights:
    """Return the weights of a wider `UNet3D` normalised sample by sample.

    Parameters
    ----------
    weights : mapping
        The narrower network's.
    channels : sequence of int
        Widths of the wider one's stages, none less than the narrower one's.
    seed : int
        Of which channels are doubled, and of what tells the two apart.

    Returns
    -------
    dict
        float32.
    """
    return _Widening(weights, channels, seed).run()


class _Widening:
    def __init__(self, weights: Mapping[str, Tensor], channels: Sequence[int], seed: int) -> None:
        self._weights = {name: tensor.float() for name, tensor in weights.items()}
        self._generator = torch.Generator().manual_seed(seed)
        self._channels = channels
        self._result: Weights = {}

    def run(self) -> Weights:
        deepest = len(self._channels) - 1
        skips, before = [], _same(self._weights["encoder.stages.0.conv1.weight"].shape[1])
        for level in range(deepest):
            before = self._block(f"encoder.stages.{level}", level, before)
            skips.append(before)
        before = self._block("bottleneck", deepest, before)
        for number, level in enumerate(reversed(range(deepest))):
            stage = f"decoder.stages.{number}"
            above = self._layer(f"{stage}.upsampling", self._channels[level], before, transposed=True)
            before = self._block(f"{stage}.block", level, _joined(skips[level], above))
        self._layer("head", self._weights["head.bias"].numel(), before)
        return self._result

    def _block(self, name: str, level: int, before: _Widened) -> _Widened:
        for number in (1, 2):
            before = self._layer(f"{name}.conv{number}", self._channels[level], before)
            for part in ("weight", "bias"):
                key = f"{name}.norm{number}.{part}"
                self._result[key] = self._weights[key][before.source].clone()
        return before

    def _layer(self, name: str, channels: int, before: _Widened, transposed: bool = False) -> _Widened:
        """Widen a convolution's outputs, and its inputs to what comes before it; return the outputs."""
        kernel, bias = (self._weights[f"{name}.{part}"] for part in ("weight", "bias"))
        kernel = kernel.transpose(0, 1) if transposed else kernel
        more = torch.randint(0, len(bias), (channels - len(bias),), generator=self._generator)
        after = _Widened(torch.cat([torch.arange(len(bias)), more]), len(bias))
        share = before.share.view(1, -1, 1, 1, 1)
        wide = kernel[after.source][:, before.source] / share
        noise = torch.randn(wide.shape, generator=self._generator) * (_NOISE * kernel.std())
        wide = wide + torch.where(share > 1, noise, 0)
        self._result[f"{name}.weight"] = (wide.transpose(0, 1) if transposed else wide).contiguous()
        self._result[f"{name}.bias"] = bias[after.source].clone()
        return after


def _same(count: int) -> _Widened:
    return _Widened(torch.arange(count), count)


def _joined(*some: _Widened) -> _Widened:
    source, count = [], 0
    for one in some:
        source.append(one.source + count)
        count += one.count
    return _Widened(torch.cat(source), count)
