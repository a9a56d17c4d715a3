"""Training in one process, or in the several that torchrun or Slurm starts on one machine or many."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import torch
from pytorch_lightning.plugins.environments import SLURMEnvironment
from pytorch_lightning.strategies import DDPStrategy
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.inference.device import choose_device

from VSClickCorrectResearch.training.learner import Batch

# The others wait while the first process looks at the validation set.
_PATIENCE = timedelta(hours=2)


def team(device: str) -> dict[str, Any]:
    """Return what a Trainer is told of the processes that train together, as torchrun or Slurm started them.

    Parameters
    ----------
    device : str
        ``"auto"``, ``"cuda"``, ``"mps"`` or ``"cpu"``.

    Raises
    ------
    ModelError
        If the device is not there, or not there for each process of this machine, or Slurm was not asked to
        start the processes.
    """
    kind, (processes, machines) = choose_device(device).type, _started()
    several = processes * machines > 1
    if several and kind == "mps":
        raise ModelError("several processes cannot share this machine's GPU; choose the device cpu.")
    if kind == "cuda" and processes > torch.cuda.device_count():
        raise ModelError(
            f"more processes than GPUs; start torchrun with --nproc-per-node {torch.cuda.device_count()}."
        )
    return {
        "accelerator": kind,
        "devices": processes,
        "num_nodes": machines,
        "strategy": DDPStrategy(timeout=_PATIENCE) if several else "auto",
        # torch has no shared batch statistics on processors: there each process normalises by its own share
        # of the batch, and the running statistics that are kept are the first one's.
        "sync_batchnorm": several and kind == "cuda",
    }


def _started() -> tuple[int, int]:
    """Return how many processes there are on each machine, and how many machines."""
    if "LOCAL_WORLD_SIZE" in os.environ:
        world, local = (int(os.environ[name]) for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"))
        return local, world // local
    if SLURMEnvironment.detect() and int(os.environ["SLURM_NTASKS"]) > 1:
        if not {"SLURM_STEP_ID", "SLURM_NTASKS_PER_NODE"} <= os.environ.keys():
            raise ModelError(
                "a job of several tasks wants 'srun' before the command, --nodes and --ntasks-per-node."
            )
        return int(os.environ["SLURM_NTASKS_PER_NODE"]), int(os.environ["SLURM_NNODES"])
    return 1, 1


def is_first() -> bool:
    """Whether this process is the one that writes, of those that train together."""
    rank = os.environ.get("RANK", os.environ.get("SLURM_PROCID", "0"))
    return _started() == (1, 1) or rank == "0"


def share(batch: Batch, rank: int, world: int) -> Batch:
    """Return one process's samples of a batch, every ``world``-th.

    Raises
    ------
    ModelError
        If the shares would not be equal: the mean of their gradients would not be the batch's.
    """
    inputs, targets = batch
    if len(inputs) % world:
        raise ModelError(
            f"a batch of {len(inputs)} cannot be shared evenly by {world} processes; make it a multiple."
        )
    return inputs[rank::world], targets[rank::world]
