"""A network in training: its weights, their average, Adam, and all of that in and out of a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from VSClickCorrectResearch.training.checkpoint import TrainingProgress
from VSClickCorrectResearch.training.parallel import DistributedContext
from VSClickCorrectResearch.training.schedule import Schedule

Batch = tuple[Tensor, Tensor]
Loss = Callable[[Tensor, Tensor], Tensor]

_MAX_GRAD_NORM = 5.0
_REMEMBERED = ("best", "num_bad_epochs", "cooldown_counter", "last_epoch")


class Learner:
    """A network that learns step by step, and what it has to remember between steps.

    Parameters
    ----------
    network : nn.Module
        Trained in place, on the team's device.
    loss : callable
        Of logits and targets.
    schedule : Schedule
        Learning rate, halving, average and precision.
    team : DistributedContext
        The processes that share each batch.
    seed : int
        Of what is random inside the network.
    """

    def __init__(
        self, network: nn.Module, loss: Loss, schedule: Schedule, team: DistributedContext, seed: int
    ) -> None:
        self.network = team.prepare(network)
        self.progress = TrainingProgress(learning_rate=schedule.learning_rate)
        self.best: dict[str, Tensor] = {}
        self._schedule, self._team, self._seed, self._loss = schedule, team, seed, loss
        self._joined = team.join(self.network)
        self._average = self._averaged() if schedule.average else None
        self._adam = torch.optim.Adam(self.network.parameters(), lr=schedule.learning_rate)
        self._halving = ReduceLROnPlateau(
            self._adam, "max", 0.5, schedule.patience, min_lr=schedule.lowest_rate
        )

    @property
    def settings(self) -> dict[str, Any]:
        """What must not change when the training goes on, as JSON can hold it."""
        shapes = {name: list(tensor.shape) for name, tensor in self.network.state_dict().items()}
        return {**self._schedule.settings(), "seed": self._seed, "network": shapes}

    @property
    def scored(self) -> nn.Module:
        """The network that is looked at and kept: the averaged one if there is an average."""
        return self._average.module if self._average else self.network

    def step(self, batch: Batch) -> Tensor:
        """Learn from this process's share of the next batch and return its loss, without waiting for a GPU.

        Raises
        ------
        ModelError
            If the batch cannot be shared evenly.
        """
        self.progress.step += 1
        # Dropout follows from seed, step and rank, so that no state of a generator has to be kept.
        torch.manual_seed(_mixed(self._seed, self.progress.step, self._team.rank))
        inputs, targets = self._team.share(batch)
        self._joined.train()
        self._adam.zero_grad(set_to_none=True)
        half = self._schedule.precision == "bfloat16"
        with torch.autocast(inputs.device.type, torch.bfloat16, enabled=half):
            logits = self._joined(inputs)
        value = self._loss(logits.float() if half else logits, targets)
        value.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), _MAX_GRAD_NORM)
        self._adam.step()
        if self._average:
            self._average.update_parameters(self.network)
        return value.detach()

    def update_best(self, score: float) -> bool:
        """Take the score of a look: keep the weights if they are the best so far, else halve in time.

        Returns
        -------
        bool
            Whether they are.
        """
        better = score > self.progress.best
        if better:
            self.progress.best, self.progress.without_gain = score, 0
            self.best = {name: tensor.cpu().clone() for name, tensor in self.scored.state_dict().items()}
        else:
            self.progress.without_gain += 1
        self._halving.step(score)
        remembered = self._halving.state_dict()
        self.progress.plateau = {name: remembered[name] for name in _REMEMBERED}
        self.progress.learning_rate = self._adam.param_groups[0]["lr"]
        return better

    def tensors(self) -> dict[str, Tensor]:
        """Return every tensor that the training needs to go on, by name."""
        parts: dict[str, Mapping[str, Tensor]] = {"network": self.network.state_dict(), "best": self.best}
        if self._average:
            parts["average"] = self._average.state_dict()
        for name, weight in self.network.named_parameters():
            parts[f"adam.{name}"] = self._adam.state[weight]
        return {f"{part}.{name}": tensor for part, named in parts.items() for name, tensor in named.items()}

    def restore(self, tensors: Mapping[str, Tensor], progress: TrainingProgress) -> None:
        """Go back to where `tensors` and `progress` were taken."""
        self.progress = progress
        self.network.load_state_dict(_part(tensors, "network"))
        self.best = _part(tensors, "best")
        if self._average:
            self._average.load_state_dict(_part(tensors, "average"))
        for name, weight in self.network.named_parameters():
            moments = _part(tensors, f"adam.{name}")
            self._adam.state[weight] = {
                # Adam counts on the processor, whatever the device.
                key: value if key == "step" else _laid_out_as(weight, value)
                for key, value in moments.items()
            }
        self._adam.param_groups[0]["lr"] = progress.learning_rate
        self._halving.load_state_dict(progress.plateau)

    def _averaged(self) -> AveragedModel:
        def update(averaged, current, _):
            step = self.progress.step
            get_ema_multi_avg_fn(min(self._schedule.average, (1 + step) / (10 + step)))(averaged, current, _)

        return AveragedModel(self.network, multi_avg_fn=update, use_buffers=True)


def _mixed(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])


def _part(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    start = f"{name}."
    return {key[len(start) :]: tensor for key, tensor in tensors.items() if key.startswith(start)}


def _laid_out_as(weight: Tensor, value: Tensor) -> Tensor:
    # In another layout in memory the same sums would be rounded differently.
    return torch.empty_like(weight, requires_grad=False).copy_(value)
