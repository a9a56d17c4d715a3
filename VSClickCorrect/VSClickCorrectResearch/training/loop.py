"""Training by Lightning: Adam, halving on plateau, the best weights kept (thesis section 4.4.2).

A training may be interrupted at any moment and started again with the same output folder: it goes on from
the last look at the validation set, and on a processor it ends with the weights, to the bit, that it would
have had without the interruption. Started by ``torchrun`` or Slurm it shares every batch among processes,
each with a GPU of its own where there are GPUs.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import EarlyStopping, Timer, WeightAveraging
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Sampler
from VSClickCorrectLib.io.files import make_folder

from VSClickCorrectResearch.training.checkpoint import SafetensorsIO
from VSClickCorrectResearch.training.learner import Batch, BatchAt, Learner, Loss, Score
from VSClickCorrectResearch.training.looks import BEST, CHECKPOINT, Looks
from VSClickCorrectResearch.training.parallel import share, team
from VSClickCorrectResearch.training.reporter import Reporter
from VSClickCorrectResearch.training.requeue import OwnSignals
from VSClickCorrectResearch.training.schedule import Schedule

__all__ = ["BEST", "CHECKPOINT", "Schedule", "fit"]


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
    learner, timer = Learner(network, loss, schedule, seed), _timer(schedule.minutes)
    looks = Looks(output, schedule.steps, timer)
    path = output / CHECKPOINT
    with _quiet():
        trainer = _trainer(schedule, [timer, looks], SafetensorsIO(learner.settings), output)
        # The validation set is one item: what scores the network.
        held_back: DataLoader[Any] = DataLoader([score], batch_size=None)  # type: ignore[arg-type]
        batches = _batches(batch_at, schedule, trainer)
        if trainer.is_global_zero:
            trainer.callbacks.append(Reporter(output, schedule, seed, looks.rows, timer))  # type: ignore[attr-defined]
        trainer.fit(learner, batches, held_back, ckpt_path=path if path.exists() else None)
    network.load_state_dict(looks.best)
    network.to(trainer.strategy.root_device)
    return looks.best_score


def _trainer(
    schedule: Schedule, callbacks: list[Callback], checkpoints: SafetensorsIO, output: Path
) -> Trainer:
    callbacks = [*callbacks, _Stall(schedule.stop_after), OwnSignals()]
    if schedule.average:
        callbacks.append(_averaging(schedule.average))
    return Trainer(
        **team(schedule.device),
        use_distributed_sampler=False,
        precision="bf16-mixed" if schedule.precision == "bfloat16" else "32-true",
        # An epoch is what lies between two looks; the callbacks say when to stop, but not before a step.
        max_epochs=-1,
        min_epochs=0,
        min_steps=1,
        callbacks=callbacks,
        plugins=[checkpoints],
        default_root_dir=output,
        num_sanity_val_steps=0,
        inference_mode=False,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def _timer(minutes: float) -> Timer:
    # What lasts longer than a timedelta can say has no end.
    return Timer(timedelta(minutes=minutes) if minutes < timedelta.max.days * 1440 else None)


class _Stall(EarlyStopping):
    """Stops after looks without gain; a training that goes on may be given more or fewer of them."""

    def __init__(self, stop_after: int | None) -> None:
        super().__init__(
            "score", mode="max", patience=stop_after or sys.maxsize, check_on_train_epoch_end=False
        )

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict({**state_dict, "patience": self.patience})

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.wait_count >= self.patience:
            trainer.should_stop = True


def _averaging(decay: float) -> WeightAveraging:
    def update(averaged, current, done):
        step = int(done) + 1
        get_ema_multi_avg_fn(min(decay, (1 + step) / (10 + step)))(averaged, current, done)

    return WeightAveraging(multi_avg_fn=update)


def _batches(batch_at: BatchAt, schedule: Schedule, trainer: Trainer) -> DataLoader[Any]:
    def made(step: Any) -> Batch:
        return share(batch_at(step), trainer.global_rank, trainer.world_size)

    return DataLoader(
        # A data set of numbers: a step's number becomes its batch, so that workers can make it ahead.
        range(schedule.steps + 1),  # type: ignore[arg-type]
        sampler=_UntilLook(trainer, schedule),
        batch_size=None,
        collate_fn=made,
        num_workers=schedule.workers,
        multiprocessing_context="fork" if schedule.workers else None,
        persistent_workers=schedule.workers > 0,
        pin_memory=trainer.strategy.root_device.type == "cuda",
    )


class _UntilLook(Sampler[int]):
    """The steps from here to the next look, counted from 1."""

    def __init__(self, trainer: Trainer, schedule: Schedule) -> None:
        self._trainer, self._schedule = trainer, schedule

    def __len__(self) -> int:
        return min(self._schedule.val_every, self._schedule.steps - self._trainer.global_step)

    def __iter__(self) -> Iterator[int]:
        first = self._trainer.global_step + 1
        return iter(range(first, first + len(self)))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Lightning from telling what it found and what it would advise."""
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"pytorch_lightning|lightning_fabric")
        # Of layouts that differ where a side is 1 long.
        warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides")
        yield
