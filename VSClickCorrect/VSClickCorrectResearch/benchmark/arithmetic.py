"""The networks against the machine's own limit: operations counted, and the best rate of matrix products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode, conv_flop_count
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.corrector import network_input
from VSClickCorrectLib.inference.device import one_thread, precision, probabilities
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.model_set import Networks
from VSClickCorrectLib.networks.registry import dimensions

from VSClickCorrectResearch.benchmark.timing import timed

# As large as it takes to keep all of a device busy.
_MATRICES = {"cpu": (512, 1024, 2048), "cuda": (2048, 4096, 8192), "mps": (1024, 2048, 4096)}

Shape = Sequence[int]


@dataclass(frozen=True)
class NetworkRate:
    """How much of the machine a network uses.

    Parameters
    ----------
    name : str
        The model's.
    shape : tuple of int
        Of the input, batch first.
    gigaflop : float
        Floating-point operations of one pass, 10⁹; a multiplication and an addition are two.
    seconds : tuple of float
        Of each pass.
    threads : int
        On which it runs.
    best : float
        The machine's best rate of matrix products on as many threads and in the same precision, 10⁹ a second.
    """

    name: str
    shape: tuple[int, ...]
    gigaflop: float
    seconds: tuple[float, ...]
    threads: int
    best: float

    @property
    def rate(self) -> float:
        """The network's rate, 10⁹ operations a second."""
        return self.gigaflop / float(np.median(self.seconds))

    @property
    def share(self) -> float:
        """The share of the best rate that it reaches."""
        return self.rate / self.best


def network_rates(case: Case, networks: Networks, repeats: int) -> list[NetworkRate]:
    """Measure every network on the inputs that it gets for a case, and the machine's best in the same run."""
    inputs, corrector = _inputs_of(networks.segmenter, case), networks.corrector
    entry, network = corrector.entry, corrector.network
    cut = torch.rand(1, *corrector.patch_shape)
    device = next(network.parameters()).device
    best = matrix_rate(device)
    rates = [_rate(name, *of, best, repeats) for name, of in inputs.items()]
    with one_thread():
        seen = network_input(cut, dimensions(entry.network))
        return [*rates, _rate(entry.name, network, seen, matrix_rate(device), repeats)]


def matrix_rate(device: torch.device, repeats: int = 5) -> float:
    """Return the best rate of square matrix products on a device, 10⁹ operations a second."""
    return max(_products(size, device, repeats) for size in _MATRICES[device.type])


def operations(network: nn.Module, inputs: torch.Tensor) -> float:
    """Return the floating-point operations of one pass, 10⁹, by torch's own counter."""
    # The counter does not know it by itself.
    known = {torch.ops.aten.mkldnn_convolution: _convolution_operations}
    with FlopCounterMode(display=False, custom_mapping=known) as counter, torch.inference_mode():
        network(inputs.to(next(network.parameters()).device))
    return counter.get_total_flops() / 1e9


def _convolution_operations(inputs: Shape, weight: Shape, *_: object, out_shape: Shape, **__: object) -> int:
    return conv_flop_count(list(inputs), list(weight), list(out_shape))


def _rate(name: str, network: nn.Module, x: torch.Tensor, best: float, repeats: int) -> NetworkRate:
    probabilities(network, x)
    seconds = tuple(timed(lambda: probabilities(network, x)) for _ in range(repeats))
    return NetworkRate(name, tuple(x.shape), operations(network, x), seconds, torch.get_num_threads(), best)


def _products(size: int, device: torch.device, repeats: int) -> float:
    with torch.inference_mode(), precision(device):
        a, b = torch.rand(size, size, device=device), torch.rand(size, size, device=device)

        def product() -> None:
            c = a @ b
            # Bringing a number back waits for a graphics card to be done.
            float(c[0, 0])

        product()
        return 2 * size**3 / 1e9 / min(timed(product) for _ in range(repeats))


def _inputs_of(segmenter: InitialSegmenter, case: Case) -> dict[str, tuple[nn.Module, torch.Tensor]]:
    """Return the initial networks and the last input that each got when the case was segmented."""
    seen: dict[str, tuple[nn.Module, torch.Tensor]] = {}

    def watch(name: str):
        def hook(network: nn.Module, arguments: tuple) -> None:
            seen[name] = (network, arguments[0].cpu())

        return hook

    hooks = [m.network.register_forward_pre_hook(watch(m.entry.name)) for m in segmenter.models]
    try:
        segmenter.segment(case)
    finally:
        for one in hooks:
            one.remove()
    return seen
