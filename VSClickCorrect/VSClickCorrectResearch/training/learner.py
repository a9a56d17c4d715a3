"""A network in training, as Lightning wants it: its steps and looks, Adam, the course of its rate."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn
from torch.optim.lr_scheduler import MultiStepLR, ReduceLROnPlateau
from VSClickCorrectLib.errors import ModelError

from VSClickCorrectResearch.training.schedule import Schedule

Batch = tuple[Tensor, Tensor]
BatchAt = Callable[[int], Batch]
Loss = Callable[[Tensor, Tensor], Tensor]
Score = Callable[[nn.Module], float]
_MAX_GRAD_NORM = 5.0


class Learner(LightningModule):
    """A network that learns step by step, and is scored now and then.

    Parameters
    ----------
    network : nn.Module
        Trained in place.
    loss : callable
        Of logits and targets.
    schedule : Schedule
        Learning rate and its course.
    seed : int
        Of what is random inside the network.
    """

    def __init__(self, network: nn.Module, loss: Loss, schedule: Schedule, seed: int) -> None:
        super().__init__()
        self.network = network
        self._loss, self._schedule, self._seed = loss, schedule, seed

    @property
    def settings(self) -> dict[str, Any]:
        """What must not change when the training goes on, as JSON can hold it."""
        shapes = {name: list(tensor.shape) for name, tensor in self.network.state_dict().items()}
        return {**self._schedule.settings(), "seed": self._seed, "network": shapes}

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """Return Adam, whose learning rate falls at the milestones, or by the looks at the validation set."""
        schedule = self._schedule
        adam = torch.optim.Adam(self.network.parameters(), lr=schedule.learning_rate)
        if schedule.milestones:
            steps = MultiStepLR(adam, list(schedule.milestones), schedule.decay)
            return {"optimizer": adam, "lr_scheduler": {"scheduler": steps, "interval": "step"}}
        halving = ReduceLROnPlateau(adam, "max", 0.5, schedule.patience, min_lr=schedule.lowest_rate)
        return {
            "optimizer": adam,
            "lr_scheduler": {
                "scheduler": halving,
                "monitor": "score",
                # What goes by epochs, Lightning halves after the checkpoint has been written.
                "interval": "step",
                "frequency": schedule.val_every,
            },
        }

    def training_step(self, batch: Batch, _number: int) -> Tensor:
        """Return the loss of this process's share of a batch."""
        # Dropout follows from seed, step and rank, so that no state of a generator has to be kept.
        torch.manual_seed(_mixed(self._seed, self.global_step + 1, self.global_rank))
        inputs, targets = batch
        # Making the batch may have asked the network for masks.
        logits = self.network.train()(inputs)
        with torch.autocast(inputs.device.type, enabled=False):
            value = self._loss(logits.float() if logits.dtype == torch.bfloat16 else logits, targets)
        self._last_loss = value.detach()
        self.log("loss", self._last_loss, on_step=False, on_epoch=True, sync_dist=True, batch_size=1)
        return value

    def configure_gradient_clipping(self, *_: Any, **__: Any) -> None:
        """Clip the gradients' norm, which is the same in all processes.

        Raises
        ------
        ModelError
            If the gradients are no numbers: nothing is learnt from them.
        """
        # By the norm alone: the loss is this process's, and all of them have to agree.
        if nn.utils.clip_grad_norm_(self.network.parameters(), _MAX_GRAD_NORM).isfinite():
            return
        loss = self._last_loss.item()
        what = "the gradients are not finite" if math.isfinite(loss) else f"the loss is {loss}"
        raise ModelError(
            f"{what} at step {self.global_step + 1}; begin anew with a lower learning rate"
            f"{', or in float32' if self._schedule.precision != 'float32' else ''}."
        )

    def validation_step(self, score: Score, _number: int) -> dict[str, float]:
        """Return what the first process finds; the validation set is one item, the score of a network.

        Raises
        ------
        ModelError
            If the score is not a number.
        """
        with torch.autocast(self.device.type, enabled=False):
            value = score(self.network) if self.trainer.is_global_zero else 0.0
        value = self.trainer.strategy.broadcast(value)
        if not math.isfinite(value):
            raise ModelError(
                f"the validation score is {value} at step {self.global_step}; "
                "the validation set needs cases with a tumour."
            )
        self.log("score", value, batch_size=1)
        return {"score": value}


def _mixed(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])
