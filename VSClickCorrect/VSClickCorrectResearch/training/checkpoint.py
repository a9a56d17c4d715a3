"""Checkpoints: one safetensors file with all that an interrupted training needs to go on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.io.files import write_atomically

FORMAT = 1
_METADATA = "vsclickcorrect_training"


@dataclass
class TrainingProgress:
    """How far a training has come, but for its tensors.

    Parameters
    ----------
    step : int
        Batches done.
    seconds : float
        Time spent, without interruptions.
    best : float
        Best score so far.
    without_gain : int
        Looks since then.
    learning_rate : float
        Of the next step.
    plateau : dict
        What the halving of the learning rate remembers.
    rows : list of dict
        One for each look: ``step``, ``loss``, ``score``, ``learning_rate``, ``seconds``.
    """

    step: int = 0
    seconds: float = 0.0
    best: float = float("-inf")
    without_gain: int = 0
    learning_rate: float = 0.0
    plateau: dict[str, float] = field(default_factory=dict)
    rows: list[dict[str, float]] = field(default_factory=list)


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write a safetensors file, which appears whole or not at all.

    Raises
    ------
    StorageError
        If it cannot be written; an older file stays as it was.
    """
    content = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, metadata)
    write_atomically(path, lambda temporary: temporary.write_bytes(content))


def write_checkpoint(
    path: Path, tensors: Mapping[str, Tensor], progress: TrainingProgress, settings: Mapping[str, Any]
) -> None:
    """Write a checkpoint; a kill at any moment leaves either the old one or the new one.

    Parameters
    ----------
    path : Path
        The file. Numbers travel in its header, so that there is no second file that could be of another step.
    tensors : mapping of str to Tensor
        By name.
    progress : TrainingProgress
        How far the training has come.
    settings : mapping
        What must be the same when it goes on; anything that JSON can hold.

    Raises
    ------
    StorageError
        If it cannot be written; an older file stays as it was.
    """
    said = {"format": FORMAT, "progress": asdict(progress), "settings": dict(settings)}
    write_tensors(path, tensors, {_METADATA: json.dumps(said)})


def read_checkpoint(path: Path, settings: Mapping[str, Any]) -> tuple[dict[str, Tensor], TrainingProgress]:
    """Read a checkpoint of a training with these settings.

    Parameters
    ----------
    path : Path
        As `write_checkpoint` wrote it.
    settings : mapping
        Of the training that is to go on.

    Returns
    -------
    tensors : dict of str to Tensor
        On the CPU.
    progress : TrainingProgress
        How far the training had come.

    Raises
    ------
    ModelError
        If the file is damaged or of a training with other settings.
    """
    try:
        with safe_open(path, "pt") as file:
            said = json.loads(file.metadata()[_METADATA])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        progress = TrainingProgress(**said["progress"])
        _compare(path.parent, said["settings"], json.loads(json.dumps(settings)))
    except (SafetensorError, OSError, KeyError, TypeError, json.JSONDecodeError):
        raise ModelError(
            f"{path} is no checkpoint that can be read; remove it to begin anew, or choose another output."
        ) from None
    return tensors, progress


def _compare(folder: Path, was: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    for name in now:
        if was.get(name) == now[name]:
            continue
        # A network is a long list of shapes, which would tell a person nothing.
        other = "of another network" if name == "network" else f"with {name} {was.get(name)}, not {now[name]}"
        raise ModelError(
            f"{folder} holds a training {other}; give the same settings to go on with it, or another output."
        )
