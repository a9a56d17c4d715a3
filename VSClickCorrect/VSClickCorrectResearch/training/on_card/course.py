"""The course of a training on a card, by the time that there is for it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from VSClickCorrectResearch.training.checkpoint import write_tensors
from VSClickCorrectResearch.training.experiments import Experiment
from VSClickCorrectResearch.training.objective import loss_of
from VSClickCorrectResearch.training.on_card.batches import Batches
from VSClickCorrectResearch.training.on_card.boxes import BoxPool

_LEARNING_RATE = 1e-3
_WARM_UP = 200  # steps
_LAST_SHARE = 0.02  # of the learning rate, at the end
_DECAY = 0.999  # of the weights' moving average
_MAX_GRAD_NORM = 5.0
_TELL_S = 10.0
# A batch of 16 crops of 64³.
VOXELS = 16 * 64**3


class CardTraining:
    """Trains the click network for a while; the moving average of its weights is kept.

    Parameters
    ----------
    experiment : Experiment
        Of the click network.
    network : nn.Module
        On the card, in channels-last memory; trained in place.
    compiled : bool
        Whether torch compiles the network first, which takes a minute and makes steps shorter.
    voxels : int
        Of a batch.
    seed : int
        Of batches.
    """

    def __init__(
        self, experiment: Experiment, network: nn.Module, compiled: bool, voxels: int, seed: int
    ) -> None:
        self._network, self._loss = network, loss_of(experiment)
        self._model: Callable[[Tensor], Tensor] = (
            torch.compile(network, dynamic=False) if compiled else network
        )
        self.batches = Batches(network, experiment.examples, voxels, seed)
        self._parameters = list(network.parameters())
        self._adam = torch.optim.AdamW(self._parameters, _LEARNING_RATE, weight_decay=1e-5)
        self._average = [one.detach().clone() for one in self._parameters]
        self.steps = 0

    def run(self, pool: BoxPool, seconds: float, output: Path, say: Callable[[str], None]) -> None:
        """Learn from the boxes of a pool until the time is over.

        Whenever the state is told the weights are written to ``output``, so that little is lost if the card
        is taken away.
        """
        begin = told = time.monotonic()
        losses: list[Tensor] = []
        while (share := (time.monotonic() - begin) / seconds) < 1:
            losses.append(self.step(*self.batches.next(pool.boxes), share))
            if time.monotonic() - told > _TELL_S:
                told = time.monotonic()
                loss = float(torch.stack(losses).mean())
                say(f"{told - begin:5.0f} s  step {self.steps}  boxes {len(pool)}  loss {loss:.4f}")
                losses = []
                self.write(output)
        self.write(output)

    def step(self, inputs: Tensor, share: Tensor, share_of_time: float) -> Tensor:
        """Learn from one batch at a share of the time, 0 to 1; return the loss."""
        for group in self._adam.param_groups:
            group["lr"] = self._rate(share_of_time)
        with torch.autocast(inputs.device.type, torch.bfloat16):
            logits = self._model(inputs.to(memory_format=torch.channels_last_3d))
        loss = self._loss(logits.float(), share)
        self._adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self._parameters, _MAX_GRAD_NORM)
        self._adam.step()
        self.steps += 1
        with torch.no_grad():
            decay = min(_DECAY, (1 + self.steps) / (10 + self.steps))
            torch._foreach_lerp_(self._average, [one.detach() for one in self._parameters], 1 - decay)
        return loss.detach()

    def _rate(self, share_of_time: float) -> float:
        """Return a rate that rises at first and then falls as a cosine does."""
        falling = _LAST_SHARE + (1 - _LAST_SHARE) * (1 + math.cos(math.pi * share_of_time)) / 2
        return _LEARNING_RATE * falling * min(1.0, (self.steps + 1) / _WARM_UP)

    def write(self, path: Path) -> None:
        """Write the average of the weights."""
        names = [name for name, _ in self._network.named_parameters()]
        write_tensors(path, dict(zip(names, (one.cpu() for one in self._average), strict=True)))
