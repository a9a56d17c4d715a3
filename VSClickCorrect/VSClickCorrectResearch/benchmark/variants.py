"""What eats the difference to the machine's limit: the corrector run in every other way, in one run."""

from __future__ import annotations

import copy
import shutil
import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from VSClickCorrectLib.inference.corrector import Corrector, network_input
from VSClickCorrectLib.inference.device import one_thread
from VSClickCorrectLib.networks.registry import build, dimensions

_BATCHES = (2, 5, 10)


@dataclass(frozen=True)
class Variant:
    """The corrector run in one way.

    Parameters
    ----------
    name : str
        Which way.
    seconds : tuple of float
        Of one cut, each pass; a batch's time is divided by its cuts.
    """

    name: str
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Median seconds of a cut."""
        return float(np.median(self.seconds))


@torch.inference_mode()
def variants(corrector: Corrector, repeats: int) -> list[Variant]:
    """Run the corrector as it ships, then in other memory formats, batches, threads and compiled.

    The ways are run in turn, so that whatever else the machine does meets them all alike. The first is what
    ships: one thread, one cut.
    """
    network, seen = corrector.network, torch.rand(1, *corrector.patch_shape)
    cut = network_input(seen, dimensions(corrector.entry.network)).to(_device(corrector))
    ways: dict[str, tuple[nn.Module, torch.Tensor]] = {"as it ships": (network, cut)}
    ways |= {name: (other, cut) for name, other in other_networks(corrector).items()}
    ways |= {f"{n} cuts at once": (network, cut.expand(n, *cut.shape[1:]).contiguous()) for n in _BATCHES}
    times: dict[str, list[float]] = {name: [] for name in ways}
    with one_thread():
        for one, cuts in ways.values():
            one(cuts)
        for _ in range(repeats):
            for name, (one, cuts) in ways.items():
                times[name].append(_seconds(one, cuts) / len(cuts))
    return [Variant(name, tuple(seconds)) for name, seconds in times.items()] + _on_all_threads(
        network, ways[f"{_BATCHES[-1]} cuts at once"][1], repeats
    )


def other_networks(corrector: Corrector) -> dict[str, nn.Module]:
    """Return networks that take as long as the corrector's would, run in other ways, by name."""
    network, device = corrector.network, _device(corrector)
    entry = corrector.entry
    # Of its weights, which are random, the time does not depend.
    plain = build(entry.network, **entry.parameters).eval().to(device)
    found: dict[str, nn.Module] = {
        "BatchNorm not folded": plain.to(memory_format=torch.channels_last),  # type: ignore[call-overload]
        "memory format contiguous": copy.deepcopy(network).to(memory_format=torch.contiguous_format),  # type: ignore[call-overload]
    }
    if device.type == "cpu":
        found["bf16"] = _InBfloat16(network)
    # What compiles needs a C++ compiler, which clinicians' computers lack.
    if shutil.which("g++") or shutil.which("clang++"):
        found["torch.compile"] = torch.compile(network)  # type: ignore[assignment]
    return found


class _InBfloat16(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self._network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return self._network(x)


def _on_all_threads(network: nn.Module, cuts: torch.Tensor, repeats: int) -> list[Variant]:
    threads = torch.get_num_threads()
    if cuts.is_cuda or threads == 1:
        return []
    network(cuts)
    one = tuple(_seconds(network, cuts[:1]) for _ in range(repeats))
    several = tuple(_seconds(network, cuts) / len(cuts) for _ in range(repeats))
    return [
        Variant(f"{threads} threads", one),
        Variant(f"{threads} threads, {len(cuts)} cuts at once", several),
    ]


def _device(corrector: Corrector) -> torch.device:
    return next(corrector.network.parameters()).device


def _seconds(network: nn.Module, cuts: torch.Tensor) -> float:
    started = time.perf_counter()
    network(cuts)
    if cuts.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - started
