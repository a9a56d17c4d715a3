"""Where and in which precision networks run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import nn

from VSClickCorrectLib.errors import ModelError, enough_memory
from VSClickCorrectLib.networks.blocks import ConvBlock

# oneDNN keeps the code that it has made for a convolution of a size, 70 kB each, 1024 of them unless told
# otherwise when it makes the first, and boxes around masks have many sizes. What clicks and boxes of some ten
# sizes need is kept; the rest is made again within milliseconds.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "256")


def choose_device(name: str = "auto") -> torch.device:
    """Return the device of that name; ``auto`` is CUDA, else MPS, else the CPU.

    Raises
    ------
    ModelError
        If the name is unknown or the machine has no such device.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(n for n, there in available.items() if there)
    if not available.get(name, False):
        raise ModelError(f"the device '{name}' is not available here; choose auto or cpu.")
    return torch.device(name)


def prepare(network: nn.Module, device: torch.device) -> nn.Module:
    """Make a network ready to predict on a device, and as fast there as it can be.

    In evaluation mode, with the memory format that is fastest, and every BatchNorm folded into the
    convolution before it: its weights are then no longer those of the file.
    """
    network = network.eval().requires_grad_(False)
    for block in network.modules():
        if isinstance(block, ConvBlock):
            block.fold()
    network = network.to(device)
    dimensions = {m.weight.dim() for m in network.modules() if isinstance(m, nn.Conv2d | nn.Conv3d)}
    layout = torch.channels_last_3d if 5 in dimensions else torch.channels_last
    return network.to(memory_format=layout)  # type: ignore[call-overload]


def precision(device: torch.device) -> AbstractContextManager:
    """Return the autocast of a device: fp16 on CUDA, bf16 on processors that are faster in it."""
    if device.type == "cuda":
        return torch.autocast("cuda", torch.float16)
    if device.type == "cpu" and _cpu_is_faster_in_bf16():
        return torch.autocast("cpu", torch.bfloat16)
    return nullcontext()


def _cpu_is_faster_in_bf16() -> bool:
    # Before get_capabilities existed bf16 is simply not used.
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    # Without its matrix unit, which virtual machines often hide, an Intel processor takes twice as long.
    by_vectors = capabilities.get("avx512_bf16") and "Intel" not in str(capabilities.get("cpu_name", ""))
    return bool(capabilities.get("amx_bf16") or by_vectors or capabilities.get("bf16"))


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread of the processor inside.

    A network of some milliseconds gains little from more (decision 0008): its threads meet after every layer,
    and where other programs want the same cores each meeting waits for a thread that is not running.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def is_exact(device: torch.device) -> bool:
    """Tell whether a device is the processor, and networks run there in float32 without being asked to."""
    return device.type == "cpu" and not _cpu_is_faster_in_bf16()


@enough_memory()
def probabilities(network: nn.Module, inputs: torch.Tensor, exact: bool = False) -> torch.Tensor:
    """Run a network on a batch and return float32 probabilities on the CPU; arguments as `logits_of`."""
    return torch.sigmoid(logits_of(network, inputs, exact)).cpu()


@torch.inference_mode()
def logits_of(network: nn.Module, inputs: torch.Tensor, exact: bool) -> torch.Tensor:
    """Run a network on a batch and return float32 logits, where they were computed.

    Parameters
    ----------
    network : nn.Module
        On its device, in evaluation mode.
    inputs : Tensor
        On the CPU.
    exact : bool
        In float32, even where the device has a faster precision.
    """
    device = next(network.parameters()).device
    with nullcontext() if exact else precision(device):
        return network(inputs.to(device)).float()
