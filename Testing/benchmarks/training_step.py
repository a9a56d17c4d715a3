"""How long a training step of the click-conditioned network takes, with and without the faster gradients."""

from __future__ import annotations

import argparse
import copy
import statistics
import time

import torch
from VSClickCorrectLib.networks.registry import build
from VSClickCorrectLib.training.convolution import quicken

_SHAPE = (2, 5, 64, 64, 64)


def seconds(network: torch.nn.Module, volume: torch.Tensor) -> float:
    """One forward and backward pass."""
    started = time.perf_counter()
    network(volume).square().mean().backward()
    return time.perf_counter() - started


def main() -> None:
    """Take both in turn, so that what else the machine does hits both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    plain = build("unet3d", in_channels=5, channels=[16, 32, 64, 128]).to(
        memory_format=torch.channels_last_3d
    )
    quick = copy.deepcopy(plain)
    quicken(quick)
    volume = torch.randn(_SHAPE).contiguous(memory_format=torch.channels_last_3d)
    for network in (plain, quick):
        seconds(network, volume)
    pairs = [(seconds(plain, volume), seconds(quick, volume)) for _ in range(options.repeats)]
    ratio = statistics.median(a / b for a, b in pairs)
    medians = [statistics.median(column) for column in zip(*pairs, strict=True)]
    print(f"torch {medians[0]:.2f} s, faster {medians[1]:.2f} s a step of {_SHAPE}; ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
