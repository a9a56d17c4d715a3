"""The looks at the validation set: what they found, the best weights, and the checkpoint that each leaves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import Timer
from torch import Tensor
from VSClickCorrectLib.errors import ModelError

from VSClickCorrectResearch.training.checkpoint import write_tensors

# One look: ``step``, ``loss``, ``score``, ``learning_rate``, ``seconds``.
Row = dict[str, float]
CHECKPOINT = "checkpoint.safetensors"
BEST = "best.safetensors"


class Looks(Callback):
    """Keeps what the looks of one training find; each ends an epoch of Lightning.

    Parameters
    ----------
    output : Path
        Folder for checkpoint and best weights.
    steps : int
        Batches at most.
    timer : Timer
        Knows the time that was spent, interruptions not counted.
    """

    def __init__(self, output: Path, steps: int, timer: Timer) -> None:
        self._output, self._steps, self._timer = output, steps, timer
        self._score = float("nan")
        self.rows: list[Row] = []
        self.best: dict[str, Tensor] = {}

    @property
    def best_score(self) -> float:
        """The best score so far."""
        return max((row["score"] for row in self.rows), default=float("-inf"))

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"rows": self.rows, "best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go back to where `state_dict` was taken."""
        self.rows[:], self.best = state_dict["rows"], state_dict["best"]

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """See that all processes begin at one step, and the best weights are there.

        Raises
        ------
        ModelError
            If not all processes found the checkpoint.
        """
        if trainer.strategy.broadcast(len(self.rows)) != len(self.rows):
            raise ModelError(
                f"the processes see different folders {self._output}; name a folder that all machines share."
            )
        if self.best and trainer.is_global_zero:
            # A kill may have come after the checkpoint and before the best weights were written.
            write_tensors(self._output / BEST, self.best)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        """Stop after the last step."""
        if trainer.global_step >= self._steps:
            trainer.should_stop = True

    def on_validation_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, *_: Any
    ) -> None:
        """Take the weights while they are those that were scored, which may be an average."""
        self._score = outputs["score"]
        if self._score > self.best_score:
            state: Mapping[str, Tensor] = pl_module.network.state_dict()  # type: ignore[union-attr]
            self.best = {name: tensor.cpu().clone() for name, tensor in state.items()}

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keep what a look has found."""
        loss, step = trainer.callback_metrics["loss"].item(), trainer.global_step
        better = self._score > self.best_score
        self.rows.append(
            {
                "step": step,
                "loss": loss,
                "score": self._score,
                "learning_rate": trainer.optimizers[0].param_groups[0]["lr"],
                "seconds": round(self._timer.time_elapsed(), 1),
            }
        )
        trainer.save_checkpoint(self._output / CHECKPOINT)
        if better and trainer.is_global_zero:
            write_tensors(self._output / BEST, self.best)
