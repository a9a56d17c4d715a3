"""Networks that have learned on this machine, kept beside the released ones and never in their place."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from VSClickCorrectLib.inference.manifest import MANIFEST_NAME, adapted_entries, adapted_folder, newest
from VSClickCorrectLib.inference.model_entry import ModelEntry
from VSClickCorrectLib.io.files import BESIDE, changing, make_folder, write_atomically, write_text
from VSClickCorrectLib.io.temporary import remove_folder

if TYPE_CHECKING:
    import torch


def make_adapted_folder() -> Path:
    """Make `adapted_folder`, for this user's eyes alone, and return it; raises `StorageError`."""
    folder = adapted_folder()
    make_folder(folder)
    with changing(folder):
        folder.chmod(0o700)
    return folder


def keep_adapted(parent: ModelEntry, tensors: Mapping[str, torch.Tensor], told: dict[str, Any]) -> ModelEntry:
    """Keep adapted weights as a version of their own.

    Whatever ends this, the manifest names whole files only: the weights are there before it names them, and
    those of older versions go after it no longer does.

    Parameters
    ----------
    parent : ModelEntry
        The released network with which the weights began.
    tensors : mapping of Tensor
        The weights, fp16 where they are no whole numbers.
    told : dict
        What `ModelEntry.adapted` tells besides parent and date.

    Returns
    -------
    ModelEntry
        The version.

    Raises
    ------
    ModelError
        If the versions that there are cannot be read.
    StorageError
        If it cannot be written.
    """
    from safetensors.torch import save

    folder = make_adapted_folder()
    entries = adapted_entries()
    content = save({name: tensor.contiguous() for name, tensor in tensors.items()})
    digest = hashlib.sha256(content).hexdigest()
    entry = replace(
        parent,
        name=_new_name(f"{parent.name} adapted to {told['cases']} cases", [e.name for e in entries]),
        file=f"{parent.name}-adapted-{digest[:12]}.safetensors",
        sha256=digest,
        adapted={"parent": parent.sha256, "date": date.today().isoformat(), **told},
    )
    write_atomically(folder / entry.file, lambda path: path.write_bytes(content))
    kept = _needed([*(e for e in entries if e.sha256 != digest), entry])
    manifest = json.dumps({"format": 1, "models": [asdict(e) for e in kept]}, indent=1)
    write_text(folder / MANIFEST_NAME, manifest + "\n")
    _tidy(folder, {e.file for e in kept})
    return entry


def _needed(entries: list[ModelEntry]) -> list[ModelEntry]:
    """Return the versions that are offered, and those beside which these were learned, in order."""
    offered = newest(entries)
    used = {entry.sha256 for entry in offered} | {entry.adapted.get("beside") for entry in offered}
    return [entry for entry in entries if entry.sha256 in used]


def _tidy(folder: Path, files: set[str]) -> None:
    """Remove weights that no version has, and what a kill left half-written."""
    with changing(folder):
        for half_written in folder.glob(f"{BESIDE}*"):
            remove_folder(half_written)
        left = [path for path in folder.glob("*.safetensors") if path.name not in files]
    for path in left:
        # Another program may have it open; the next time will do.
        with suppress(OSError):
            path.unlink()


def _new_name(name: str, known: Iterable[str]) -> str:
    """Return a name that no version has or, while any of that name is left, has had."""
    numbers = [_number_in(other, name) for other in known]
    last = max(numbers, default=0)
    return f"{name} ({last + 1})" if last else name


def _number_in(other: str, name: str) -> int:
    found = re.fullmatch(rf"{re.escape(name)}(?: \((\d+)\))?", other)
    return int(found[1] or 1) if found else 0
