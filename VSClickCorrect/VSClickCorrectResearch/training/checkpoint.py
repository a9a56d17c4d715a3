"""Checkpoints: what Lightning keeps of a training, in one safetensors file, which runs no code when read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import CheckpointIO
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.io.files import write_atomically

FORMAT = 2
_METADATA = "vsclickcorrect_training"
# What an experiment's file says of a training; trainings of earlier versions do not tell it, and go on.
EXPERIMENT = ("loss", "examples", "geometry", "parameters", "batch", "classes", "channels")
# And its cases, of which it knows no more than whether they are others.
_CASES = ("training", "validation")
# And with what it began.
_BEGINNING = {"weights": "that began with other weights", "models": "of other networks' masks"}


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write a safetensors file, which appears whole or not at all.

    Raises
    ------
    StorageError
        If it cannot be written; an older file stays as it was.
    """
    content = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, metadata)
    write_atomically(path, lambda temporary: temporary.write_bytes(content))


class SafetensorsIO(CheckpointIO):
    """Writes and reads Lightning's checkpoints; a kill at any moment leaves either the old or the new one.

    Tensors are tensors of the file; all else travels as JSON in its header, so that there is no second file
    that could be of another step.

    Parameters
    ----------
    settings : mapping
        What must be the same when a training goes on; anything that JSON can hold.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = json.loads(json.dumps(settings))

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write a checkpoint.

        Raises
        ------
        ModelError
            If it holds what is neither a tensor nor plain data.
        StorageError
            If it cannot be written; an older file stays as it was.
        """
        tensors: dict[str, Tensor] = {}
        state = _taken_apart(checkpoint, "", tensors)
        said = {"format": FORMAT, "settings": self._settings, "state": state}
        write_tensors(Path(path), tensors, {_METADATA: json.dumps(said)})

    def load_checkpoint(
        self, path: Any, map_location: Any = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read a checkpoint of a training with these settings; its tensors are on the CPU.

        Raises
        ------
        ModelError
            If the file is damaged or of a training with other settings.
        """
        path = Path(path)
        try:
            with safe_open(path, "pt") as file:
                said = json.loads(file.metadata()[_METADATA])
                if said["format"] != FORMAT:
                    raise ValueError(said["format"])
                self._compare(path.parent, said["settings"])
                return _put_together(said["state"], file)
        except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError):
            raise ModelError(
                f"{path} is no checkpoint that can be read; "
                "remove it to begin anew, or choose another output."
            ) from None

    def remove_checkpoint(self, path: Any) -> None:
        """Remove a checkpoint."""
        Path(path).unlink()

    def _compare(self, folder: Path, was: Mapping[str, Any]) -> None:
        for name in {**self._settings, **was}:
            now = self._settings.get(name)
            if was.get(name) == now or (name in (*EXPERIMENT, *_CASES, *_BEGINNING) and name not in was):
                continue
            # A network is a long list of shapes, which would tell a person nothing.
            other = "of another network" if name == "network" else f"with {name} {was.get(name)}, not {now}"
            if name in _CASES:
                other = f"with other {name} cases"
            other = _BEGINNING.get(name, other)
            raise ModelError(
                f"{folder} holds a training {other}; "
                "give the same settings to go on with it, or another output."
            )


def _taken_apart(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    """Return a value as JSON can hold it, with the names of the tensors in it, which go to `tensors`.

    Every collection becomes an object of one key, its kind, since JSON knows neither tuples nor keys that
    are numbers.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Tensor):
        # A copy, since names may share memory.
        copy = tensors[name[1:]] = value.detach().cpu().clone()
        layout = sorted(range(copy.dim()), key=copy.stride().__getitem__, reverse=True)
        return {"tensor": [name[1:], layout]}
    if isinstance(value, list | tuple):
        parts = [_taken_apart(part, f"{name}/{n}", tensors) for n, part in enumerate(value)]
        return {"tuple" if isinstance(value, tuple) else "list": parts}
    if isinstance(value, Mapping) and all(isinstance(key, int | str) for key in value):
        return {"dict": [[key, _taken_apart(part, f"{name}/{key}", tensors)] for key, part in value.items()]}
    raise ModelError(
        f"a checkpoint cannot hold {name[1:]}, of the type {type(value).__name__}: "
        "it takes tensors, numbers, text, and lists and dictionaries of these."
    )


def _put_together(value: Any, file: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "tensor":
        name, layout = content
        tensor = file.get_tensor(name)
        # In another layout in memory the same sums would be rounded differently.
        return torch.empty_permuted(tensor.shape, layout, dtype=tensor.dtype).copy_(tensor)
    if kind == "dict":
        return {key: _put_together(part, file) for key, part in content}
    return {"list": list, "tuple": tuple}[kind](_put_together(part, file) for part in content)
