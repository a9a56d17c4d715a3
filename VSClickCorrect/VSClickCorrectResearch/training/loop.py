"""The training loop: Adam, halving on plateau, the best weights kept (thesis section 4.4.2).

A training may be interrupted at any moment and started again with the same output folder: it goes on from
the last look at the validation set, and on a processor it ends with the weights, to the bit, that it would
have had without the interruption. Started by ``torchrun`` it shares every batch among processes, each with a
GPU of its own where there are GPUs.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.io.files import make_folder

from VSClickCorrectResearch.training.checkpoint import read_checkpoint, write_checkpoint, write_tensors
from VSClickCorrectResearch.training.learner import Batch, Learner, Loss
from VSClickCorrectResearch.training.parallel import DistributedContext, init_distributed
from VSClickCorrectResearch.training.reporter import Reporter
from VSClickCorrectResearch.training.schedule import Schedule

BatchAt = Callable[[int], Batch]
Score = Callable[[nn.Module], float]

CHECKPOINT = "checkpoint.safetensors"
BEST = "best.safetensors"


def fit(
    network: nn.Module,
    batch_at: BatchAt,
    loss: Loss,
    score: Score,
    schedule: Schedule,
    output: Path,
    *,
    seed: int,
) -> float:
    """Train a network, or go on training it, and keep the weights that score best on the validation set.

    Parameters
    ----------
    network : nn.Module
        Trained in place; ends with the best weights, on the schedule's device.
    batch_at : callable
        Gives the batch of a step, counted from 1: inputs and targets, on the CPU, which follow from the step
        (and the recipe's seed) alone. It may be called in another process, ahead of its turn.
    loss : callable
        Of logits and targets, both on the device; a mean over samples, if processes are to share batches.
    score : callable
        Higher is better; called with the network on its device, in evaluation mode and single precision.
    schedule : Schedule
        How long and how fast.
    output : Path
        Folder for ``best.safetensors``, ``checkpoint.safetensors``, ``log.jsonl``, ``curves.png`` and
        ``tensorboard``. Where it holds a checkpoint, training goes on from there.
    seed : int
        Of what is random inside the network.

    Returns
    -------
    float
        The best score.

    Raises
    ------
    ModelError
        If the output folder holds a training with other settings or an unreadable checkpoint, the device is
        not to be had, batches cannot be shared evenly, or loss or score is not a number.
    ImageError
        If the output folder cannot be written.
    """
    torch.set_num_threads(schedule.threads)
    make_folder(output)
    with init_distributed(schedule.device) as team:
        learner = Learner(network, loss, schedule, team, seed)
        _resume(learner, team, output)
        training = _Training(learner, score, schedule, team, output)
        if not training.is_over():
            noted: AbstractContextManager[Reporter | None] = (
                Reporter(output, schedule, seed, learner.progress) if team.is_main_process else nullcontext()
            )
            with noted as reporter:
                training.run(_batches(batch_at, learner.progress.step, schedule, team), reporter)
        learner.network.load_state_dict(learner.best)
        return learner.progress.best


@dataclass
class _Training:
    """One part of a training, from its start or an interruption to its end or the next interruption."""

    learner: Learner
    score: Score
    schedule: Schedule
    team: DistributedContext
    output: Path
    started: float = field(default_factory=time.monotonic)
    seconds_before: float = field(init=False)

    def __post_init__(self) -> None:
        self.seconds_before = self.learner.progress.seconds

    @property
    def seconds(self) -> float:
        return self.seconds_before + time.monotonic() - self.started

    def is_over(self) -> bool:
        """Tell whether the part before this one already did all there was to do."""
        return bool(self.learner.best) and (self._is_last() or self._has_stalled())

    def run(self, batches: Iterable[Batch], reporter: Reporter | None) -> None:
        losses = []
        for batch in batches:
            losses.append(self.learner.step(batch))
            if reporter:
                reporter.step()
            last = self._is_last()
            if not last and self.learner.progress.step % self.schedule.val_every:
                continue
            self._look(self.team.mean(torch.stack(losses).mean()), reporter)
            losses.clear()
            if last or self._has_stalled():
                break

    def _is_last(self) -> bool:
        if self.learner.progress.step >= self.schedule.steps or math.isinf(self.schedule.minutes):
            return self.learner.progress.step >= self.schedule.steps
        # Clocks differ, and all processes must stop at the same step.
        return bool(self.team.agree(self.seconds > self.schedule.minutes * 60))

    def _has_stalled(self) -> bool:
        stop_after = self.schedule.stop_after
        return stop_after is not None and self.learner.progress.without_gain >= stop_after

    def _look(self, loss: float, reporter: Reporter | None) -> None:
        score = self.team.agree(self._scored() if self.team.is_main_process else 0.0)
        progress = self.learner.progress
        _check(loss, score, progress.step)
        better = self.learner.update_best(score)
        progress.seconds = self.seconds
        progress.rows.append(
            {
                "step": progress.step,
                "loss": loss,
                "score": score,
                "learning_rate": progress.learning_rate,
                "seconds": round(progress.seconds, 1),
            }
        )
        if reporter:
            self._save(better)
            reporter.look()

    def _scored(self) -> float:
        network = self.learner.scored.eval()
        with torch.no_grad():
            return self.score(network)

    def _save(self, better: bool) -> None:
        learner = self.learner
        write_checkpoint(self.output / CHECKPOINT, learner.tensors(), learner.progress, learner.settings)
        if better:
            write_tensors(self.output / BEST, learner.best)


def _resume(learner: Learner, team: DistributedContext, output: Path) -> None:
    path = output / CHECKPOINT
    if path.exists():
        learner.restore(*read_checkpoint(path, learner.settings))
        if team.is_main_process:
            # A kill may have come after the checkpoint and before the best weights were written.
            write_tensors(output / BEST, learner.best)
    if team.agree(learner.progress.step) != learner.progress.step:
        raise ModelError(
            f"the processes see different folders {output}; name a folder that all machines share."
        )


def _batches(batch_at: BatchAt, done: int, schedule: Schedule, team: DistributedContext) -> Iterable[Batch]:
    return DataLoader(
        _ByStep(batch_at),
        sampler=range(done + 1, schedule.steps + 1),
        batch_size=None,
        num_workers=schedule.workers,
        multiprocessing_context="fork" if schedule.workers else None,
        pin_memory=team.device.type == "cuda",
    )


class _ByStep(Dataset[Batch]):
    """Batches as a data set whose items are numbered by step, so that workers can make them ahead."""

    def __init__(self, batch_at: BatchAt) -> None:
        self._batch_at = batch_at

    def __getitem__(self, step: int) -> Batch:
        return self._batch_at(step)


def _check(loss: float, score: float, step: int) -> None:
    if not math.isfinite(loss):
        raise ModelError(f"the loss is {loss} at step {step}; begin anew with a lower learning rate.")
    if not math.isfinite(score):
        raise ModelError(
            f"the validation score is {score} at step {step}; the validation set needs cases with a tumour."
        )
