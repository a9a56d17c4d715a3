"""Releasing a model: fp16 weights, rounded so that they pack well, and their entry in the manifest."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.inference.manifest import MANIFEST_NAME
from VSClickCorrectLib.inference.model_entry import ModelEntry
from VSClickCorrectLib.io.files import write_atomically, write_text
from VSClickCorrectLib.io.outputs import check_ours

from VSClickCorrectResearch.training.experiments import Experiment

MAX_BYTES = 15_000_000
# A repository keeps every release for ever: weights of so many bits take half of its space, and no score told
# them from finer ones.
_BITS = 6
_SELDOM = ("adapted", "classes", "channels")


def export(
    experiment: Experiment,
    weights: Path,
    name: str,
    models: Path,
    threshold: float = 0.5,
    others: Sequence[Path] = (),
) -> ModelEntry:
    """Write weights as fp16 into a model folder and name them in its manifest.

    Those of convolutions are rounded to 6 bits of the largest in their filter.

    Parameters
    ----------
    experiment : Experiment
        What was trained.
    weights : Path
        ``best.safetensors`` of the training.
    name : str
        The model's name; an entry of that name is replaced.
    models : Path
        Folder of the manifest.
    threshold : float
        Probability from which a voxel is tumour.
    others : sequence of Path
        Of trainings that began with the same weights on other batches: the mean of all is released, which is
        mostly better than each (model soups, Wortsman et al. 2022).

    Raises
    ------
    ModelError
        If the file would be larger than `MAX_BYTES`, the weights are of several networks, or as
        `check_release`.
    StorageError
        If the folder cannot be written, or as `check_release`.
    """
    entries = check_release(name, models)
    content = save({name: _released(tensor) for name, tensor in _mean([weights, *others]).items()})
    if len(content) > MAX_BYTES:
        raise ModelError(
            f"the weights of {name} take {len(content) / 1e6:.1f} MB; at most 15 MB are shipped."
        )
    file = f"{name}.safetensors"
    write_atomically(models / file, lambda path: path.write_bytes(content))
    digest = hashlib.sha256(content).hexdigest()
    entry = ModelEntry(
        name,
        experiment.role,
        file,
        digest,
        experiment.network["name"],
        experiment.parameters,
        experiment.geometry,
        threshold,
        classes=list(experiment.classes),
        channels=list(experiment.channels),
    )
    # What is released began with no other weights, and only models of parts tell classes apart.
    values = {word: value for word, value in asdict(entry).items() if value or word not in _SELDOM}
    entries = [e for e in entries if e["name"] != name] + [values]
    write_text(models / MANIFEST_NAME, json.dumps({"format": 1, "models": entries}, indent=2) + "\n")
    return entry


def check_release(name: str, models: Path) -> list[dict[str, Any]]:
    """Refuse a name under which no model can be released; return the entries of the folder's manifest.

    Raises
    ------
    ModelError
        If it is no name of a file.
    StorageError
        If the folder holds a file of that name which is no model's, or another one's.
    """
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise ModelError(f"'{name}' cannot be a model's name; use letters, digits, full stops, '-' and '_'.")
    file, manifest = f"{name}.safetensors", models / MANIFEST_NAME
    entries = json.loads(manifest.read_text(encoding="utf-8"))["models"] if manifest.exists() else []
    check_ours(models, (file,), any((e["name"], e["file"]) == (name, file) for e in entries))
    return entries


def _mean(weights: Sequence[Path]) -> dict[str, Tensor]:
    first, *others = (load_file(path) for path in weights)
    for path, other in zip(weights[1:], others, strict=True):
        if {name: t.shape for name, t in other.items()} != {name: t.shape for name, t in first.items()}:
            raise ModelError(f"{path} is of another network than {weights[0]}; average trainings of one.")
    return {
        name: torch.stack([tensor, *(other[name] for other in others)]).mean(0)
        if tensor.is_floating_point()
        else tensor
        for name, tensor in first.items()
    }


def _released(tensor: Tensor) -> Tensor:
    if not tensor.is_floating_point():
        return tensor.contiguous()
    return (_rounded(tensor) if tensor.dim() > 2 else tensor).half().contiguous()


def _rounded(weights: Tensor) -> Tensor:
    """Return the weights of a convolution in steps that are powers of two, which fp16 holds exactly."""
    largest = weights.abs().amax(tuple(range(1, weights.dim())), keepdim=True).clamp(min=2.0**-16)
    step = torch.exp2(torch.round(torch.log2(largest / (2 ** (_BITS - 1) - 1))))
    return torch.round(weights / step) * step
