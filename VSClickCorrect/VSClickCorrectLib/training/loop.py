"""The training loop: Adam, halving on plateau, the best weights kept (thesis section 4.4.2)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

Batch = tuple[torch.Tensor, torch.Tensor]
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train.

    Parameters
    ----------
    steps : int
        Batches at most.
    check_every : int
        Batches between two looks at the validation set.
    learning_rate : float
        Of Adam, at the beginning.
    patience : int
        Looks without gain after which the learning rate is halved.
    minutes : float
        Training ends after this time even if steps are left.
    threads : int
        Of the processor.
    """

    steps: int
    check_every: int = 100
    learning_rate: float = 1e-3
    patience: int = 2
    minutes: float = float("inf")
    threads: int = 2


def fit(
    network: nn.Module,
    batches: Iterator[Batch],
    loss: Loss,
    score: Callable[[nn.Module], float],
    schedule: Schedule,
    output: Path,
) -> float:
    """Train a network and keep the weights that score best on the validation set.

    Parameters
    ----------
    network : nn.Module
        Trained in place; ends with the best weights.
    batches : iterator of (inputs, targets)
        Endless.
    loss : callable
        Of logits and targets.
    score : callable
        Higher is better; called with the network in evaluation mode.
    schedule : Schedule
        How long and how fast.
    output : Path
        Folder for ``best.safetensors`` and ``log.jsonl``.

    Returns
    -------
    float
        The best score.
    """
    output.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(schedule.threads)
    optimiser = torch.optim.Adam(network.parameters(), lr=schedule.learning_rate)
    halving = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, "max", 0.5, schedule.patience)
    best, best_weights, losses, started = -1.0, None, [], time.monotonic()
    with open(output / "log.jsonl", "w", encoding="utf-8") as log:
        log.write(json.dumps({"schedule": asdict(schedule)}) + "\n")
        for step in range(1, schedule.steps + 1):
            losses.append(_step(network, next(batches), loss, optimiser))
            over = step == schedule.steps or time.monotonic() - started > schedule.minutes * 60
            if step % schedule.check_every and not over:
                continue
            network.eval()
            value = score(network)
            halving.step(value)
            if value > best:
                best, best_weights = (
                    value,
                    {n: t.detach().clone().contiguous() for n, t in network.state_dict().items()},
                )
                save_file(best_weights, output / "best.safetensors")
            _report(log, step, losses, value, optimiser, time.monotonic() - started)
            losses.clear()
            if over:
                break
    network.load_state_dict(best_weights)
    return best


def _step(network: nn.Module, batch: Batch, loss: Loss, optimiser: torch.optim.Optimizer) -> float:
    network.train()
    inputs, targets = batch
    optimiser.zero_grad(set_to_none=True)
    value = loss(network(inputs), targets)
    value.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 5.0)
    optimiser.step()
    return value.item()


def _report(log, step: int, losses: list[float], value: float, optimiser, seconds: float) -> None:
    row = {
        "step": step,
        "loss": round(sum(losses) / len(losses), 5),
        "score": round(value, 5),
        "learning_rate": optimiser.param_groups[0]["lr"],
        "seconds": round(seconds, 1),
    }
    log.write(json.dumps(row) + "\n")
    log.flush()
    print(
        f"step {step:6d}  loss {row['loss']:.4f}  validation {value:.4f}  lr {row['learning_rate']:.1e}",
        flush=True,
    )
