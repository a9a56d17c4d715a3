"""Training in one process, or in the several that torchrun starts on one machine or many."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor, distributed, nn
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.inference.device import choose_device

# The others wait while the first process looks at the validation set.
_PATIENCE = timedelta(hours=2)


@dataclass(frozen=True)
class DistributedContext:
    """The processes that train one network together, seen from one of them.

    Parameters
    ----------
    device : torch.device
        Where this process computes.
    rank : int
        Its number; the first, 0, is_main_process: it scores, logs and writes.
    world : int
        How many there are.
    """

    device: torch.device
    rank: int = 0
    world: int = 1

    @property
    def is_main_process(self) -> bool:
        """Whether this is the process that scores, logs and writes."""
        return self.rank == 0

    def prepare(self, network: nn.Module) -> nn.Module:
        """Move a network to the device; several GPUs share their batch statistics.

        torch has no shared batch statistics on processors: there each process normalises by its own share of
        the batch, and the running statistics that are kept are the leader's.
        """
        if self.world > 1 and self.device.type == "cuda":
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
        return network.to(self.device)

    def join(self, network: nn.Module) -> nn.Module:
        """Return the network with gradients that are means over the team; weights become the leader's."""
        if self.world == 1:
            return network
        devices = [self.device] if self.device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(network, device_ids=devices)

    def share(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Return this process's samples of a batch, every ``world``-th, on its device.

        Raises
        ------
        ModelError
            If the shares would not be equal: the mean of their gradients would not be the batch's.
        """
        size = len(batch[0])
        if size % self.world:
            raise ModelError(
                f"a batch of {size} cannot be shared evenly by {self.world} processes; make it a multiple."
            )
        inputs, targets = (
            tensor[self.rank :: self.world].to(self.device, non_blocking=True) for tensor in batch
        )
        return inputs, targets

    def agree(self, value: float) -> float:
        """Return the leader's value, in every process."""
        if self.world == 1:
            return value
        said = torch.tensor(value, dtype=torch.float64, device=self.device)
        distributed.broadcast(said, 0)
        return said.item()

    def mean(self, value: Tensor) -> float:
        """Return the mean of a number over the team, in every process."""
        if self.world > 1:
            value = value.clone()
            distributed.all_reduce(value)
        return value.item() / self.world


@contextmanager
def init_distributed(device: str) -> Iterator[DistributedContext]:
    """Give the team that torchrun's environment tells of, or that of a single process.

    Parameters
    ----------
    device : str
        ``"auto"``, ``"cuda"``, ``"mps"`` or ``"cpu"``.

    Raises
    ------
    ModelError
        If the device is not there, or not there for each process of this machine.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield DistributedContext(choose_device(device))
        return
    place = _own_device(device, int(os.environ["LOCAL_RANK"]))
    backend = "nccl" if place.type == "cuda" else "gloo"
    distributed.init_process_group(backend, timeout=_PATIENCE)
    try:
        yield DistributedContext(place, distributed.get_rank(), world)
    finally:
        distributed.destroy_process_group()


def _own_device(name: str, local_rank: int) -> torch.device:
    device = choose_device(name)
    if device.type == "mps":
        raise ModelError("several processes cannot share this machine's GPU; choose the device cpu.")
    if device.type == "cpu":
        return device
    if local_rank >= torch.cuda.device_count():
        raise ModelError(
            f"more processes than GPUs; start torchrun with --nproc-per-node {torch.cuda.device_count()}."
        )
    device = torch.device("cuda", local_rank)
    torch.cuda.set_device(device)
    return device
