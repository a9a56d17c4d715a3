"""Signals in training: they end it as they end every command, and Slurm's warning puts the job back."""

from __future__ import annotations

import os
import signal
import subprocess
import threading

from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.plugins.environments import SLURMEnvironment


class OwnSignals(Callback):
    """Takes signals back from Lightning, which would act in the midst of a step.

    At SIGTERM its handler lets processes talk to each other, which hangs where they sum up gradients. At
    Slurm's signal it writes a checkpoint, of weights that may be half updated; the last look's is enough.
    """

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Note what is to happen at SIGTERM, before Lightning changes it."""
        self._sigterm = signal.getsignal(signal.SIGTERM)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Let it happen again; Lightning puts all handlers back after the training."""
        if threading.current_thread() is not threading.main_thread():
            return
        signal.signal(signal.SIGTERM, self._sigterm)
        if SLURMEnvironment.detect():
            signal.signal(signal.SIGUSR1, requeue if trainer.is_global_zero else signal.SIG_IGN)


def requeue(_number: int, _frame: object) -> None:
    """Ask Slurm to end this job and to start it again later."""
    array, task = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    job = f"{array}_{task}" if array else os.environ["SLURM_JOB_ID"]
    try:
        subprocess.run(["scontrol", "requeue", job], check=False)  # noqa: S603, S607
    except OSError as error:
        # What was interrupted may have been printing, which must not be entered twice.
        os.write(2, f"Slurm was not asked to start the job again: scontrol: {error.strerror}.\n".encode())
